"""Scores of the likeliest classes alone, such as the first five of a thousand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labelnext_adapters.files.tables.vectors import OTHER, ROUNDED


def classes_with_rest(
    scores: Iterable[Mapping[str, float]], stated: Iterable[str] | None
) -> list[str] | None:
    """The classes; with one for the probability that is left where no met class can have it.

    Args:
        scores: of each item, by class name.
        stated: all classes, if they are known.

    Example:
        >>> classes_with_rest([{"cat": 0.5, "dog": 0.2}], None)
        ['cat', 'dog', '(other)']
        >>> classes_with_rest([{"cat": 0.5, "dog": 0.5}], None) is None
        True
    """
    if stated is not None:
        return list(stated)
    rows = list(scores)
    met = {name for row in rows for name in row}
    lost = any(len(row) == len(met) and sum(row.values()) < 1 - ROUNDED + 1e-9 for row in rows)
    return [*sorted(met), OTHER] if lost and OTHER not in met else None
