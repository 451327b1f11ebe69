"""Arrow columns to arrays: numbers, vectors of one width, positions of class names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed


def class_positions(what: str, names: Sequence[str | None], classes: Sequence[str]) -> list[int]:
    """Positions of class names, −1 for None.

    Raises:
        InvalidInput: if a name is no class.
    """
    positions: dict[str | None, int] = {name: i for i, name in enumerate(classes)}
    positions[None] = -1
    strange = sorted({str(n) for n in names if n not in positions})
    if strange:
        raise InvalidInput(f"{what} must be one of {listed(classes, 20)}; got {listed(strange)}.")
    return [positions[name] for name in names]


def list_rows(
    what: str, column: Any, ids: Sequence[Any], width: int | None = None
) -> NDArray[np.float64]:
    """A list column as rows of one width; NaN rows for null.

    Args:
        what: the column, for a message.
        column: of lists of numbers.
        ids: of the items, for a message.
        width: of the rows where all are null, as they may be in a part of a pool, and their type
            does not tell; 1 when None.

    Raises:
        InvalidInput: if the rows differ in length, or are no lists of numbers.
    """
    if not is_list(column.type):
        raise InvalidInput(f"{what} must be a list of numbers; got {column.type}.")
    missing = nulls(column)
    lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    widths = np.unique(lengths[~missing])
    if len(widths) > 1:
        common = int(np.bincount(lengths[~missing].astype(np.int64)).argmax())
        odd = np.flatnonzero(~missing & (lengths != common))
        raise InvalidInput(
            f"{what} must have the same length for all items; got {common} and "
            f"{int(lengths[odd[0]])} for item {listed(ids[i] for i in odd)}."
        )
    if len(widths):
        width = int(widths[0])
    elif pa.types.is_fixed_size_list(column.type):
        width = column.type.list_size
    rows = np.full((len(column), 1 if width is None else width), np.nan)
    valid = column.filter(pa.array(~missing))
    rows[~missing] = numbers(what, pc.list_flatten(valid)).reshape(len(valid), rows.shape[1])
    return rows


def numbers(what: str, column: Any) -> NDArray[np.float64]:
    """A column of numbers; NaN for null.

    Raises:
        InvalidInput: if it holds something else.
    """
    try:
        found: NDArray[np.float64] = (
            column.cast(pa.float64()).to_numpy(zero_copy_only=False)
            if isinstance(column, pa.Array)
            else column.cast(pa.float64()).to_numpy()
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InvalidInput(f"{what} must be numbers; got {column.type}.") from error
    return found


def nulls(column: Any) -> NDArray[np.bool_]:
    """Where a column holds nothing."""
    found: NDArray[np.bool_] = column.is_null().to_numpy(zero_copy_only=False)
    return found


def is_list(kind: pa.DataType) -> bool:
    """Whether a column of this type holds lists, of one length or of many."""
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )
