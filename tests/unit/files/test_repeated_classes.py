"""Rows of classes in which items name a class more than once: slips, several models, objects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext import rank
from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from tests.unit.files.reading import notice, read

CLASSES = ("cat", "dog", "fox")
SCORES = np.random.default_rng(5).dirichlet([1, 1, 1], 60).round(3)
IDS = [f"i{k}" for k in range(60)]
ROWS = [
    (i, c, v)
    for i, row in zip(IDS, SCORES.tolist(), strict=True)
    for c, v in zip(CLASSES, row, strict=True)
]


def table(
    folder: Path, rows: Sequence[Sequence[Any]], header: str = "image,class,confidence"
) -> Pool:
    text = "\n".join([header, *(",".join(map(str, row)) for row in rows)])
    return read(folder, "p.csv", f"{text}\n")


def by_margin(but: Sequence[str] = ()) -> list[str]:
    """Smallest gap between the two likeliest classes first."""
    likely = np.sort(SCORES / SCORES.sum(axis=1, keepdims=True), axis=1)
    gaps = likely[:, -1] - likely[:, -2]
    return [i for _, i in sorted(zip(gaps.tolist(), IDS, strict=True)) if i not in but]


def test_a_class_named_twice_leaves_its_item_without_a_score(tmp_path: Path) -> None:
    pool = table(tmp_path, [*ROWS, ("i5", "cat", 0.3)])
    assert rank(pool, "margin").item_ids.tolist() == by_margin(["i5"])
    assert notice(pool, "left_out").message == (
        "Left out 1 of 60 values of confidence, but not the items: line 17: its item names 'cat' "
        "more than once."
    )


def test_so_do_records_of_json(tmp_path: Path) -> None:
    records: list[Any] = [
        {"id": i, "scores": [{"label": c, "score": v} for c, v in zip(CLASSES, row, strict=True)]}
        for i, row in zip(IDS, SCORES.tolist(), strict=True)
    ]
    records[5]["scores"].append({"label": "cat", "score": 0.3})
    pool = read(tmp_path, "p.json", records)
    assert rank(pool, "margin").item_ids.tolist() == by_margin(["i5"])


def test_detections_without_boxes_stay_objects(tmp_path: Path) -> None:
    rows = [("a", "cat", 0.9), ("a", "cat", 0.8), ("b", "dog", 0.4), ("c", "dog", 0.7)]
    pool = table(tmp_path, rows)
    assert pool.objects is not None
    assert rank(pool, "mean_object_confidence").item_ids.tolist() == ["b", "c", "a"]  # a: 0.85
    many = [(f"{i}{k}", c, v) for k in range(20) for i, c, v in rows if i != "a"]
    assert table(tmp_path, [*many, *rows[:2]]).objects is not None  # no item shows what rows are


def test_objects_with_sums_above_one_are_no_class_scores(tmp_path: Path) -> None:
    several = [(f"i{k}", c, 0.8) for k in range(30) for c in ("cat", "dog")]
    assert table(tmp_path, [*several, ("i3", "cat", 0.7)]).objects is not None


@pytest.mark.parametrize("header", ["model", "epoch", "Fold", "model_version", "checkpoint"])
def test_rows_of_several_models_are_asked_about(tmp_path: Path, header: str) -> None:
    rows = [(i, m, c, v) for m in (1, 2) for i, c, v in ROWS]
    with pytest.raises(InvalidInput, match=rf"one model; '{header}' tells several apart: 1, 2\."):
        table(tmp_path, rows, f"image,{header},class,confidence")
    boxed = [(*row, 0.1, 0.1, 0.2, 0.2) for row in rows]
    with pytest.raises(InvalidInput, match="must have rows of one model"):
        table(tmp_path, boxed, f"image,{header},class,confidence,x1,y1,x2,y2")
    wide = [(i, m, *row) for m in (1, 2) for i, row in zip(IDS, SCORES, strict=True)]
    with pytest.raises(InvalidInput, match="must have rows of one model"):
        table(tmp_path, wide, f"image,{header},cat,dog,fox")


def test_a_model_that_is_the_same_for_each_item_says_nothing(tmp_path: Path) -> None:
    folds = [(i, int(i[1:]) % 5, c, v) for i, c, v in ROWS]
    pool = table(tmp_path, folds, "image,fold,class,confidence")
    assert rank(pool, "margin").item_ids.tolist() == by_margin()


def test_passes_without_a_column_that_tells_them_are_refused(tmp_path: Path) -> None:
    other = [(i, c, round((v + 1 / 3) / 2, 4)) for i, c, v in ROWS]
    with pytest.raises(InvalidInput, match=r"name each class once; most name each of theirs 2"):
        table(tmp_path, [*ROWS, *other])


@pytest.mark.parametrize("header", ["id,variable,value", "id,,0", "file,tag,value", "image,term,w"])
def test_rows_of_classes_need_no_usual_names_where_scores_sum_to_one(
    tmp_path: Path, header: str
) -> None:
    pool = table(tmp_path, ROWS, header)  # as of pandas' melt() and stack()
    assert rank(pool, "margin").item_ids.tolist() == by_margin()
    assert pool.classes == CLASSES


def test_one_missing_number_does_not_decide_how_rows_are_read(tmp_path: Path) -> None:
    rows = [(i, c, "" if (i, c) == (IDS[0], CLASSES[0]) else v) for i, c, v in ROWS]
    pool = table(tmp_path, rows, "id,variable,value")
    assert rank(pool, "margin").item_ids.tolist() == [i for i in by_margin() if i != IDS[0]]
    assert any(f"without all probabilities: {IDS[0]}" in n.message for n in pool.notices)


def test_rows_of_other_numbers_are_asked_about(tmp_path: Path) -> None:
    rows = [(i, name, value) for i in IDS for name, value in (("width", 0.5), ("area", 0.75))]
    with pytest.raises(InvalidInput, match="a class and a confidence on each row") as caught:
        table(tmp_path, rows, "id,variable,value")
    assert "{label: …}" in str(caught.value.hint)
