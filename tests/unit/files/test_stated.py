"""Confidences that a language model states, wherever its answer stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput
from labelnext.ranking import rank

STATED = [("a", "spam", 0.75), ("b", "ham", "40%"), ("c", "ham", 0.5)]


@pytest.mark.parametrize(
    "key",
    ["label", "answer", "prediction", "verdict", "output", "response", "completion", "result",
     "text", "content", "reply", "generated_text", "model_output", "raw_output"],
)  # fmt: skip
@pytest.mark.parametrize("form", ["object", "json", "fence"])
def test_a_stated_confidence_is_read_wherever_it_stands(
    tmp_path: Path, key: str, form: str
) -> None:
    records = []
    for item, label, sure in STATED:
        told: Any = {"label": label, "confidence": sure}
        if form != "object":
            told = json.dumps(told)
        records.append({"id": item, key: f"```json\n{told}\n```" if form == "fence" else told})
    (tmp_path / "o.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    pool = open_adapter("files", directory=tmp_path, path="o.jsonl").read()  # type: ignore[attr-defined]  # of the files adapter
    assert rank(pool).item_ids.tolist() == ["b", "c", "a"]


def test_where_no_answer_is_the_keys_that_are_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "o.jsonl").write_text('{"id": "a", "told": "spam"}\n')
    adapter = open_adapter("files", directory=tmp_path, path="o.jsonl", format="llm")
    with pytest.raises(InvalidInput, match="it has no answer of a model") as caught:
        adapter.read()  # type: ignore[attr-defined]  # of the files adapter
    assert "source.answer_key" in (caught.value.hint or "")
    assert "label, class, category" in (caught.value.hint or "")
