"""JSON lines and COCO results, read a block at a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter import open_adapter
from labelnext_adapters.files.content import content
from labelnext_adapters.files.json.columns import table_of_lines
from labelnext_adapters.files.json.records import table_of_records
from labelnext_adapters.files.json.roles import Roles

RECORDS: list[list[dict[str, Any]]] = [
    [{"item_id": "007", "p": [0.25, 0.75]}, {"item_id": "1e5", "p": [1, 0.0]}],
    [{"item_id": "2020-01-02", "p": None}, {"item_id": "1", "p": [None, 0.5]}],
    [{"item_id": 1, "p": {"cat": 0.5, "a dog": None}}, {"item_id": 2, "p": None}],
    [{"item_id": "a", "o": [{"class": "x", "box": [1.5, 2.0]}, {"class": None}]}, {"item_id": "b"}],
    [{"item_id": "a", "o": [], "n": None}, {"item_id": "b", "o": [], "n": None}],
    [{"item_id": "ä\n\u2028", "t": True}, {"item_id": "b", "t": None}],
]


def lines(path: Path, records: list[Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


class _Ids(Roles):
    def is_text(self, name: str) -> bool:
        return name == "item_id"


@pytest.mark.parametrize("name", ['a "b"', "a\\b", "a\nb", ""])
def test_any_name_of_a_key_is_read(tmp_path: Path, name: str) -> None:
    records = [{"item_id": i, "probabilities": {name: 0.5, "b": 0.5}} for i in "ab"]
    lines(tmp_path / "a.jsonl", records)
    pool = open_adapter("files", directory=tmp_path, path="a.jsonl").read()
    assert pool.classes == (name, "b")


@pytest.mark.parametrize("records", RECORDS)
def test_columns_hold_what_a_reader_of_single_records_finds(
    tmp_path: Path, records: list[dict[str, Any]]
) -> None:
    table = table_of_lines(lines(tmp_path / "a.jsonl", records))
    placed = [(f"line {n}", record) for n, record in enumerate(records, 1)]
    careful = table_of_records(placed, _Ids())[0]
    assert table is not None
    assert table.to_pylist() == careful.to_pylist()


@pytest.mark.parametrize(
    "odd",
    ['{"item_id": 1}', '{"item_id": "a", "more": 1}', '{"item_id":\n"a"}', "", "?", "[1]", "{} {}"],
)
def test_lines_of_other_types_are_left_to_the_reader_of_single_records(
    tmp_path: Path, odd: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"item_id": "x"}\n' * 250 + odd + "\n" + '{"item_id": "y"}\n')
    assert table_of_lines(path) is None


def test_a_record_of_two_lines_isn_t_made_up_for_by_a_line_of_two_records(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"item_id": "x"}\n' * 250 + '{"item_id":\n"a"}\n{"item_id": "b"} {"item_id": "c"}\n'
    )
    assert table_of_lines(path) is None


def test_lines_may_end_as_on_windows(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"item_id": "x"}\r\n{"item_id": "y"}\r\n')
    table = table_of_lines(path)
    assert table is not None
    assert table.to_pydict() == {"item_id": ["x", "y"]}


def test_blocks_may_end_anywhere_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = lines(tmp_path / "a.jsonl", [{"item_id": str(i), "p": [i, 0.5]} for i in range(50)])
    whole = table_of_lines(path)
    for size in (7, 40, 64):
        monkeypatch.setattr(content, "_BLOCK", size)
        assert table_of_lines(path) == whole
    assert whole is not None
    assert whole.column("p").to_pylist()[49] == [49, 0.5]


@pytest.mark.parametrize("size", [64, 150, 1 << 18])
def test_coco_results_are_the_same_in_blocks_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    # the ids look like the end of a record; one record in thirty can't be used
    results = [
        {"image_id": f"}}, {{{i % 3}", "score": "?" if i == 17 else i / 100, "bbox": [i, 0, 10, 10]}
        for i in range(30)
    ]
    (tmp_path / "results.json").write_text(json.dumps(results))
    images = [{"id": f"}}, {{{i}", "width": 100, "height": 10} for i in range(3)]
    (tmp_path / "images.json").write_text(json.dumps({"images": images}))
    monkeypatch.setattr(content, "_BLOCK", size)
    where = {"path": tmp_path / "results.json", "images": tmp_path / "images.json"}
    pool = open_adapter("files", **where).read()  # type: ignore[attr-defined]
    objects = pool.newest_objects
    assert objects.counts.tolist() == [10, 10, 9]
    assert objects.confidences[-2:].tolist() == [0.26, 0.29]
    assert objects.boxes[-1].tolist() == [0.29, 0, 0.39, 1]
    told = [notice.message for notice in pool.notices if notice.code == "left_out"]
    assert told == [
        "Left out 1 of 30 detections: record 18 (item }, {2): score must be a number; got '?'."
    ]


@pytest.mark.parametrize("block", [40, 1 << 18])
def test_a_coco_record_has_its_number_in_the_file_after_odd_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    images = {"images": [{"id": 1, "width": 10, "height": 10}]}
    (tmp_path / "images.json").write_text(json.dumps(images))
    records: list[Any] = [{"image_id": 1, "score": 0.5, "bbox": [1, 1, 2, 2]} for _ in range(40)]
    records[2] = {"image_id": 1}
    records[4]["bbox"] = [1, 1, -2, 2]
    records[5] = {"image_id": 1, "score": "?"}
    records[20]["image_id"] = 7
    records[30]["bbox"] = []
    (tmp_path / "results.json").write_text(json.dumps(records))
    monkeypatch.setattr(content, "_BLOCK", block)
    adapter = open_adapter("files", directory=tmp_path, path="results.json", images="images.json")
    told = " ".join(notice.message for notice in adapter.read().notices)
    assert "Left out 3 of 40 detections: record 3 " in told
    assert "record 6 (item 1): score must be a number; got '?'; record 21 (item 7)" in told
    assert "Left out 2 boxes" in told
    assert "record 5 (image 1" in told
    assert "record 31 (image 1" in told


@pytest.mark.parametrize("length", [2, 1500])
def test_a_list_of_another_length_far_below_the_first_lines_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    records = [{"item_id": str(i), "p": [i / 2] * length} for i in range(400)]
    records[300]["p"] = [0.25, None, 1]
    records[301]["p"] = None
    monkeypatch.setattr(content, "_BLOCK", 1000)
    table = table_of_lines(lines(tmp_path / "a.jsonl", records))
    assert table is not None
    assert table.to_pylist() == records
