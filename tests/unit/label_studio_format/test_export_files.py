"""Exports of every kind: lines, packed, several together, and what is none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput, NotFound
from labelnext.pool import Pool
from tests.unit.label_studio_format.test_export import box, read, task
from tests.unit.label_studio_format.test_kinds import CARS, notice


def write(folder: Path, name: str, body: bytes | str) -> None:
    (folder / name).write_bytes(body if isinstance(body, bytes) else body.encode())


def read_file(folder: Path, name: str, **options: Any) -> Pool:
    (folder / "setup.xml").write_text(CARS)
    given = {"format": "label-studio", "label_config": "setup.xml", **options}
    return open_adapter("files", directory=folder, path=name, **given).read()


ROWS = [task(n, [box("car", score=n / 4)]) for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("e.jsonl", "\n".join(map(json.dumps, ROWS)) + "\n\n"),
        ("e.json.gz", gzip.compress(json.dumps(ROWS).encode())),
        ("e.jsonl.gz", gzip.compress("\r\n".join(map(json.dumps, ROWS)).encode())),
        ("e.json", b"\xef\xbb\xbf" + json.dumps(ROWS).encode()),
        ("e.json", json.dumps(ROWS).encode("utf-16")),
        ("e.json", json.dumps(ROWS, indent=2).replace('"n": 1', '"n": NaN')),
    ],
)
def test_an_export_may_be_lines_packed_or_encoded_otherwise(
    tmp_path: Path, name: str, body: Any
) -> None:
    write(tmp_path, name, body)
    pool: Any = read_file(tmp_path, name)
    assert pool.objects.confidences.tolist() == [0.25, 0.5, 0.75]


def test_several_exports_are_one_pool(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    write(tmp_path / "all", "a.json", json.dumps(ROWS[:2]))
    newer = {**ROWS[1], "predictions": [{**ROWS[1]["predictions"][0], "id": 99}]}
    newer["predictions"][0]["result"] = [box("car", score=0.875)]
    write(tmp_path / "all", "b.jsonl", "\n".join(map(json.dumps, [newer, ROWS[2]])))
    write(tmp_path / "all", "notes.txt", "no export")
    pool: Any = read_file(tmp_path, "all")
    assert pool.item_ids.tolist() == ["1", "2", "3"]
    assert pool.objects.confidences.tolist() == [0.25, 0.875, 0.75]
    assert notice(pool, "tasks_in_several_files").item_ids == ("2",)
    other = {**ROWS[0], "data": {"text": "another"}}
    write(tmp_path / "all", "c.json", json.dumps([other]))
    with pytest.raises(InvalidInput, match="record 1 of a.json and record 1 of c.json have id 1"):
        read_file(tmp_path, "all")


def test_a_task_with_several_records_is_one(tmp_path: Path) -> None:
    write(tmp_path, "e.json", json.dumps([*ROWS, ROWS[1]]))
    pool: Any = read_file(tmp_path, "e.json")
    assert pool.item_ids.tolist() == ["1", "2", "3"]
    assert pool.objects.confidences.tolist() == [0.25, 0.5, 0.75]
    told = notice(pool, "tasks_in_several_files")
    assert told.message == "1 task with several records, each read as one."


def test_a_folder_without_exports_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(NotFound, match="path must hold exports"):
        read_file(tmp_path, "none")


MIN = {"image": "a.jpg", "id": 3, "annotator": 1, "annotation_id": 4, "lead_time": 3}
STORED = {
    "id": 4,
    "result": [],
    "completed_by": 1,
    "lead_time": 3.5,
    "created_at": "2026-01-01",
    "updated_at": "2026-01-01",
    "task": {"id": 3, "data": {"image": "a.jpg"}},
}
OLD = {"id": 1, "data": {"text": "a"}, "completions": [{"id": 1, "result": []}]}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([MIN], "got JSON_MIN, which has no predictions. Hint: choose JSON when exporting"),
        ([OLD], "Label Studio 1.0 or later; got completions"),
        ([{"id": 1, "task": 2, "result": []}], "got a list of predictions"),
        ([STORED], "as Label Studio writes it to a target storage, which has no predictions"),
        (STORED, "as Label Studio writes it to a target storage, which has no predictions"),
        ([{"id": 1}], "its records have no data"),
        ({"tasks": ROWS, "total": 2}, "got the keys tasks, total, as in an answer of Label Studio"),
        ([ROWS[0], {**ROWS[0], "data": {"text": "b"}}], "record 2 have id 1 and different data"),
        ("{", "line 1: "),
        ("[" * 100_000, "JSON export"),
        (json.dumps(ROWS).encode().replace(b"text 1", b"\x80"), "can't decode byte 0x80"),
        ([{"id": 1, "data": []}], "1 of 1 aren't: record 1, id 1"),
        ([{"id": True, "data": {}}], r"1 of 1 aren't: record 1, id true"),
    ],
)
def test_what_can_not_be_read_is_named(tmp_path: Path, body: Any, message: str) -> None:
    write(tmp_path, "e.json", body if isinstance(body, str | bytes) else json.dumps(body))
    with pytest.raises(InvalidInput) as error:
        read_file(tmp_path, "e.json")
    assert message in str(error.value)
    assert "Hint" in str(error.value)


def test_what_label_studio_imports_is_read(tmp_path: Path) -> None:
    row = task(1, [box("car", score=0.5)])
    row["predictions"][0] |= {"created_at": None, "model_version": 2, "score": "0.5", "id": None}
    row["annotations"] = None
    said = {"id": None, "result": [], "created_at": None, "completed_by": {"email": "a@b.c"}}
    other = {**task(2), "predictions": None, "annotations": [said]}
    pool: Any = read(tmp_path, [row, other], CARS)
    assert pool.objects.confidences.tolist() == [0.5]
    assert pool.versions == ("2",)
    assert pool.labelled.tolist() == [False, True]


def test_a_few_broken_records_are_left_out_and_named(tmp_path: Path) -> None:
    rows: list[Any] = [task(n, [box("car", score=0.5)]) for n in range(1, 20)]
    rows.insert(4, {"id": 77, "data": "text"})
    pool = read(tmp_path, rows, CARS)
    assert len(pool) == 19
    assert notice(pool, "broken_records").message.startswith(
        "Left out 1 of 20 records that are no tasks: record 5, id 77 (Expected `object`"
    )
    rows[0]["predictions"].append("odd")
    assert notice(read(tmp_path, rows, CARS), "broken_predictions").item_ids == ("1",)


def test_an_export_without_tasks_says_so(tmp_path: Path) -> None:
    write(tmp_path, "e.json", "[]")
    pool = read_file(tmp_path, "e.json")
    assert [notice.message for notice in pool.notices] == ["The export has no tasks."]


@pytest.mark.parametrize(
    ("usual", "twice", "key"),
    [
        ('"score": 0.5', '"score": 0.5, "score": 0.25', "score"),
        ('"id": 20,', '"id": 20, "id": 21,', "id"),
        ('"predictions": [', '"predictions": [], "predictions": [', "predictions"),
        ('"rectanglelabels": ["car"]', '"rectanglelabels":["car"],"rectanglelabels":[]', "rect"),
    ],
)
@pytest.mark.parametrize("lines", [False, True])
def test_a_task_with_a_key_twice_is_left_out(
    tmp_path: Path, usual: str, twice: str, key: str, lines: bool
) -> None:
    rows = [json.dumps(task(n, [box("car", score=0.5)])) for n in range(1, 21)]
    assert usual in rows[-1]
    rows[-1] = rows[-1].replace(usual, twice)
    body = "\n".join(rows) if lines else f"[{', '.join(rows)}]"
    write(tmp_path, "e.jsonl" if lines else "e.json", body)
    pool = read_file(tmp_path, "e.jsonl" if lines else "e.json")
    assert pool.item_ids.tolist() == [str(n) for n in range(1, 20)]
    message = notice(pool, "broken_records").message
    assert f"an object must have each key once; one has '{key}" in message


@pytest.mark.parametrize("twice", [False, True])
def test_a_number_that_nobody_asks_for_may_be_too_large(tmp_path: Path, twice: bool) -> None:
    rows = [json.dumps(task(n, [box("car", score=0.5)])) for n in range(1, 21)]
    more = '"id": 20, "meta": {"area": 1e999},' + (' "meta": {},' if twice else "")
    rows[-1] = rows[-1].replace('"id": 20,', more)
    write(tmp_path, "e.json", f"[{', '.join(rows)}]")
    pool = read_file(tmp_path, "e.json")
    assert pool.item_ids.tolist() == [str(n) for n in range(1, 20 if twice else 21)]


def test_a_key_twice_beside_nan_is_refused(tmp_path: Path) -> None:
    body = json.dumps(ROWS).replace('"n": 1', '"n": NaN').replace('"id": 1,', '"id": 1, "id": 2,')
    write(tmp_path, "e.json", body)
    with pytest.raises(InvalidInput, match="one has 'id' twice"):
        read_file(tmp_path, "e.json")
