"""The first lines of a CSV file: comments, and the names of its columns."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence

from labelnext.errors import InvalidInput
from labelnext.support.words import cut

DELIMITERS = (",", ";", "\t", "|")
LONGEST_LINE = 1 << 20  # bytes, also of a value that goes over several lines
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?$|[+-]?(nan|inf|infinity)$", re.I)


def values_of(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """The values of CSV lines of at most `LONGEST_LINE` bytes; the csv module stops at an eighth.

    Example:
        >>> values_of(['a,"b,c"'], ",")
        [['a', 'b,c']]
    """
    if csv.field_size_limit() < LONGEST_LINE:  # of the whole process, as there is no other
        csv.field_size_limit(LONGEST_LINE)
    return list(csv.reader(lines, delimiter=delimiter))


def check_header(header: Sequence[str], rows: Sequence[Sequence[str]] = ()) -> None:
    """Refuse a first line that is a row: of numbers alone, or mostly, with decimals among them.

    Or of numbers, with decimals, wherever the next row has some.

    Args:
        header: the first line.
        rows: the next ones.

    Raises:
        InvalidInput: if it is one, or a name is there twice.
    """
    if doubled := sorted(name for name, count in Counter(header).items() if count > 1):
        raise InvalidInput(
            f"columns must have distinct names; got {doubled[0]!r} more than once.",
            hint="rename it in the first line of the file."
            if doubled[0].strip()
            else "remove what stands above the names of the columns, or name each column.",
        )
    numbers = list(filter(NUMBER.match, header))
    mostly = "." in "".join(numbers) and 2 * len(numbers) >= len(header)
    below = [n for n, value in enumerate(rows[0]) if NUMBER.match(value.strip())] if rows else []
    as_below = bool(below) and "." in "".join(numbers) and len(header) >= len(rows[0])
    as_below = as_below and all(NUMBER.match(header[n]) for n in below)
    if header and (mostly or as_below or len(numbers) == len(header)):
        row = ", ".join(cut(name, 40) for name in header[:5])
        raise InvalidInput(
            f"the first line must name the columns; got a row: {row}.",
            hint=f"put names above the rows, such as {_names_for(header)}.",
        )


def _names_for(row: Sequence[str]) -> str:
    """Names of columns for a row: of a segment if two rising numbers stand before a text."""
    if len(row) > 2 and all(map(NUMBER.match, row[:2])) and not NUMBER.match(row[2]):
        start, end = (float(value.replace(",", ".")) for value in row[:2])
        if start <= end:
            return "start,end,label,score, and the file of each row in a column file"
    return "item_id,cat,dog"


def n_comments_above(lines: Sequence[str]) -> int:
    """How many lines above the names begin with #; names may begin so, too."""
    n = next((n for n, line in enumerate(lines) if not line.startswith("#")), 0)
    last = lines[n - 1 : n + 1] if n else []
    for sign in (*DELIMITERS, " "):
        counts = [len(row) for row in values_of(last, sign)]
        if len(counts) == 2 and counts[0] == counts[1] > 1:
            return n - 1
    return n
