"""Class distributions of one prediction: given, or of scored choices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from labelnext.pool.answers import spread_rest
from labelnext_adapters.label_studio_format.faults import BrokenRegion

if TYPE_CHECKING:
    from labelnext_adapters.label_studio_format.regions import Setup

Probs = dict[str, float] | list[float] | None
_SUM_ERROR = 1e-3  # some scored choices that reach 1 this closely are a whole distribution


def scored_choices(known: Sequence[tuple[int, float]], setup: Setup) -> list[float] | None:
    """One scored region per class: a distribution if it is whole, or the likeliest of one.

    Where one class can be chosen, the likeliest of several keep their scores, and the rest to 1 is
    spread over the others.
    """
    row = [0.0] * len(setup.classes)
    for c, s in known:
        row[c] = s
    named = {c for c, _ in known}
    if len(named) < len(known) or len(named) < 2:
        return None
    total = math.fsum(row)
    if len(named) == len(row) or abs(total - 1) <= _SUM_ERROR:
        return row
    if setup.multiple or total > 1 or min(row) < 0:
        return None
    listed = [p if c in named else math.nan for c, p in enumerate(row)]
    spread: list[float] = spread_rest([listed])[0].tolist()
    return spread


def vector_of(probs: dict[str, float] | list[float], setup: Setup) -> list[float]:
    """Probabilities in the order of the classes; a class that is not named has none."""
    if isinstance(probs, list):
        if len(probs) != len(setup.classes):
            raise BrokenRegion(f"probs has {len(probs)} numbers for {len(setup.classes)} classes")
        return probs
    row = [0.0] * len(setup.classes)
    for label, p in probs.items():
        row[setup.position(label)] = p
    return row
