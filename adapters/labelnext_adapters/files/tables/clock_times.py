"""Starts and ends of segments that are written as on a clock, as seconds."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from labelnext_adapters.files.tables.column_names import spans_in

_CLOCK = r"^\s*(?:(?P<h>\d{1,4}):)?(?P<m>\d{1,4}):(?P<s>\d{1,2}(?:[.,]\d{1,9})?)\s*$"
_MOSTLY = 0.9  # of the cells


def with_seconds(table: pa.Table) -> pa.Table:
    """A table whose columns with the start and the end of a segment are numbers.

    Example:
        >>> table = pa.table({"start": ["00:01", None], "end": ["01:01:02.5", "0:00:03"]})
        >>> with_seconds(table).to_pydict()
        {'start': [1.0, None], 'end': [3662.5, 3.0]}
    """
    for name in spans_in(table.column_names) or ():
        seconds = _seconds(table.column(name).combine_chunks())
        if seconds is not None:
            table = table.set_column(table.column_names.index(name), name, seconds)
    return table


def _seconds(column: pa.Array) -> pa.Array | None:
    """Times of a day, durations or such texts as seconds; None if they are something else."""
    kind = column.type
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        step = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}[kind.unit]
        whole = column.cast(pa.int32()) if kind.bit_width == 32 else column
        return pc.divide(whole.cast(pa.int64()).cast(pa.float64()), step)
    if not pa.types.is_string(kind):
        return None
    parts = pc.extract_regex(column, _CLOCK)
    given = pc.sum(pc.not_equal(pc.utf8_trim_whitespace(column), "")).as_py() or 0
    if not given or len(column) - parts.null_count < _MOSTLY * given:
        return None
    hours, minutes, seconds = (
        pc.replace_substring(pc.if_else(pc.equal(part, ""), "0", part), ",", ".").cast(pa.float64())
        for part in (parts.field(at) for at in range(3))
    )
    total = pc.add(pc.add(pc.multiply(hours, 3600.0), pc.multiply(minutes, 60.0)), seconds)
    return pc.if_else(parts.is_null(), None, total)
