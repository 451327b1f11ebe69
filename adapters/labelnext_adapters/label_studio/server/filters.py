"""The server's filters of tasks, as its Data Manager has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Filter = dict[str, Any]
COLUMN = "filter:tasks:"  # goes before a column's name


def where(column: str, kind: str, operator: str, value: object) -> Filter:
    """Tasks whose column compares so with a value.

    Example:
        >>> where("is_labeled", "Boolean", "equal", False)["filter"]
        'filter:tasks:is_labeled'
    """
    return {"filter": COLUMN + column, "operator": operator, "type": kind, "value": value}


def has(counter: str) -> Filter:
    """Tasks that have any of what a column counts."""
    return where(counter, "Number", "greater", 0)


def lacks(counter: str) -> Filter:
    """Tasks that have none of what a column counts."""
    return where(counter, "Number", "equal", 0)


def all_of(filters: Iterable[Filter]) -> dict[str, Any]:
    """Tasks that pass every one of the filters; all tasks, if there are none."""
    return {"conjunction": "and", "items": [*filters]}


UNFINISHED = where("is_labeled", "Boolean", "equal", False)  # fewer annotations than they need

__all__ = ["COLUMN", "UNFINISHED", "Filter", "all_of", "has", "lacks", "where"]
