"""Numbers as texts with decimal commas, in JSON, in XML and in what language models answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labelnext_adapters.files.content.values import with_point
from tests.unit.files.reading import lines, order, read

RECORDS: dict[str, Any] = {
    "probabilities": lambda p, q: {"cat": p, "dog": q},
    "confidence": lambda p, q: p,
    "response": lambda p, q: json.dumps({"label": "cat", "confidence": p}),
    "predictions": lambda p, q: [{"label": "cat", "score": p}, {"label": "dog", "score": q}],
}


@pytest.mark.parametrize("key", RECORDS)
def test_texts_with_decimal_commas_are_numbers(tmp_path: Path, key: str) -> None:
    said = {"a": ("0,9", "0,1"), "b": ("0,6", "0,4"), "c": ("0,75", "0,25")}
    records = [{"item_id": item, key: RECORDS[key](*pair)} for item, pair in said.items()]
    assert order(read(tmp_path, "p.jsonl", lines(records))) == ["b", "c", "a"]


def test_scores_of_cvat_with_decimal_commas(tmp_path: Path) -> None:
    tag = '<tag label="x"><attribute name="score">{}</attribute></tag>'
    tag = f'<image id="0" name="{{}}">{tag}</image>'
    images = tag.format("a.jpg", "0,9") + tag.format("b.jpg", "0,3")
    text = f"<annotations><version>1.1</version>{images}</annotations>"
    assert order(read(tmp_path, "annotations.xml", text)) == ["b.jpg", "a.jpg"]


@pytest.mark.parametrize("text", ["1,000", "12,345", "cat,1", "1,2,3", "0,5 0,5"])
def test_thousands_and_lists_are_no_decimal_commas(text: str) -> None:
    assert with_point(text) == text
