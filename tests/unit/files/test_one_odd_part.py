"""One odd box, or one part of a folder that can't be read, never decides for all the others."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from labelnext.errors import InvalidInput
from tests.unit.files.reading import lines, notice, order, read

BOX = [0.1, 0.1, 0.5, 0.5]
#: Fields of an object, a usual value, and odd ones.
FIELDS: list[tuple[str, Any, Any]] = [
    ("box", BOX, [0.1, 0.1, 0.5]),
    ("box", BOX, []),
    ("box", BOX, [*BOX, 0.9]),
    ("embedding", [1.0, 2.0, 3.0], [1.0, 2.0]),
    ("probabilities", [0.5, 0.5], [0.2, 0.3, 0.5]),
]


@pytest.mark.parametrize(("field", "usual", "odd"), FIELDS)
def test_an_object_with_a_list_of_another_length_stays(
    tmp_path: Path, field: str, usual: Any, odd: Any
) -> None:
    scores = [0.5 + n / 100 for n in range(20)]
    items = [
        {"item_id": f"i{n:02d}", "objects": [{"confidence": s, field: odd if n == 3 else usual}]}
        for n, s in enumerate(scores)
    ]
    pool = read(tmp_path, "p.jsonl", lines(items))
    assert pool.objects is not None
    assert pool.objects.confidences.tolist() == scores
    told = notice(pool, "left_out")
    assert told.item_ids == ("i03",)
    assert f"must be {len(usual)} numbers, as elsewhere; got {len(odd)}" in told.message


def test_many_boxes_of_another_length_are_refused(tmp_path: Path) -> None:
    items = [
        {"item_id": f"i{n}", "objects": [{"confidence": 0.5, "box": BOX[: 3 + n % 3 % 2]}]}
        for n in range(9)
    ]
    with pytest.raises(InvalidInput, match="box must have the same length for all items"):
        read(tmp_path, "p.jsonl", lines(items))


def records(part: int) -> list[Any]:
    scores = [0.5 + n / 10 for n in range(4)]
    return [
        {"item_id": f"{part:02d}-{n}", "probabilities": [s, 1 - s]} for n, s in enumerate(scores)
    ]


def outputs(part: int) -> list[Any]:
    return [
        {"id": one["item_id"], "output": [{"label": "cat", "score": one["probabilities"][0]}]}
        for one in records(part)
    ]


def table(part: int) -> str:
    rows = [[one["item_id"], *one["probabilities"]] for one in records(part)]
    return "\n".join(",".join(map(str, row)) for row in [["item_id", "p_a", "p_b"], *rows]) + "\n"


PARTS: dict[str, Any] = {
    "p.jsonl": lambda part: lines(records(part)),
    "p.json": lambda part: json.dumps(records(part)),
    "p.jsonl.gz": lambda part: lines(records(part)),
    "h.jsonl": lambda part: lines(outputs(part)),
    "h.json": lambda part: json.dumps(outputs(part)),
    "p.csv": table,
}


def written(folder: Path, name: str, cut: tuple[int, ...]) -> None:
    for part in range(21):
        data = PARTS[name](part).encode()
        data = gzip.compress(data) if name.endswith("gz") else data
        end = 24 if part in cut else len(data)  # within the first line or the second
        (folder / f"{part:02d}{name[1:]}").write_bytes(data[:end])


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("odd", [0, 5, 20])
def test_a_part_that_is_cut_off_is_left_out_and_named(tmp_path: Path, name: str, odd: int) -> None:
    written(tmp_path, name, (odd,))
    pool = read(tmp_path.parent, tmp_path.name)
    parts = [part for part in range(21) if part != odd]
    assert sorted(order(pool)) == [f"{part:02d}-{n}" for part in parts for n in range(4)]
    assert "Left out 1 of " in notice(pool, "left_out").message
    assert f": {odd:02d}{name[1:]}: " in notice(pool, "left_out").message


@pytest.mark.parametrize("name", PARTS)
def test_parts_that_are_cut_off_are_refused_where_they_are_more_than_a_tenth(
    tmp_path: Path, name: str
) -> None:
    written(tmp_path, name, (3, 5, 7))
    with pytest.raises(InvalidInput, match=f"03{name[1:]}: "):
        read(tmp_path.parent, tmp_path.name)
