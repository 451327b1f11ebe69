"""Ids that occur again by mistake, in tables with one row an item."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelnext.errors import listed
from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.files.content.oddities import FEW, Oddities
from labelnext_adapters.files.tables.arrow import encoded
from labelnext_adapters.files.tables.column_names import corners_in, first_of, plain
from labelnext_adapters.files.tables.known_names import BOXES, INDEXES, YOLOV5


def repeats(column: Any) -> bool:
    """Whether an id occurs again; lists and records are no ids."""
    if pa.types.is_nested(column.type) or _rises(column):
        return False
    known = column.drop_null() if column.null_count else column
    return bool(len(known.unique()) < len(known))


def _rises(column: Any) -> bool:
    """Whether each id is larger than the one before, as in most files: so none is there twice."""
    if len(column) < 2 or column.null_count or not pa.types.is_string(column.type):
        return False
    return pc.all(pc.less(column.slice(0, len(column) - 1), column.slice(1))).as_py() is True


def rows_with_values(table: pa.Table, id_name: str) -> NDArray[np.int64]:
    """The rows that hold anything: spreadsheets write empty ones at the end.

    Args:
        table: as it stands in the file.
        id_name: the column of ids.

    Example:
        >>> rows_with_values(pa.table({"id": ["a", None], "p": [0.5, None]}), "id").tolist()
        [0]
    """
    blank = _blank(table.column(id_name)) & (table.num_columns > 1)
    for name in table.column_names if blank.any() else ():
        blank &= _blank(table.column(name))
    return np.flatnonzero(~blank)


def _blank(column: Any) -> NDArray[np.bool_]:
    nothing = pc.is_null(column, nan_is_null=True)
    if pa.types.is_string(column.type):
        nothing = pc.or_kleene(nothing, pc.equal(column, ""))
    return np.array(nothing.fill_null(True).to_numpy(zero_copy_only=False), dtype=bool)


def rows_of_items(
    table: pa.Table, id_name: str, place: Callable[[int], str]
) -> tuple[NDArray[np.int64], list[Notice]]:
    """The rows that remain without copies, and without the few items that have several rows.

    Where there are boxes, or the columns of a detector, rows are objects, of which an item has any
    number: all remain.

    Args:
        table: as it stands in the file.
        id_name: the column of ids.
        place: says in words where a row stands in the file.
    """
    names = table.column_names
    kept: NDArray[np.int64] = np.arange(table.num_rows)
    boxed = corners_in(names) or first_of(names, BOXES) or {*map(plain, names)} == YOLOV5
    if boxed or not repeats(table.column(id_name)):
        return kept, []
    kept, notices = first_copies(table, id_name)
    left = table.take(pa.array(kept))
    if not repeats(left.column(id_name)):
        return kept, notices
    single = of_one_answer(left, id_name, lambda row: place(int(kept[row])))
    return (kept, notices) if single is None else (kept[single[0]], [*notices, *single[1]])


def first_copies(table: pa.Table, id_name: str) -> tuple[NDArray[np.int64], list[Notice]]:
    """The rows that remain when exact copies of earlier ones are left out, and which these are.

    Rows without an id remain, and so do those that tell nothing but their id. An index that was
    written into the file doesn't make a copy another row.

    Args:
        table: as it stands in the file.
        id_name: the column of ids.

    Example:
        >>> rows, notices = first_copies(pa.table({"id": ["a", "b", "a"], "p": [1, 2, 1]}), "id")
        >>> rows.tolist(), notices[0].message
        ([0, 1], 'Left out 1 row that repeats another exactly: a.')
    """
    codes = _codes(table.column(id_name))
    told = [n for n in table.column_names if n != id_name and n.strip().lower() not in INDEXES]
    again = _again(codes)
    if not told or not len(again):
        return np.arange(table.num_rows), []
    part, same = table.take(pa.array(again)), codes[again]
    for name in told:
        values = _codes(part.column(name))
        same = np.unique(same * (values.max() + 2) + values + 1, return_inverse=True)[1]
    _, firsts = np.unique(same, return_index=True)
    copies = np.setdiff1d(again, again[firsts])
    kept = np.setdiff1d(np.arange(table.num_rows), copies)
    if not len(copies):
        return kept, []
    items = _names(table, id_name, copies)
    rows = "1 row that repeats" if len(copies) == 1 else f"{len(copies):,} rows that repeat"
    message = f"Left out {rows} another exactly: {listed(items)}."
    return kept, [Notice("left_out", message, tuple(items))]


def of_one_answer(
    table: pa.Table, id_name: str, place: Callable[[int], str]
) -> tuple[NDArray[np.int64], list[Notice]] | None:
    """The rows of the ids that occur once, where few occur again; None where many do.

    Nobody can tell which of several rows of an item is right, so that none is used.

    Args:
        table: without copies of rows.
        id_name: the column of ids.
        place: says in words where a row stands in the file.
    """
    codes = _codes(table.column(id_name))
    again = _again(codes)
    odd = Oddities("item", seen=len(np.unique(codes[codes >= 0])))
    doubled, firsts = np.unique(codes[again], return_index=True)
    if len(doubled) > FEW * odd.seen:
        return None
    items = _names(table, id_name, again[firsts])
    for code, item in zip(doubled.tolist(), items, strict=True):
        places = [place(row) for row in again[codes[again] == code].tolist()]
        odd.leave_out("", item, f"it has {counted(len(places), 'row')}: {listed(places)}")
    return np.setdiff1d(np.arange(table.num_rows), again), odd.notices()


def _again(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows, in their order, of the ids that occur more than once."""
    counts = np.bincount(codes + 1)
    counts[0] = 0
    return np.flatnonzero(counts[codes + 1] > 1)


def _codes(column: Any) -> NDArray[np.int64]:
    """A number for each distinct value, −1 for null."""
    if pa.types.is_nested(column.type):
        column = pa.chunked_array([[repr(value) for value in column.to_pylist()]])
    return encoded(column)[0]


def _names(table: pa.Table, id_name: str, rows: Sequence[int] | NDArray[np.int64]) -> list[str]:
    ids = table.column(id_name).take(pa.array(rows)).to_pylist()
    return list(dict.fromkeys(map(str, ids)))
