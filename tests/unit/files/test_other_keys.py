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
