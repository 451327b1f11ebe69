"""A class that isn't among those stated decides for its own record alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labelnext import rank
from labelnext.errors import InvalidInput
from tests.unit.files.reading import lines, notice, order, read

CLASSES = ["cat", "dog"]
STRANGE = "a class must be one of cat, dog; got 'cow'"
IDS = [f"i{k}" for k in range(30)]  # by their scores, the least certain first


def _scores(name: str, p: float) -> list[dict[str, Any]]:
    return [{"label": name, "score": p}, {"label": "dog", "score": round(1 - p, 4)}]


def _found(name: str, p: float) -> dict[str, Any]:
    box = {"x": 5, "y": 5, "width": 2, "height": 2}
    return {
        "predictions": [{**box, "confidence": p, "class": name}],
        "image": {"width": 9, "height": 9},
    }


ROWS = [(i, "cat", round(0.55 + k / 100, 2)) for k, i in enumerate(IDS)]
FILES = {
    "scores.jsonl": lambda rows: lines([{"id": i, "out": _scores(n, p)} for i, n, p in rows]),
    "answers.jsonl": lambda rows: lines(
        [{"id": i, "out": [{"label": n, "score": p}]} for i, n, p in rows]
    ),
    "objects.json": lambda rows: json.dumps({i: _found(n, p) for i, n, p in rows}),
    "lines.txt": lambda rows: "".join(
        f"{i} __label__{n} {p} __label__dog {1 - p:.2f}\n" for i, n, p in rows
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_class_that_is_not_stated_costs_its_item_alone(tmp_path: Path, name: str) -> None:
    pool = read(tmp_path, name, FILES[name]([*ROWS, ("z", "cow", 0.99)]), classes=CLASSES)
    ranked = rank(pool, "least_confidence" if pool.objects is None else "mean_object_confidence")
    assert ranked.item_ids.tolist() == IDS
    told = notice(pool, "left_out")
    assert f"item z: {STRANGE}" in told.message
    assert told.item_ids == ("z",)
    with pytest.raises(InvalidInput, match="a class must be one of cat, dog") as caught:
        read(tmp_path, name, FILES[name]([(i, "cow", p) for i, _, p in ROWS]), classes=CLASSES)
    assert caught.value.hint == "set source.classes to all names, or leave it out."


def test_one_strange_object_leaves_the_others_of_its_image(tmp_path: Path) -> None:
    found = {i: _found(n, p) for i, n, p in ROWS}
    found["i3"]["predictions"].append({**found["i3"]["predictions"][0], "class": "cow"})
    pool = read(tmp_path, "p.json", found, classes=CLASSES)
    assert pool.objects is not None
    assert pool.objects.counts.tolist() == [1] * 30
    assert f"item i3: {STRANGE}" in notice(pool, "left_out").message


def test_a_strange_label_still_labels_its_item(tmp_path: Path) -> None:
    records = [{"id": i, "out": _scores(n, p), "label": "cat" if k < 20 else None}
               for k, (i, n, p) in enumerate(ROWS)]  # fmt: skip
    records[0]["label"] = "cow"
    pool = read(tmp_path, "p.jsonl", lines(records), classes=CLASSES)
    assert pool.labelled.tolist() == [True] * 20 + [False] * 10
    assert order(pool) == IDS[20:]
    assert notice(pool, "left_out").message == (
        f"Left out 1 of 20 values of label, but not the items: item i0: {STRANGE}."
    )


def test_many_strange_labels_are_refused_with_the_same_cure(tmp_path: Path) -> None:
    records = [{"id": i, "out": _scores(n, p), "label": "cow"} for i, n, p in ROWS]
    with pytest.raises(InvalidInput, match="30 values of label: item i0") as caught:
        read(tmp_path, "p.jsonl", lines(records), classes=CLASSES)
    assert caught.value.hint == "set source.classes to all names, or leave it out."
