"""Messages are one line, and every message cuts a long wrong value short."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from labelnext import Objects, Pool, rank, review
from labelnext.config import load_config
from labelnext.errors import InvalidInput, LabelnextError, shown, unknown

POOL = Pool(["a", "b"], probabilities=[[0.5, 0.5], [0.9, 0.1]])


class Silent:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", "''"),
        (np.zeros((2, 2)), "array([[0., 0.], [0., 0.]])"),
        ("é" * 200, f"'{'é' * 96}..."),
        (-(10**5000), "a number of more than 4,300 digits"),
        ([10**5000], "list that can't be shown (ValueError)"),
        (Silent(), "Silent that can't be shown (RuntimeError)"),
    ],
    ids=["empty", "array", "long", "digits", "inner digits", "silent"],
)
def test_shown_is_one_short_line(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("got", "kept"),
    [
        (f"'{'x' * 5000}', which is none", f"'{'x' * 296}..., which is none"),
        (f"'{'x' * 50}' of {'y' * 500}", f"'{'x' * 50}' of {'y' * 500}"),
        (f'"{"it" * 500}" in row 3', f'"{"it" * 148}... in row 3'),
        (f"'{'a b; got c. ' * 50}' again", f"'{('a b; got c. ' * 50)[:296]}... again"),
        (f"'{'x' * 5000}", f"'{'x' * 296}..."),
        (f"{'9' * 5000}", f"{'9' * 297}..."),
        (f"['{'x' * 5000}', 'y'] for item {'i' * 400}", f"['{'x' * 295}... for item {'i' * 400}"),
        ("", ""),
    ],
    ids=["text", "short", "double", "sentence", "open", "digits", "list", "nothing"],
)
def test_an_error_cuts_a_long_wrong_value_and_keeps_what_follows(got: str, kept: str) -> None:
    assert LabelnextError(f"k must be text; got {got}.").message == f"k must be text; got {kept}."


def test_an_error_is_one_line_and_long_lists_of_ids_stay() -> None:
    assert LabelnextError("a\nb\n  c").message == "a b c"
    ids = ", ".join(f"id-{number}" for number in range(200))
    assert LabelnextError(f"ids must differ; got {ids}").message == f"ids must differ; got {ids}"


def test_an_unknown_name_is_cut() -> None:
    error = unknown("name", "x" * 5000, ["a", "b"])
    assert error.message == f"name must be one of a, b; got '{'x' * 76}...."


HUGE = 10**5000


@pytest.mark.parametrize(
    "call",
    [
        lambda: rank(POOL, "margin", budget=HUGE),
        lambda: rank(POOL, "margin", seed=HUGE),
        lambda: rank(POOL, HUGE),  # type: ignore[arg-type]
        lambda: rank(POOL, "margin", selection=HUGE),  # type: ignore[arg-type]
        lambda: rank(POOL, "margin", reduce=HUGE),
        lambda: rank(POOL, "margin", k=HUGE),
        lambda: rank(POOL, "margin", of=HUGE),  # type: ignore[arg-type]
        lambda: review(POOL, score=HUGE),  # type: ignore[arg-type]
        lambda: review(None),  # type: ignore[arg-type]
        lambda: Pool(HUGE),  # type: ignore[arg-type]
        lambda: Pool(["a"], costs=HUGE),
        lambda: Pool(["a"], classes=HUGE),  # type: ignore[arg-type]
        lambda: Pool(["a"], probabilities=[[1.0]], versions=HUGE),  # type: ignore[arg-type]
        lambda: Objects([], ["x"]),
        lambda: load_config(HUGE),  # type: ignore[arg-type]
    ],
)
def test_huge_numbers_and_foreign_types_are_refused_in_a_line(call: Any) -> None:
    with pytest.raises(LabelnextError) as raised:
        call()
    assert len(str(raised.value)) < 600


def test_an_object_of_numpy_stays_one_line() -> None:
    with pytest.raises(InvalidInput, match=r"budget must be .*got array\(\[\[0\., 0\.\], \[0"):
        rank(POOL, "margin", budget=np.zeros((2, 2)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [
        {"dedupe": 0.9, "budget": 1},
        {"similar_to": {"city": "Oslo"}},
        {"quota": "uniform", "quota_of": "city", "budget": 1},
        {"quota": "uniform"},
        {"per_cost": True},
        {"selection": "typiclust"},
        {"selection": "uncertainty_herding", "doubt": "embeddings"},
        {"class_weights": "counts"},
    ],
)
def test_hints_in_python_say_first_what_a_pool_needs(options: dict[str, Any]) -> None:
    pool = Pool(["a", "b"])
    if "selection" not in options:
        pool = Pool(["a", "b"], probabilities=[[0.5, 0.5], [0.6, 0.4]])
    with pytest.raises(LabelnextError) as wrong:
        rank(pool, None if options.get("selection") == "typiclust" else "margin", **options)
    first = str(wrong.value.hint).partition("in a configuration")[0]
    assert first
    assert not re.search(r"\b(source|selection|acquisition)\b[.:]|of: ", first)
