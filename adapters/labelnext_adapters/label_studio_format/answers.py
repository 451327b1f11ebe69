"""Answers: the classes that a choice names, and their probabilities."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from labelnext.pool.answers import spread_rest
from labelnext.support.words import counted
from labelnext_adapters.label_studio_format.faults import UNDECODABLE, BrokenRegion, in_words
from labelnext_adapters.label_studio_format.region import (
    Label,
    Probs,
    Region,
    Remarks,
    named_regions,
    number_of,
    probs_of,
)

if TYPE_CHECKING:
    from labelnext_adapters.label_studio_format.regions import Setup

SUM_ERROR = 1e-3  # some scored choices that reach 1 this closely are a whole distribution


class _Choices(msgspec.Struct):
    """What the tags that label a whole item may hold; each fills one."""

    choices: list[Label | list[Label]] = []
    taxonomy: list[list[Label]] = []
    selected: str | None = None
    rating: Label | None = None
    probs: Probs = None

    def labels(self, separator: str) -> list[str]:
        """The chosen classes; that of a taxonomy, or of nested choices, is its whole path."""
        stars = self.rating
        one = self.selected if stars is None else stars if isinstance(stars, str) else f"{stars:g}"
        named: Sequence[Label | list[Label]] = self.taxonomy or self.choices
        paths = (name if isinstance(name, list) else [name] for name in named)
        joined = (separator.join(map(str, path)) for path in paths)
        return [name for name in joined if name] if one is None else [one]


class _Number(msgspec.Struct):
    number: float | None = None


_choices = msgspec.json.Decoder(_Choices)
_number = msgspec.json.Decoder(_Number)


def number_in(result: bytes | msgspec.Raw, setup: Setup) -> float:
    """The number that an annotation gives a whole item; NaN without one, or with several.

    Raises:
        BrokenRegion: if it is no number.
    """
    regions = [r for r in named_regions(result, Remarks()) if setup.name_of(r) == setup.from_name]
    if len(regions) != 1:
        return math.nan
    try:
        number = _number.decode(regions[0].value).number
    except UNDECODABLE as error:
        raise BrokenRegion(in_words(error)) from error
    return math.nan if number is None else number


def answer_of(region: Region, setup: Setup) -> tuple[list[int], Probs]:
    """The classes that an answer names, and its class probabilities."""
    try:
        value = _choices.decode(region.value)
    except UNDECODABLE as error:
        raise BrokenRegion(in_words(error)) from error
    return [setup.position(label) for label in value.labels(setup.separator)], probs_of(
        region, value.probs
    )


def scored_choices(
    named: Mapping[int, float], setup: Setup, remarks: Remarks
) -> list[float] | None:
    """One scored region per class: a distribution if it is whole, or a list of the likeliest."""
    row = [0.0] * len(setup.classes)
    for c, s in named.items():
        row[c] = s
    total = math.fsum(row)
    if len(named) < 2:
        return None
    if len(named) == len(row) or abs(total - 1) <= SUM_ERROR:
        return row
    spread = None if setup.multiple else spread_list(named, len(row))
    remarks.spread = spread is not None
    return spread


def spread_list(named: Mapping[int, float], n_classes: int) -> list[float] | None:
    """A list of the likeliest classes as a distribution: the others share what is left of 1.

    Args:
        named: probabilities by class.
        n_classes: how many classes there are.

    Returns:
        None if the list is no part of a distribution.

    Example:
        >>> spread_list({0: 0.5, 2: 0.25}, 4)
        [0.5, 0.125, 0.25, 0.125]
    """
    if not named or math.fsum(named.values()) > 1 + SUM_ERROR or not n_classes:
        return None
    row = np.full((1, n_classes), np.nan)
    row[0, [*named]] = [*named.values()]
    spread: list[float] = spread_rest(row)[0].tolist()
    return spread


def vector_of(probs: dict[str, Any] | list[Any], setup: Setup, remarks: Remarks) -> list[float]:
    """Probabilities in the order of the classes; a class that is not named has none."""
    if isinstance(probs, list) and len(probs) != len(setup.classes):
        wanted = counted(len(setup.classes), "class", "classes")
        raise BrokenRegion(
            f"probs must hold a number for each of {wanted}, or name the classes; got "
            f"{counted(len(probs), 'number')}"
        )
    named = probs.items() if isinstance(probs, dict) else zip(setup.classes, probs, strict=True)
    row = [0.0] * len(setup.classes)
    for label, p in named:
        number = number_of(p, f"probability of {label}", remarks)
        if number is None:
            raise BrokenRegion(f"probability of {label} must be a number; got null")
        row[setup.position(label)] = number
    return row
