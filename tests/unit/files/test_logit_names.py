"""Scores that are logits by their names are asked about, though their values may sum to 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext.errors import InvalidInput
from tests.unit.files.reading import lines, read

ROWS = {"a": (0.2, 0.8), "b": (0.6, 0.4), "c": (0.5, 0.5)}


def table(*names: str) -> str:
    return "\n".join(
        [",".join(("item_id", *names)), *(f"{i},{x},{y}" for i, (x, y) in ROWS.items())]
    )


LONG = "\n".join(f"{i},cat,{x}\n{i},dog,{y}" for i, (x, y) in ROWS.items())
FILES: dict[str, tuple[str, Any]] = {
    "before": ("p.csv", table("logit_cat", "logit_dog")),
    "after": ("p.csv", table("cat_logits", "dog_logits")),
    "around": ("p.csv", table("logit(cat)", "logit(dog)")),
    "numbered": ("p.csv", table("pred_logits_0", "pred_logits_1")),
    "long": ("p.csv", f"item_id,class,logit\n{LONG}"),
    "nested": ("p.jsonl", lines([{"item_id": i, "logits": row} for i, row in ROWS.items()])),
}


@pytest.mark.parametrize("kind", FILES)
def test_logits_by_name_are_asked_about(tmp_path: Path, kind: str) -> None:
    name, content = FILES[kind]
    with pytest.raises(InvalidInput, match="which are logits by") as error:
        read(tmp_path, name, content)
    assert "softmax" in (error.value.hint or "")
    assert "sigmoid" in (error.value.hint or "")


@pytest.mark.parametrize("kind", FILES)
def test_an_answer_to_the_question_is_taken(tmp_path: Path, kind: str) -> None:
    name, content = FILES[kind]
    by_hand = 1 / (1 + np.exp(0.6))  # softmax of 0.2 and 0.8
    for logits, first in (("softmax", [by_hand, 1 - by_hand]), (False, [0.2, 0.8])):
        pool = read(tmp_path, name, content, logits=logits)
        assert pool.probabilities is not None
        np.testing.assert_allclose(pool.probabilities[0], first, rtol=1e-6)


def test_an_array_that_is_called_logits_is_asked_about(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", item_ids=[*ROWS], logits=np.array([*ROWS.values()]))
    with pytest.raises(InvalidInput, match="column 'logits', which are logits by its name"):
        read(tmp_path, "p.npz")


def test_probabilities_beside_logits_need_no_answer(tmp_path: Path) -> None:
    head = "item_id,logit_cat,logit_dog,prob_cat,prob_dog"
    rows = [f"{i},{x},{y},{y},{x}" for i, (x, y) in ROWS.items()]
    pool = read(tmp_path, "p.csv", "\n".join([head, *rows]))
    assert pool.probabilities is not None
    np.testing.assert_allclose(pool.probabilities[0], [0.8, 0.2])
