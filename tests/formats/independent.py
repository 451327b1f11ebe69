"""The rankings of the fixtures, computed without labelnext."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labelnext import Pool, rank
from labelnext.adapter import open_adapter

FIXTURES = Path(__file__).parent


def read(place: str | Path, **source: Any) -> Pool:
    """The pool of a fixture, as the files adapter reads it."""
    return open_adapter("files", path=str(place), directory=FIXTURES, **source).read()


def by_mean(confidences: Mapping[str, Sequence[float]]) -> list[str]:
    """Least mean confidence first, before it the images without objects; ties by id."""
    mean = {i: sum(c) / len(c) if len(c) else -1.0 for i, c in confidences.items()}
    return sorted(mean, key=lambda i: (mean[i], i))


def by_least_confidence(scores: Mapping[str, Sequence[float]]) -> list[str]:
    """The lowest largest probability first; ties by id."""
    return sorted(scores, key=lambda i: (max(scores[i]), i))


def ranked(pool: Pool, function: str = "mean_object_confidence") -> list[str]:
    """The ids in labelnext's order."""
    return [str(i) for i in rank(pool, function).item_ids]


def codes(pool: Pool) -> set[str]:
    """The codes of the notices."""
    return {notice.code for notice in pool.notices}
