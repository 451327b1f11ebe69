"""When something was made, as exports and servers write it."""

from __future__ import annotations

import math
from datetime import UTC, datetime


def moment(when: object) -> float:
    """Seconds since 1970 of a date in ISO 8601, or of seconds; −∞ where there is neither.

    A date without a zone is UTC.

    Example:
        >>> moment("1970-01-01T01:00:00Z"), moment(60), moment(None)
        (3600.0, 60.0, -inf)
    """
    if isinstance(when, str):
        try:
            date = datetime.fromisoformat(when)
            return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return -math.inf
    if isinstance(when, int | float) and not isinstance(when, bool) and abs(when) < 1e15:
        return float(when)
    return -math.inf
