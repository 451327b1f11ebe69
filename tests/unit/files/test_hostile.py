"""Files that were made to harm, or that a careless hand left: one line with the cause, soon."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from labelnext.adapter.registry import open_adapter
from labelnext.adapter.sample import Sample
from labelnext.errors import InvalidInput, LabelnextError
from labelnext.pool import Pool
from labelnext.runs.run import run
from labelnext_adapters.files.json.types import common, fits, type_of
from labelnext_adapters.files.vision import yolo_folder

HALVES = [[0.5, 0.5], [0.4, 0.6]]


def read(path: Path, **options: Any) -> Pool:
    return open_adapter("files", directory=path.parent, path=path.name, **options).read()  # type: ignore[attr-defined]


def error_of(path: Path, **options: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        read(path, **options)
    return str(caught.value)


def test_ids_of_5000_digits_are_ranked_by_value(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    large, larger = "5" * 5000, "6" * 5000
    ids = [larger, "-" + larger, "7", large, "-" + large]
    path.write_text("item_id,a,b\n" + "".join(f"{i},0.4,0.6\n" for i in ids))
    pool = read(path)
    assert pool.item_ids[pool.tie_order].tolist() == [
        "-" + larger,
        "-" + large,
        "7",
        large,
        larger,
    ]


def test_a_number_of_5000_digits_is_named_in_our_words(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(f'[{{"item_id": {"5" * 5000}, "probabilities": [0.5, 0.5]}}]')
    said = error_of(path)
    assert "4,300 digits" in said
    assert "sys." not in said


def test_the_start_of_deep_json_is_looked_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"a": [1, {"b": "x,y", "c": [2, 3')
    assert Sample(path).json == {"a": [1, {"b": "x,y", "c": [2]}]}


def test_names_of_their_own_in_each_record_are_refused_before_they_fill_a_table(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.jsonl"
    n, most = 400, {"max_unpacked": 0.001}
    rows = [{"item_id": i, "probabilities": {f"c{i}": 0.6, f"d{i}": 0.4}} for i in range(n)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert "400 rows with 800 names" in error_of(path, **most)
    path.write_text("".join(json.dumps({"item_id": i, f"k{i}": 1}) + "\n" for i in range(n)))
    assert "the records' keys" in error_of(path, **most)
    path = tmp_path / "a.csv"
    path.write_text("item_id,class,confidence\n" + "".join(
        f"{i},{c}{i},0.5\n" for i in range(n) for c in "ab"
    ))  # fmt: skip
    assert "class scores must take at most 0.001 GiB" in error_of(path, **most)


def test_types_of_many_records_are_one_type_that_fits_each() -> None:
    values: list[Any] = [{"a": 1}, {"b": [{"x": 1}]}, {"a": 0.5, "b": [{"y": "t"}]}, {"a": None}]
    whole = common([kind for kind in map(type_of, values) if kind is not None])
    inner = pa.struct([("x", pa.int64()), ("y", pa.string())])
    assert whole == pa.struct([("a", pa.float64()), ("b", pa.list_(inner))])
    assert all(fits(type_of(value), whole) for value in values)  # type: ignore[arg-type]  # known
    for other in ({"a": "t"}, {"c": 1}, [1], {"b": [1]}):
        assert not fits(type_of(other), whole)  # type: ignore[arg-type]  # known
    assert common([pa.struct([("a", pa.int64())]), pa.struct([("a", pa.string())])]) == pa.struct(
        [("a", pa.int64())]
    )
    assert common([]) is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!DOCTYPE html><html>Sign in</html>", "it is an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\n", "a pointer of Git LFS"),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet", "a.npz", "a.arrow", "a.pkl"])
def test_what_stands_in_place_of_a_file_is_named(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert said in error_of(path)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.tsv"])
def test_a_file_of_nul_bytes_is_no_utf_16(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\0" * 5000)
    assert "NUL bytes alone" in error_of(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    os.mkfifo(path)
    assert "it is a pipe or device" in error_of(path)
    (tmp_path / "b.jsonl").write_text(json.dumps({"item_id": "a", "probabilities": [0.5, 0.5]}))
    config = {
        "source": {"adapter": "files", "path": str(tmp_path / "b.jsonl")},
        "selection": {"options": {"similar_to": {"file": str(path)}}},
    }
    with pytest.raises(LabelnextError, match="it is no file"):
        run(config)


def test_a_pipe_in_place_of_an_image_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"item_id": "a.jpg", "probabilities": [0.5, 0.5]}))
    os.mkfifo(tmp_path / "a.jpg")
    config = {
        "source": {"adapter": "files", "path": str(tmp_path / "a.jsonl")},
        "write": {"output": str(tmp_path / "ranking.csv")},
        "report": {"path": str(tmp_path / "report.html")},
        "state": str(tmp_path / "state"),
    }
    assert not run(config).nothing_ranked


def test_a_long_header_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    names = [f"{i:0300}" for i in range(1000)]
    numbers = ["1", *["0"] * (len(names) - 1)]
    path.write_text(f"item_id,{','.join(names)}\na,{','.join(numbers)}\n")
    assert read(path).probabilities.shape == (1, len(names))  # type: ignore[union-attr]  # has some


def test_two_arrays_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for rows in (np.eye(2), np.eye(3)):
            content = io.BytesIO()
            np.save(content, rows)
            with pytest.warns(UserWarning, match="Duplicate") if rows.size == 9 else _nothing():
                archive.writestr("probabilities.npy", content.getvalue())
    assert "two are called probabilities" in error_of(path)


class _nothing:  # as contextlib's
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def test_dates_of_no_calendar_are_no_ids(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    days = pa.array([2**31 - 1, 5], pa.int32()).cast(pa.date32())
    pyarrow.parquet.write_table(pa.table({"item_id": days, "probabilities": HALVES}), path)
    assert "of no calendar" in error_of(path)


def test_a_folder_refuses_the_long_ids_that_a_file_refuses(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    table = pa.table({"item_id": ["x" * 10_001, "b"], "probabilities": HALVES})
    for path in (tmp_path / "a.parquet", folder / "a.parquet"):
        pyarrow.parquet.write_table(table, path)
    said = "must have at most 10,000 characters"
    assert f"row 1: item_id {said}" in error_of(tmp_path / "a.parquet")
    with pytest.raises(LabelnextError, match=f"row 1: item_id {said}"):
        run({"source": {"adapter": "files", "path": str(folder)}}, dry_run=True)


def test_a_file_whose_name_is_no_utf_8_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    path = folder / "a.parquet"
    pyarrow.parquet.write_table(pa.table({"item_id": ["a", "b"], "probabilities": HALVES}), path)
    try:
        os.rename(path, os.fsencode(folder) + b"/a\xff.parquet")
    except OSError:
        pytest.skip("this file system has names in UTF-8 alone")
    with pytest.raises(InvalidInput, match="names in UTF-8"):
        run({"source": {"adapter": "files", "path": str(folder)}}, dry_run=True)


@pytest.mark.parametrize("wrong", [lambda top: "/", lambda top: str(top)])
def test_a_data_yaml_does_not_lead_over_the_whole_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: Callable[[Path], str]
) -> None:
    labels = tmp_path / "runs" / "texts"
    labels.mkdir(parents=True)
    (labels / "a.txt").write_text("0 0.5 0.5 0.1 0.1 0.9\n")
    many = tmp_path / "many"
    many.mkdir()
    for i in range(4):
        (many / f"{i}.jpg").touch()
    (labels / "data.yaml").write_text(f"names: [car]\ntrain: {wrong(many)}\n")
    monkeypatch.setattr(yolo_folder, "_MOST", 3)
    if wrong(many) == "/":
        assert read(labels).item_ids.tolist() == ["a"]
    else:
        assert "at most 3 files" in error_of(labels)


@pytest.mark.parametrize("encoding", ["utf-16", "undefined", "idna", "hex", "of my own"])
def test_xml_that_declares_another_encoding_than_its_own_is_looked_at_as_it_is(
    tmp_path: Path, encoding: str
) -> None:
    (tmp_path / "a.xml").write_text(text := f'<?xml version="1.0" encoding="{encoding}"?><a>é</a>')
    assert Sample(tmp_path / "a.xml").text == text
