"""What several judges said, each in a column or under a key of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_COLUMN = re.compile(
    r"(?:judge|rater|grader|evaluator|reviewer|annotator)[ _.\-]?(?:\d{1,3}|[a-z])", re.I
)


def columns_of_judges(record: Mapping[str, Any]) -> dict[str, Any]:
    """What several judges said, each under a key of its own; empty if there are no such keys.

    Example:
        >>> columns_of_judges({"id": 1, "judge_1": "yes", "judge_2": "no", "judge_1_why": "…"})
        {'judge_1': 'yes', 'judge_2': 'no'}
    """
    named = [name for name in record if _COLUMN.fullmatch(str(name).strip())]
    said = {name: record[name] for name in named if type(record[name]) in (str, int, float, bool)}
    return said if len(named) > 1 else {}


def number_in(value: Any) -> float | None:
    """A number, also as a text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
