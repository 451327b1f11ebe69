"""Ids that JSON writes as floats are the texts that stand there."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelnext.errors import InvalidInput
from tests.unit.files.reading import notice, order, read

RECORDS = [
    '{"item_id": 1.0, "cat": 0.9, "dog": 0.1}',
    '{"item_id":1.10, "cat": 0.6, "dog": 0.4}',
    '{"cat": 0.7, "dog": 0.3, "item_id" : 1e3}',
    '{"item_id": -2, "cat": 0.75, "dog": 0.25, "note": "\\"item_id\\": 1.5, "}',
]
IN_ORDER = ["1.10", "1e3", "-2", "1.0"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.jsonl", "\n".join(RECORDS)),
        ("p.json", f"[{', '.join(RECORDS)}]"),
        ("p.json", f'{{"model": "m", "predictions": [{", ".join(RECORDS)}]}}'),
    ],
)
def test_ids_are_as_they_are_written(tmp_path: Path, name: str, text: str) -> None:
    assert order(read(tmp_path, name, text)) == IN_ORDER


def test_ids_that_are_written_differently_are_different(tmp_path: Path) -> None:
    records = [RECORDS[0], RECORDS[1].replace("1.10", "1"), RECORDS[2].replace("1e3", '"1.00"')]
    assert order(read(tmp_path, "p.jsonl", "\n".join(records))) == ["1", "1.00", "1.0"]


@pytest.mark.parametrize("odd", ["true", "[1.0]", "NaN"])
def test_what_is_no_number_is_no_id(tmp_path: Path, odd: str) -> None:
    records = [*RECORDS, f'{{"item_id": {odd}, "cat": 0.5, "dog": 0.5}}']
    with pytest.raises(InvalidInput, match="can't use 1 of 5 records: line 5"):
        read(tmp_path, "p.jsonl", "\n".join(records))


@pytest.mark.parametrize("name", ["p.jsonl", "p.json"])
@pytest.mark.parametrize("odd", ["NaN", "Infinity"])
def test_what_is_no_number_makes_no_others_floats(tmp_path: Path, name: str, odd: str) -> None:
    ids = [*map(str, range(20)), odd]
    records = [f'{{"item_id": {one}, "cat": 0.75, "dog": 0.25}}' for one in ids]
    text = "\n".join(records) if name == "p.jsonl" else f"[{', '.join(records)}]"
    pool = read(tmp_path, name, text)
    assert pool.item_ids.tolist() == ids[:-1]
    assert "21: item_id must be text or a whole number" in notice(pool, "left_out").message
    assert not [one for one in pool.notices if one.code == "ids"]


OUTPUTS = [
    '{"id": 1.10, "predictions": [{"label": "cat", "score": 0.9}, {"label": "dog", "score": 0.1}]}',
    '{"id": 1e3, "predictions": [{"label": "cat", "score": 0.6}, {"label": "dog", "score": 0.4}]}',
    '{"id": 7, "predictions": [{"label": "cat", "score": 0.7}, {"label": "dog", "score": 0.3}]}',
]
REPLIES = [
    '{"id": 1.10, "content": "{\\"id\\": 2.0, \\"label\\": \\"cat\\", \\"confidence\\": 0.9}"}',
    '{"id": 1e3, "content": "{\\"label\\": \\"dog\\", \\"confidence\\": 0.6}"}',
    '{"id": 7, "content": "{\\"label\\": \\"dog\\", \\"confidence\\": 0.7}"}',
]


@pytest.mark.parametrize("records", [OUTPUTS, REPLIES])
@pytest.mark.parametrize("key", [None, "id", "number"])
def test_ids_of_outputs_and_replies_are_as_they_are_written(
    tmp_path: Path, records: list[str], key: str | None
) -> None:
    named = [one.replace('"id": ', f'"{key or "id"}": ', 1) for one in records]
    options = {} if key is None else {"key": key}
    assert order(read(tmp_path, "p.jsonl", "\n".join(named), **options)) == ["1e3", "7", "1.10"]
    assert order(read(tmp_path, "p.json", f"[{', '.join(named)}]", **options)) == [
        "1e3", "7", "1.10",
    ]  # fmt: skip


def test_ids_of_a_folder_of_lists_are_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    for n, record in enumerate(RECORDS):
        (tmp_path / "f" / f"{n}.json").write_text(f"[{record.replace('item_id', 'photo')}]")
    assert order(read(tmp_path, "f", key="photo")) == IN_ORDER
