"""Starts and ends of segments that are written as on a clock, as seconds."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from labelnext.pool.objects import Notice
from labelnext_adapters.files.content.oddities import FEW, Oddities
from labelnext_adapters.files.tables.column_names import spans_in

_SECONDS = r"(?:[.,]\d{1,9})?"
_CLOCK = (
    rf"^\s*(?:(?:(?P<h>\d{{1,4}}):)?(?P<m>\d{{1,4}}):(?P<s>\d{{1,2}}{_SECONDS})"
    rf"|(?P<plain>\d{{1,9}}{_SECONDS}))\s*$"
)


def with_seconds(
    table: pa.Table, place: Callable[[int], str] = str
) -> tuple[pa.Table, list[Notice]]:
    """A table whose columns with the start and the end of a segment are numbers.

    Args:
        table: as it stands in the file.
        place: says in words where a row stands in the file.

    Returns:
        The table, and a notice of the few texts that are no times.

    Example:
        >>> table = pa.table({"start": ["00:01", None], "end": ["01:01:02.5", "0:00:03"]})
        >>> with_seconds(table)[0].to_pydict()
        {'start': [1.0, None], 'end': [3662.5, 3.0]}
    """
    notices: list[Notice] = []
    for name in spans_in(table.column_names) or ():
        column = table.column(name).combine_chunks()
        odd = Oddities(of=name)
        if (seconds := _seconds(column, odd, place)) is not None:
            table = table.set_column(table.column_names.index(name), name, seconds)
            notices += odd.notices()
    return table, notices


def _seconds(column: pa.Array, odd: Oddities, place: Callable[[int], str]) -> pa.Array | None:
    """Times of a day, durations or such texts as seconds; None if they are something else.

    Args:
        column: of any type.
        odd: counts the texts that are no times, which become null.
        place: says in words where a row stands in the file.
    """
    kind = column.type
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        step = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}[kind.unit]
        whole = column.cast(pa.int32()) if kind.bit_width == 32 else column
        return pc.divide(whole.cast(pa.int64()).cast(pa.float64()), step)
    if not pa.types.is_string(kind) or not pc.any(pc.match_substring(column, ":")).as_py():
        return None
    parts = pc.extract_regex(column, _CLOCK)
    given = pc.not_equal(pc.utf8_trim_whitespace(column), "").fill_null(False)
    odd.seen = pc.sum(given).as_py()
    strange = pc.indices_nonzero(pc.and_(given, parts.is_null()))
    if len(strange) > FEW * odd.seen:
        return None
    for row in strange.to_pylist():
        got = column[row].as_py()
        why = f"{odd.of} must be a time such as 00:01:02.5, or seconds; got {got!r:.40}"
        odd.leave_out(place(row), "", why)
    hours, minutes, seconds, plain = (
        pc.replace_substring(pc.if_else(pc.equal(part, ""), "0", part), ",", ".").cast(pa.float64())
        for part in (parts.field(at) for at in range(4))
    )
    total = pc.add(pc.add(pc.multiply(hours, 3600.0), pc.multiply(minutes, 60.0)), seconds)
    return pc.if_else(parts.is_null(), None, pc.add(total, plain))
