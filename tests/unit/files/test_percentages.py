"""Percentages with their sign, also beside fractions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelnext import rank
from tests.unit.files.reading import lines, notice, order, read

MIXED: list[tuple[str, Any]] = [("a", "90%"), ("b", 0.6), ("c", "75 %"), ("d", 1e-05)]
IN_ORDER = ["d", "b", "c", "a"]


@pytest.mark.parametrize("name", ["p.jsonl", "p.json", "p.csv"])
def test_fractions_beside_percentages_are_fractions(tmp_path: Path, name: str) -> None:
    records = [{"id": i, "prediction": "cat", "confidence": p} for i, p in MIXED]
    table = "id,prediction,confidence\n" + "".join(f"{i},cat,{p}\n" for i, p in MIXED)
    content: dict[str, Any] = {"p.jsonl": lines(records), "p.json": records, "p.csv": table}
    pool = read(tmp_path, name, content[name])
    assert order(pool) == IN_ORDER
    assert notice(pool, "layout").message == "Read confidence as percentages."


@pytest.mark.parametrize(("scale", "unit"), [("fraction", 100), ("percent", 1)])
def test_one_percentage_among_many_numbers_is_one(tmp_path: Path, scale: str, unit: int) -> None:
    rows = [f"k{n:02d},{(50 + n) / unit:g},{(50 - n) / unit:g}" for n in range(1, 21)]
    text = "\n".join(["id,cat,dog", "a,90%,10%", *rows])
    pool = read(tmp_path, "p.csv", text, scale=scale)
    assert order(pool) == [*(f"k{n:02d}" for n in range(1, 21)), "a"]
    assert pool.mean_probabilities[0].tolist() == pytest.approx([0.9, 0.1])


def test_a_number_above_one_beside_percentages_is_left_out(tmp_path: Path) -> None:
    rows = [f"k{n:02d},cat,{50 + n}%" for n in range(20)]
    pool = read(tmp_path, "p.csv", "\n".join(["id,prediction,confidence", "z,cat,60", *rows]))
    assert "z" not in order(pool)
    assert "line 2: confidence must be a percentage; got '60'" in notice(pool, "left_out").message


def test_a_text_that_ends_with_a_percentage_stays_text(tmp_path: Path) -> None:
    rows = ["a,cat,0.9,up 5%", "b,cat,0.6,less", "c,cat,0.75,100%"]
    pool = read(tmp_path, "p.csv", "\n".join(["id,prediction,confidence,text", *rows]))
    assert order(pool) == ["b", "c", "a"]
    assert not [one for one in pool.notices if "percentages" in one.message]


def test_percentages_of_tools_are_read(tmp_path: Path) -> None:
    scores = {"a": "90%", "b": "60 %", "c": 0.75}
    outputs = [
        {"id": i, "output": [{"label": "cat", "score": p}, {"label": "dog", "score": 0}]}
        for i, p in scores.items()
    ]
    assert order(read(tmp_path, "o.json", outputs)) == ["b", "c", "a"]
    records = [
        {"image_id": i, "category_id": 1, "bbox": [1, 1, 2, 2], "score": p}
        for i, p in scores.items()
    ]
    pool = read(tmp_path, "r.json", records)
    assert rank(pool, "mean_object_confidence").item_ids.tolist() == ["b", "c", "a"]
