"""labels: one row per label, in three formats, and never over what is read."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from labelnext.adapter.batch import Mark
from labelnext.adapter.records import LabelRecord, LabelRecords, records_of
from labelnext.cli import app
from labelnext.config import load_config
from labelnext.errors import ConfigError
from labelnext.pool import Objects, Pool
from labelnext.runs.labelled_file import COLUMNS, _unknown, labels


@pytest.fixture
def config(tmp_path: Path) -> Path:
    rows = "item_id,p_a,p_b,label\nx,0.9,0.1,a\ny,0.5,0.5,\nz,0.4,0.6,b\n"
    (tmp_path / "p.csv").write_text(rows)
    path = tmp_path / "c.yaml"
    path.write_text("source: {adapter: files, path: p.csv}\nreport: {path: null}\n")
    return path


class Told:
    """A platform that knows its labels."""

    name = "told"

    def __init__(self, *records: LabelRecord) -> None:
        self._records = records

    def label_records(self) -> LabelRecords:
        return LabelRecords(self._records)


def test_no_labels_make_a_file_with_no_rows(config: Path, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("item_id,p_a,p_b\nx,0.9,0.1\n")
    written = labels(config, tmp_path / "labels.parquet")
    assert (written.labels, written.items, written.notices) == (0, 0, ())
    assert pq.read_table(tmp_path / "labels.parquet").column_names == list(COLUMNS)


def test_files_give_one_row_per_label_without_author_and_time(config: Path, tmp_path: Path) -> None:
    written = labels(config, tmp_path / "labels.csv")
    assert (written.labels, written.items) == (2, 2)
    with (tmp_path / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["item_id"], row["label"], row["counts"]) for row in rows] == [
        ("x", "a", "true"),
        ("z", "b", "true"),
    ]
    assert rows[0]["classes"] == '["a"]'
    assert {row[name] for row in rows for name in ("labelled_by", "labelled_at", "objects")} == {""}
    assert [notice.message for notice in written.notices] == [
        "labelled_by and labelled_at are empty for 2 labels: the source doesn't say.",
    ]


def test_numbers_are_written_and_read_back(config: Path, tmp_path: Path) -> None:
    text = "item_id,label_number,estimate,confidence\nx,3.5,3,0.5\ny,,4,0.5\nz,-0.1,2,0.5\n"
    (tmp_path / "p.csv").write_text(text)
    expected = {"x": 3.5, "z": -0.1}
    for ending in ("csv", "jsonl", "parquet"):
        path = tmp_path / f"labels.{ending}"
        written = labels(config, path)
        assert (written.labels, written.items) == (2, 2)
        assert [n.code for n in written.notices] == ["no_labelled_by"]
    table = pq.read_table(path).to_pylist()
    assert {row["item_id"]: row["label_number"] for row in table} == expected
    again = config.with_name("again.yaml")
    again.write_text(config.read_text().replace("p.csv", "labels.csv"))
    pool = load_config(again).open_adapter().read()
    assert dict(zip(pool.item_ids.tolist(), pool.numbers, strict=True)) == expected


def test_an_item_with_several_votes_and_a_number_has_all_of_them() -> None:
    pool = Pool(["x", "y"], labels=[0, -1], numbers=[np.nan, 2.5], classes=["a"])
    found = [(r.item_id, r.label, r.number) for r in records_of(pool)]
    assert found == [("x", "a", None), ("y", None, 2.5)]


def test_authors_and_times_that_some_labels_lack_are_counted_apart() -> None:
    known = [LabelRecord("x", "a", at=1.0), LabelRecord("y", "b", at=1.0)]
    assert [n.message for n in _unknown(known)] == [
        "labelled_by is empty for 2 labels: the source doesn't say."
    ]
    assert _unknown([replace(record, person="ann") for record in known]) == []
    half = [replace(known[0], person="ann", at=None), known[1]]  # as many, but of other labels
    assert [n.message for n in _unknown(half)] == [
        f"labelled_{what} is empty for 1 label: the source doesn't say." for what in ("by", "at")
    ]


def test_folder_in_parts_gives_the_labels_of_all_parts(config: Path, tmp_path: Path) -> None:
    import pyarrow as pa

    folder = tmp_path / "pool"
    folder.mkdir()
    for part, rows in enumerate([{"x": "a", "y": None}, {"z": "b"}]):
        columns = {"item_id": [*rows], "p_a": [0.5] * len(rows), "p_b": [0.5] * len(rows)}
        table = pa.table({**columns, "label": pa.array([*rows.values()], pa.string())})
        pq.write_table(table, folder / f"{part}.parquet")
    config.write_text("source: {adapter: files, path: pool}\nreport: {path: null}\n")
    labels(config, tmp_path / "labels.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert [(row["item_id"], row["label"]) for row in rows] == [("x", "a"), ("z", "b")]


def test_a_row_that_cannot_be_read_is_named(config: Path, tmp_path: Path) -> None:
    rows = [f"{name},0.9,0.1004,b" for name in (*range(30), "")]  # sums that nobody labelled
    (tmp_path / "p.csv").write_text("\n".join(["item_id,p_a,p_b,label", *rows]))
    written = labels(config, tmp_path / "labels.csv")
    lost, nobody = (n.message for n in written.notices)
    assert lost == "Left out 1 of 31 rows: line 32: item_id must be set."
    assert nobody.startswith("labelled_by and labelled_at are empty for 30 labels")
    assert written.labels == 30


def test_rows_of_parts_that_cannot_be_read_are_counted(config: Path, tmp_path: Path) -> None:
    import pyarrow as pa

    folder = tmp_path / "pool"
    folder.mkdir()
    for part in range(2):
        ids = [*(f"{part}-{row}" for row in range(30)), None]
        columns = {"p_a": [0.5] * 31, "p_b": [0.5] * 31, "label": ["a"] * 31}
        pq.write_table(pa.table({"item_id": ids, **columns}), folder / f"{part}.parquet")
    config.write_text("source: {adapter: files, path: pool}\nreport: {path: null}\n")
    lost = labels(config, tmp_path / "labels.jsonl").notices[0].message
    assert lost.startswith("2 times in the parts; the first: Left out 1 of 31 rows: ")


def test_author_time_and_boxes_are_written_in_every_format(config: Path, tmp_path: Path) -> None:
    car = Mark("car", (0.0, 0.25, 0.5, 1.0))
    record = LabelRecord("x", objects=(car, Mark("")), person="ann", at=3600.0, stored="[{}]")
    none = LabelRecord("y", objects=(), person="bo", at=0.5, counts=False)
    adapter: Any = Told(record, none)
    for ending in ("jsonl", "csv", "parquet"):
        assert labels(config, tmp_path / f"o.{ending}", adapter=adapter).notices == ()
    lines = (tmp_path / "o.jsonl").read_text().splitlines()
    boxes = [{"label": "car", "box": [0.0, 0.25, 0.5, 1.0]}, {"label": None, "box": None}]
    assert json.loads(lines[0]) == {
        "item_id": "x",
        "label": None,
        "label_number": None,
        "classes": None,
        "objects": boxes,
        "labelled_by": "ann",
        "labelled_at": "1970-01-01T01:00:00Z",
        "counts": True,
        "stored": [{}],
    }
    table = pq.read_table(tmp_path / "o.parquet").to_pylist()
    with (tmp_path / "o.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert json.loads(table[0]["objects"]) == json.loads(rows[0]["objects"]) == boxes
    assert [row["objects"] for row in rows][1] == table[1]["objects"] == "[]"
    assert [row["counts"] for row in table] == [True, False]


def test_what_a_spreadsheet_would_compute_is_quoted_if_asked(config: Path, tmp_path: Path) -> None:
    config.write_text(config.read_text() + "write: {excel_safe: true}\n")
    adapter: Any = Told(LabelRecord("=1+2", "@a", ("@a",), person="ann", at=1.0))
    labels(config, tmp_path / "o.csv", adapter=adapter)
    with (tmp_path / "o.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["item_id"], row["label"]) == ("'=1+2", "'@a")


@pytest.mark.parametrize("name", ["p.csv", "c.yaml"])
def test_file_that_is_read_is_never_written(config: Path, tmp_path: Path, name: str) -> None:
    before = (tmp_path / name).read_bytes()
    (tmp_path / "link.csv").symlink_to(tmp_path / name)
    for path in ("link.csv", *(["p.csv"] if name == "p.csv" else [])):
        with pytest.raises(ConfigError, match="the file of labels must"):
            labels(config, tmp_path / path)
    assert (tmp_path / name).read_bytes() == before


def test_other_ending_is_refused(config: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must end in one of .jsonl, .csv, .parquet"):
        labels(config, tmp_path / "labels.txt")


def test_votes_are_a_row_each_and_the_label_counts() -> None:
    pool = Pool(
        ["x", "y", "z"], labels=[1, -1, 0], votes=[[0, 1], [0, -1], [-1, -1]], classes=["a", "b"]
    )
    told = [(record.item_id, record.label, record.counts) for record in records_of(pool)]
    assert told == [("x", "a", False), ("x", "b", True), ("y", "a", False), ("z", "a", True)]


def test_labelled_objects_are_marks_and_an_unknown_class_is_empty() -> None:
    boxes = [[0, 0, 0.5, 0.5], [np.nan] * 4]
    truth = Objects([0, 2, 2, 2], [1, 1], class_ids=[1, -1], boxes=boxes)
    pool = Pool(["x", "y", "z"], truth=truth, labelled=[True, True, False], classes=["a", "b"])
    first, second = records_of(pool)
    assert first.objects == (Mark("b", (0.0, 0.0, 0.5, 0.5)), Mark(""))
    assert (second.item_id, second.objects) == ("y", ())


def test_an_item_whose_objects_nobody_looked_at_has_its_own_label() -> None:
    truth = Objects([0, 1, 1, 1], [1.0], class_ids=[1], missing=[False, True, False])
    pool = Pool("xyz", truth=truth, labels=[-1, 0, -1], labelled=[True] * 3, classes=["a", "b"])
    told = [(r.item_id, r.label, r.objects) for r in records_of(pool)]
    assert told == [("x", None, (Mark("b"),)), ("y", "a", None), ("z", None, ())]


def test_item_that_is_labelled_without_a_class_is_named(config: Path, tmp_path: Path) -> None:
    (record,) = records_of(Pool(["x"], labelled=[True]))
    adapter: Any = Told(record)
    *_, notice = labels(config, tmp_path / "o.csv", adapter=adapter).notices
    assert notice.message == "1 item labelled, but the source gives no class."
    assert notice.item_ids == ("x",)


def test_command_says_what_it_wrote(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "labels.csv"
    app(["labels", str(config), str(out)], standalone_mode=False)
    assert capsys.readouterr().out.splitlines()[-1] == f"Wrote 2 labels of 2 items to {out}."
    app(["labels", str(config), str(out), "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out)["labels"] == 2
