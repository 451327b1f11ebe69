"""An object from an item to what is said of it on each line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.files.reading import lines, notice, order, read

SCORES = {f"i{n:02d}": round(0.51 + n / 50, 2) for n in range(20)}
IN_ORDER = list(SCORES)


def mapping(p: float) -> Any:
    return {"cat": p, "dog": round(1 - p, 2)}


def vector(p: float) -> Any:
    return [p, round(1 - p, 2)]


def answer(p: float) -> Any:
    return {"prediction": "cat", "confidence": p}


@pytest.mark.parametrize("value", [mapping, vector, answer])
@pytest.mark.parametrize("name", ["p.jsonl", "p.json"])
def test_the_keys_are_the_ids(tmp_path: Path, value: Any, name: str) -> None:
    records = [{item: value(p)} for item, p in SCORES.items()]
    assert order(read(tmp_path, name, lines(records))) == IN_ORDER
    assert order(read(tmp_path, "list.json", records)) == IN_ORDER


def test_a_line_may_hold_several_items(tmp_path: Path) -> None:
    items = [*SCORES.items()]
    pairs = [{i: mapping(p) for i, p in items[n : n + 2]} for n in range(0, 20, 2)]
    assert order(read(tmp_path, "p.jsonl", lines(pairs))) == IN_ORDER


def test_a_copy_costs_nothing_and_another_value_its_item(tmp_path: Path) -> None:
    records = [{item: mapping(p)} for item, p in SCORES.items()]
    assert order(read(tmp_path, "p.jsonl", lines([*records, records[3]]))) == IN_ORDER
    pool = read(tmp_path, "p.jsonl", lines([*records, {"i03": mapping(0.99)}]))
    assert order(pool) == [item for item in IN_ORDER if item != "i03"]
    assert "'i03'" in notice(pool, "left_out").message


@pytest.mark.parametrize("odd", ['{"error": "out of memory"}', '{"i99": {"ca', "[1]"])
def test_a_line_of_another_form_is_counted(tmp_path: Path, odd: str) -> None:
    records = [json.dumps({item: mapping(p)}) for item, p in SCORES.items()]
    pool = read(tmp_path, "p.jsonl", "\n".join([*records, odd, ""]))
    assert order(pool) == IN_ORDER
    assert "Left out 1 of 21 records: record 21" in notice(pool, "left_out").message


def test_lines_with_the_same_keys_are_no_objects_by_item(tmp_path: Path) -> None:
    records = [{"item_id": item, "probabilities": mapping(p)} for item, p in SCORES.items()]
    assert order(read(tmp_path, "p.jsonl", lines(records))) == IN_ORDER
