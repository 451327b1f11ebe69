"""Records whose predictions stand under another key than those of most: they are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.files.reading import lines, notice, order, read

SCORES = {"cat": 0.9, "dog": 0.1}
THING = {"confidence": 0.5, "class": "x"}
MIXED: list[tuple[str, Any, str, Any]] = [
    ("probabilities", SCORES, "probs", SCORES),
    ("objects", [THING], "detections", [THING]),
    ("confidence", 0.5, "score", 0.5),
]


@pytest.mark.parametrize(("key", "value", "other", "others"), MIXED)
def test_the_key_and_the_items_are_named(
    tmp_path: Path, key: str, value: Any, other: str, others: Any
) -> None:
    records = [{"item_id": f"i{n}", key: value} for n in range(5)]
    pool = read(tmp_path, "p.jsonl", lines([*records, {"item_id": "odd", other: others}]))
    assert "odd" not in order(pool)
    told = notice(pool, "not_read")
    assert told.message.startswith(f"1 item without a prediction, but with {other}, which wasn't")
    assert told.item_ids == ("odd",)


def test_flat_scores_beside_nested_ones_are_named(tmp_path: Path) -> None:
    records = [{"item_id": f"i{n}", "probabilities": SCORES} for n in range(5)]
    pool = read(tmp_path, "p.jsonl", lines([*records, {"item_id": "odd", **SCORES}]))
    assert "but with cat, dog, which" in notice(pool, "not_read").message


def test_what_all_records_have_beside_their_predictions_is_no_prediction(tmp_path: Path) -> None:
    records = [
        {"item_id": f"i{n}", "probabilities": SCORES if n else None, "milliseconds": n}
        for n in range(5)
    ]
    pool = read(tmp_path, "p.jsonl", lines(records))
    assert not [one for one in pool.notices if one.code == "not_read"]


@pytest.mark.parametrize(
    ("beside", "named"),
    [
        ({"prediction": "cat", "confidence": 0.51}, "confidence"),
        ({"logits": [2.0, 1.0]}, "logits"),
        ({"model": {"cat": 0.75, "dog": 0.25}}, "model"),
        ({"found": [{"label": "cat", "score": 0.5}]}, "found"),
        ({"size": [640, 480], "probs": SCORES}, "probs"),
    ],
)
def test_any_other_prediction_is_named(tmp_path: Path, beside: dict[str, Any], named: str) -> None:
    records = [{"item_id": f"i{n}", "probabilities": SCORES} for n in range(20)]
    pool = read(tmp_path, "p.jsonl", lines([*records, {"item_id": "odd", **beside}]))
    assert f"but with {named}, which" in notice(pool, "not_read").message


@pytest.mark.parametrize(
    "beside",
    [
        {"size": [640, 480]},
        {"meta": {"width": 640, "height": 480}},
        {"seconds": 0.7},
        {"lat": 48.1, "lon": 11.6},
        {"tags": ["new"]},
        {"label": "cat", "embedding": [0.1, 0.9]},
    ],
)
def test_what_an_item_without_a_prediction_has_beside_is_no_prediction(
    tmp_path: Path, beside: dict[str, Any]
) -> None:
    records = [{"item_id": f"i{n}", "probabilities": SCORES} for n in range(20)]
    pool = read(tmp_path, "p.jsonl", lines([*records, {"item_id": "new", **beside}]))
    assert not [one for one in pool.notices if one.code == "not_read"]
