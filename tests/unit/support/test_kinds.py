"""Values and annotations: what fits, and what is said of what does not."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Lt

from labelnext.errors import InvalidInput
from labelnext.support.annotations import words
from labelnext.support.kinds import Misfit, fit
from labelnext.support.signatures import checked, option_kinds
from labelnext.support.written import Written


def plain(text: str) -> Written:
    return Written.of(text, 1, plain=True)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", None),
        ("~", None),
        ("Null", None),
        ("TRUE", True),
        ("False", False),
        ("yes", "yes"),
        ("-012", -12),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1.", 1.0),
        (".5", 0.5),
        ("+1e3", 1000.0),
        ("-.INF", float("-inf")),
        ("1:30", "1:30"),
        ("2026-11-22", "2026-11-22"),
        ("0b1", "0b1"),
        (".", "."),
        ("e3", "e3"),
    ],
)
def test_plain_scalars_mean_what_the_core_schema_of_yaml_1_2_says(
    text: str, meaning: object
) -> None:
    assert plain(text).meaning == meaning
    assert type(plain(text).meaning) is type(meaning)
    assert Written.of(text, 1, plain=False).meaning == text  # in quotes it is text


@pytest.mark.parametrize(
    ("value", "kind", "fitted"),
    [
        (plain("1.10"), str, "1.10"),
        (plain("1.10"), float, 1.1),
        (plain("1e2"), int, 100),
        (plain("true"), str, "true"),
        (plain("off"), Literal["off", "auto"], "off"),
        (False, Literal["off", "auto"], "off"),
        (plain("007"), int | str, "007"),
        (plain("1.0"), int | str, "1.0"),
        (plain("1.0"), float | str, 1.0),
        (plain("7"), int | str, 7),
        (plain("~"), str | None, None),
        ((1, 2), Sequence[int], [1, 2]),
        ({plain("no"): plain("1")}, Mapping[str, float], {"no": 1}),
        (plain("2026-11-22"), datetime, datetime(2026, 11, 22)),
        (Path("a"), Path | str, Path("a")),
        (3, Any, 3),
    ],
)
def test_what_fits(value: object, kind: Any, fitted: object) -> None:
    assert fit(value, kind) == fitted
    assert type(fit(value, kind)) is type(fitted)


@pytest.mark.parametrize(
    ("value", "kind", "rule"),
    [
        (True, int, "a whole number"),
        ("2", int, "a whole number"),
        (2.0, int, "a whole number"),
        (1, bool, "true or false"),
        (None, str, "text"),
        (plain("null"), str, "text"),
        ("", Path, "a path"),
        ("a\0b", Path, "a path"),
        ("abc", Sequence[str], "a list of texts"),
        (plain("2026"), datetime, "a time such as 2026-11-22T09:00:00"),
        (5, Annotated[int, Ge(1), Lt(5)], "at least 1 and below 5"),
        ("x", Annotated[int, Ge(1), Lt(5)], "a whole number of at least 1 and below 5"),
        (10**400, float, "a finite number"),
        ([], str | list[str] | None, None),
        ([1], str | list[str] | None, "text"),
    ],
)
def test_what_does_not_fit(value: object, kind: Any, rule: str | None) -> None:
    if rule is None:
        assert fit(value, kind) == value
        return
    with pytest.raises(Misfit) as caught:
        fit(value, kind)
    assert caught.value.rule == rule


def test_kinds_in_words() -> None:
    assert words(Mapping[str, str | list[str]]) == "a mapping of names to texts or lists of texts"
    assert words(Literal["a", "b"] | None) == "'a', 'b' or null"
    assert words(Path | str | None) == "a path or null"
    assert words(dict[str, Any]) == "a mapping"


def test_a_checked_function_is_the_function() -> None:
    @checked
    def power(base: float, *, exponent: Annotated[int, Ge(0)] = 2) -> float:
        """A power."""
        return float(base**exponent)

    assert (power(3), power(3, exponent=0)) == (9.0, 1.0)
    assert (power.__name__, power.__doc__) == ("power", "A power.")
    with pytest.raises(InvalidInput, match="exponent must be at least 0; got -1"):
        power(3, exponent=-1)


def test_an_annotation_that_cannot_be_resolved_takes_anything() -> None:
    def odd(*, size: Nowhere = 1) -> None:  # type: ignore[name-defined]  # noqa: F821
        pass

    assert option_kinds(odd) == {"size": Any}


def test_a_scalar_of_a_file_survives_a_copy() -> None:
    copy = pickle.loads(pickle.dumps(plain("007")))  # our own bytes
    assert (copy, copy.plain, copy.line) == ("007", True, 1)


def test_a_misspelt_word_of_a_choice_gets_the_nearest() -> None:
    for kind in (Literal["mean", "sum"], Literal["mean", "sum"] | None):
        with pytest.raises(Misfit) as caught:
            fit("summ", kind)
        assert caught.value.hint == "did you mean 'sum'?"
    with pytest.raises(Misfit) as caught:
        fit("other", Literal["mean", "sum"])
    assert caught.value.hint is None


def test_a_text_that_is_no_time_is_not_asked_for_in_quotes() -> None:
    with pytest.raises(Misfit, match="a time such as") as caught:
        fit(plain("yesterday"), datetime | None)
    assert caught.value.hint is None
