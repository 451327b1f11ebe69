"""Columns of percentages that are written with their sign, as 90%."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa

from labelnext.errors import listed
from labelnext.pool.objects import Notice
from labelnext_adapters.files.content.oddities import Oddities
from labelnext_adapters.files.tables.arrow import is_text

_PERCENTAGE = re.compile(r"\s*([+-]?\d+(?:[.,]\d+)?)\s*%\s*$")
_MOST_ODD = 0.1


def without_percent_signs(
    table: pa.Table, percent: bool, place: Callable[[int], str]
) -> tuple[pa.Table, list[Notice]]:
    """A table with numbers for texts such as 90%, and what was understood.

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
        if not is_text(column.type):
            continue
        if not any((value or "").rstrip().endswith("%") for value in column[:20].to_pylist()):
            continue
        values = column.to_pylist()
        told = [_PERCENTAGE.match(value or "") for value in values]
        given = sum(value is not None for value in values)
        strange = [row for row, one in enumerate(told) if one is None and values[row] is not None]
        if len(strange) > _MOST_ODD * given:
            continue
        for row in strange:
            odd.leave_out(place(row), "", f"{name} must be a percentage; got {values[row]!r:.40}")
        unit = 1 if percent else 100
        numbers = [one and float(one[1].replace(",", ".")) / unit for one in told]
        table = table.set_column(at, name, pa.array(numbers, pa.float64()))
        columns.append(name)
    if not columns:
        return table, []
    message = f"Read {listed(columns)} as percentages."
    return table, [Notice("layout", message), *odd.notices()]
