"""Lists of numbers that are a box, a confidence and a class, as detectors return their tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext_adapters.files.tables.arrow import is_list
from labelnext_adapters.files.tables.known_names import CORNERS

#: Where the confidence, the class and the box stand among six or five numbers.
_PLACES = {6: ((4, 5, 0), (5, 4, 0), (1, 0, 2), (5, 0, 1)), 5: ((4, None, 0),)}
_LAST = ((4, 5, 0), (5, 4, 0))  # which nothing else looks like
_ROWS = pa.list_(pa.list_(pa.float64()))
_FAR = 1.5  # from where on a number is no fraction


def with_box_records(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """A table whose lists of such numbers are lists of records.

    Args:
        table: one row for each item.
        names: of columns that may hold them.

    Example:
        >>> table = pa.table({"boxes": [[[10, 20, 50, 40, 0.75, 0]], []]})
        >>> with_box_records(table, ["boxes"]).column("boxes")[0].as_py()[0]["confidence"]
        0.75
    """
    for name in names:
        records = _records_of(table.column(name))
        if records is not None:
            table = table.set_column(table.column_names.index(name), name, records)
    return table


def are_box_rows(value: Any) -> bool:
    """Whether a value is a list of lists of five or six numbers; an empty one may be anything."""
    return value is None or (
        isinstance(value, list)
        and all(
            isinstance(row, list)
            and len(row) in _PLACES
            and all(type(number) in (int, float) for number in row)
            for row in value
        )
    )


def named_rows(values: Sequence[Any]) -> list[list[dict[str, Any]] | None] | None:
    """Lists of a box, a confidence and the name of a class as records; None if they are none.

    Example:
        >>> named_rows([[[10, 20, 50, 40, 0.75, "car"]], None])[0][0]["class"]
        'car'
    """
    rows = [row for value in values if isinstance(value, list) for row in value]
    if not rows or not all(isinstance(row, list) and len(row) == 6 for row in rows):
        return None
    at = 0 if isinstance(rows[0][0], str) else 5
    numbers = [row[:at] + row[at + 1 :] for row in rows]
    if not all(isinstance(row[at], str) for row in rows) or not are_box_rows(numbers):
        return None
    array = np.array(numbers, dtype=float)
    places = [one for one in (4, 0) if _fits(array, one, None, 1 - one // 4)]
    if len(places) != 1:
        return None
    (sure,) = places
    told = iter(zip(rows, numbers, strict=True))
    return [
        None if value is None else [
            {"class": row[at], "confidence": five[sure], "bbox": five[:sure] + five[sure + 1 :]}
            for row, five in (next(told) for _ in value)
        ]
        for value in values
    ]  # fmt: skip


def check_box_rows(values: Sequence[Any]) -> None:
    """Refuse such rows where it can't be told what their numbers are.

    Raises:
        InvalidInput: if it can't, and they are no class scores either.
    """
    values = [rows for rows in values if rows]
    far = any(abs(number) > _FAR for rows in values for row in rows for number in row)
    if far and _records_of(pa.chunked_array([pa.array(values, _ROWS)])) is None:
        shown = next(row for rows in values for row in rows)
        raise InvalidInput(
            "a detection must be x1, y1, x2, y2, confidence and class; none of the numbers, or "
            f"several, can be the confidence in {shown!r:.80}.",
            hint='write each as {"confidence": …, "class": …, "box": […]}.',
        )


def _records_of(column: pa.ChunkedArray) -> pa.Array | None:
    kind = column.type
    if not is_list(kind) or not is_list(kind.value_type):
        return None
    number = kind.value_type.value_type
    if not (pa.types.is_floating(number) or pa.types.is_integer(number)):
        return None
    outer = column.combine_chunks()
    inner = pc.list_flatten(outer)
    widths = pc.unique(pc.list_value_length(inner)).to_pylist()
    if len(widths) != 1 or widths[0] not in _PLACES:
        return None
    values = pc.list_flatten(inner).to_numpy(zero_copy_only=False).astype(float)
    rows = values.reshape(-1, widths[0])
    places = [one for one in _PLACES[widths[0]] if _fits(rows, *one)]
    if not places or (len(places) > 1 and places[0] not in _LAST):
        return None
    sure, kind_at, first = places[0]
    fields = {"confidence": pa.array(rows[:, sure], from_pandas=True)}
    if kind_at is not None:
        fields["class"] = pa.array(rows[:, kind_at].astype(np.int64))
    if _are_corners(rows[:, first:]):
        corners = (pa.array(rows[:, first + at]) for at in range(4))
        fields |= zip(CORNERS[0], corners, strict=True)
    else:
        fields["bbox"] = pa.nulls(len(rows))
    records = pa.StructArray.from_arrays(list(fields.values()), list(fields))
    offsets = np.zeros(len(outer) + 1, dtype=np.int32)
    np.cumsum(pc.list_value_length(outer).fill_null(0).to_numpy(), out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), records, mask=outer.is_null())


def _are_corners(box: NDArray[np.float64]) -> bool:
    return bool((box[:, 0] <= box[:, 2]).all() and (box[:, 1] <= box[:, 3]).all())


def _fits(rows: NDArray[np.float64], sure: int, kind: int | None, first: int) -> bool:
    """Whether the numbers at these places can be confidences and classes."""
    confidences, box = rows[:, sure], rows[:, first : first + 4]
    inside = (confidences >= 0) & (confidences <= 1)
    if np.mean(inside) < 0.9 or (confidences == np.floor(confidences)).all():
        return False
    if kind is None:
        return bool((np.abs(box) > _FAR).any())  # or they could be five probabilities
    if first == 2 and not _are_corners(box):
        return False  # but of a middle, a size and a confidence
    kinds = rows[:, kind]
    return bool(((kinds >= 0) & (kinds == np.floor(kinds)) & (kinds < 1e6)).all())
