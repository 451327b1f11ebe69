"""The first line of a CSV file, which must name its columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from labelnext.errors import InvalidInput

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?$|[+-]?(nan|inf|infinity)$", re.I)


def check_header(header: Sequence[str]) -> None:
    """Refuse a first line that is a row: of numbers alone, or mostly, with decimals among them.

    Raises:
        InvalidInput: if it is one, or a name is there twice.
    """
    if doubled := sorted(name for name, count in Counter(header).items() if count > 1):
        raise InvalidInput(
            f"columns must have distinct names; got {doubled[0]!r} more than once.",
            hint="rename it in the first line of the file.",
        )
    numbers = list(filter(_NUMBER.match, header))
    mostly = "." in "".join(numbers) and 2 * len(numbers) >= len(header)
    if header and (mostly or len(numbers) == len(header)):
        raise InvalidInput(
            f"the first line must name the columns; got numbers: {', '.join(header[:5])}.",
            hint="put names above the rows, such as item_id,cat,dog.",
        )
