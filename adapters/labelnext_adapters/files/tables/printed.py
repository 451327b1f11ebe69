"""Tables as they are printed: columns between spaces, or bars and rules, as text with tabs."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence

from labelnext.errors import InvalidInput

_RULE = re.compile(r"(?=.*[-=─━])[-=─━+|:\s┼│├┤┌┐└┘]+$")
_COUNTED = re.compile(r"[\[(]?\d+ rows?( x \d+ columns?[\])]|\)| in set.*)$")
_LONGEST = 100_000  # characters; the csv module takes no longer values
_GAP = re.compile(r"\s{2,}")
_DELIMITERS = (",", ";", "\t")

Split = Callable[[str], list[str]]


def printed_by(lines: Sequence[str]) -> Split | None:
    """How the values of a printed table's lines are told apart; None if they are no such table.

    Args:
        lines: the first lines of a file.

    Example:
        >>> split = printed_by(["id     score", "a b    0.5", "c      0.25"])
        >>> split("a b    0.5")
        ['a b', '0.5']
        >>> printed_by(["| id | cat |", "|----|-----|", "| a  | 0.5 |"])("| a  | 0.5 |")
        ['a', '0.5']
    """
    rows = [line for line in lines if line.strip() and not _is_aside(line)]
    if len(rows) < 2 or any(sign in rows[0] for sign in _DELIMITERS):
        return None
    ruled = any(_RULE.match(line) for line in lines)
    if "|" in rows[0] and not ruled:
        return None
    kinds: tuple[Split, ...] = (_barred,) if "|" in rows[0] else (_wide, _quoted)
    for split in kinds:
        n_names, *counts = [len(split(row)) for row in rows]
        if counts[0] == 1:  # the name of pandas' index
            counts.pop(0)
        if len(set(counts)) == 1 and counts[0] > 1 and counts[0] - n_names in (0, 1):
            return split
    return None


def with_tabs(text: str, split: Split, n_comments: int = 0) -> tuple[str, int]:
    """A printed table with tabs between its values, and how many lines stand above its rows.

    A first value without a name, as of pandas or R, is one of a column whose name is empty.

    Args:
        text: of the table.
        split: as of `printed_by`.
        n_comments: how many lines above the names are none.

    Raises:
        InvalidInput: if rows or columns were left out when it was printed.
    """
    lines = text.splitlines()
    lines[:n_comments] = [""] * n_comments
    kept = [(n, line) for n, line in enumerate(lines) if line.strip() and not _is_aside(line)]
    (_, names), *rows = ((n, split(line)) for n, line in kept)
    gaps = any(all(set(value) <= {".", "…"} for value in values) for _, values in rows)
    if gaps or "..." in names:
        raise InvalidInput(
            "the table must be whole; it was shortened when it was printed, and says '...'.",
            hint="write it with to_csv().",
        )
    first = "" if len(rows[0][1]) > 1 or len(names) == 1 else rows.pop(0)[1][0]
    if len(rows[0][1]) > len(names):
        names = [first, *names]
    written = [""] * len(lines)
    written[0] = "\t".join(names)
    for number, values in rows:
        written[number] = "\t".join(values)
    return "\n".join(written) + "\n", rows[0][0]


def _is_aside(line: str) -> bool:
    """Whether a line is a rule, or the number of rows."""
    return bool(_RULE.match(line.strip()) or _COUNTED.match(line.strip()))


def _wide(line: str) -> list[str]:
    return _GAP.split(line.strip())


def _quoted(line: str) -> list[str]:
    if '"' not in line:
        return line.split()
    return next(csv.reader([line.strip()[:_LONGEST]], delimiter=" ", skipinitialspace=True))


def _barred(line: str) -> list[str]:
    return [value.strip() for value in line.strip().strip("|").split("|")]
