"""Columns of percentages that are written with their sign, as 90%."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from labelnext.errors import listed
from labelnext.pool.objects import Notice
from labelnext_adapters.files.content.oddities import FEW, Oddities
from labelnext_adapters.files.tables.arrow import is_text

_NUMBER = re.compile(r"\s*([+-]?\d*(?:[.,]\d+|\d)(?:[eE][+-]?\d+)?)\s*(%?)\s*$")
_NO = (None, "")


def without_percent_signs(
    table: pa.Table, percent: bool, place: Callable[[int], str]
) -> tuple[pa.Table, list[Notice]]:
    """A table with numbers for texts such as 90%, and what was understood.

    Fractions such as 0.9 may stand between them.

    Args:
        table: as it stands in the file.
        percent: numbers go up to 100, as `source.scale` says, rather than to 1.
        place: says in words where a row stands in the file.

    Example:
        >>> read, _ = without_percent_signs(pa.table({"p": ["90%", "5 %"]}), False, str)
        >>> read.column("p").to_pylist()
        [0.9, 0.05]
    """
    columns, odd = [], Oddities("row", seen=table.num_rows)
    for at, name in enumerate(table.column_names):
        column = table.column(name)
        if not is_text(column.type) or not _has_signs(column):
            continue
        values = column.to_pylist()
        numbers = [_number(value or "", percent) for value in values]
        given = sum(value is not None for value in values)
        strange = [row for row, one in enumerate(numbers) if one is None and values[row] not in _NO]
        if len(strange) > FEW * given:
            continue
        for row in strange:
            odd.leave_out(place(row), "", f"{name} must be a percentage; got {values[row]!r:.40}")
        table = table.set_column(at, name, pa.array(numbers, pa.float64()))
        columns.append(name)
    if not columns:
        return table, []
    message = f"Read {listed(columns)} as percentages."
    return table, [Notice("layout", message), *odd.notices()]


def _has_signs(column: pa.ChunkedArray) -> bool:
    return pc.any(pc.match_substring_regex(column, r"\d\s*%\s*$")).as_py() is True


def _number(text: str, percent: bool) -> float | None:
    """A percentage, or a fraction beside it, which has a point; None for anything else."""
    told = _NUMBER.match(text)
    if told is None:
        return None
    number = float(told[1].replace(",", "."))
    if percent or told[2]:
        return number if percent else number / 100
    return number if number == 0 or (number <= 1 and not told[1].isdigit()) else None
