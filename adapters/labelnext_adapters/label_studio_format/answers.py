"""Answers: the classes that a choice names, and their probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from labelnext_adapters.label_studio_format.faults import BrokenRegion
from labelnext_adapters.label_studio_format.region import (
    Probs,
    Region,
    Remarks,
    number_of,
    probs_of,
)

if TYPE_CHECKING:
    from labelnext_adapters.label_studio_format.regions import Setup

_SUM_ERROR = 1e-3  # some scored choices that reach 1 this closely are a whole distribution


class _Choices(msgspec.Struct):
    """What the tags that label a whole item may hold; each fills one."""

    choices: list[str] = []
    taxonomy: list[list[str]] = []
    selected: str | None = None
    rating: int | None = None
    probs: Probs = None

    def labels(self, separator: str) -> list[str]:
        """The chosen classes; that of a taxonomy is its whole path."""
        if self.taxonomy:
            return [separator.join(path) for path in self.taxonomy if path]
        one = self.selected if self.rating is None else str(self.rating)
        return self.choices if one is None else [one]


_choices = msgspec.json.Decoder(_Choices)


def answer_of(region: Region, setup: Setup) -> tuple[list[int], Probs]:
    """The classes that an answer names, and its class probabilities."""
    try:
        value = _choices.decode(region.value)
    except msgspec.MsgspecError as error:
        raise BrokenRegion(f"value: {error}") from error
    return [setup.position(label) for label in value.labels(setup.separator)], probs_of(
        region, value.probs
    )


def scored_choices(known: Sequence[tuple[int, float]], setup: Setup) -> list[float] | None:
    """One scored region per class: a distribution if it is whole."""
    row = [0.0] * len(setup.classes)
    for c, s in known:
        row[c] = s
    distinct = len({c for c, _ in known})
    whole = distinct == len(row) or abs(math.fsum(row) - 1) <= _SUM_ERROR
    return row if distinct == len(known) and distinct > 1 and whole else None


def vector_of(probs: dict[str, Any] | list[Any], setup: Setup, remarks: Remarks) -> list[float]:
    """Probabilities in the order of the classes; a class that is not named has none."""
    if isinstance(probs, list) and len(probs) != len(setup.classes):
        raise BrokenRegion(f"probs has {len(probs)} numbers for {len(setup.classes)} classes")
    named = probs.items() if isinstance(probs, dict) else zip(setup.classes, probs, strict=True)
    row = [0.0] * len(setup.classes)
    for label, p in named:
        number = number_of(p, f"probability of {label}", remarks)
        if number is None:
            raise BrokenRegion(f"probability of {label} must be a number; got null")
        row[setup.position(label)] = number
    return row


__all__ = ["answer_of", "scored_choices", "vector_of"]
