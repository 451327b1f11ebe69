"""Columns of true or false, whatever a file writes for them; and columns of nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelnext_adapters.files.tables.arrow import encoded
from labelnext_adapters.files.tables.items import Items

_WORDS = {
    "true": True, "yes": True, "y": True, "t": True, "1": True, "1.0": True,
    "false": False, "no": False, "n": False, "f": False, "0": False, "0.0": False, "": False,
}  # fmt: skip
_CURE = "write true or false, yes or no, 1 or 0; or give the column another name."


def flags(what: str, column: Any, items: Items | None = None) -> NDArray[np.bool_]:
    """Which rows are true; those with nothing are false.

    Args:
        what: the column, for messages.
        column: of booleans, of 0 and 1, or of words such as yes and no.
        items: notes those whose value is left out.

    Raises:
        InvalidInput: if more than a tenth of the values are neither.

    Example:
        >>> flags("labelled", pa.array(["Yes", None, "no"])).tolist()
        [True, False, False]
    """
    if pa.types.is_boolean(column.type):
        known: NDArray[np.bool_] = column.fill_null(False).to_numpy(zero_copy_only=False)
        return known
    places, distinct = encoded(column)
    values = distinct.to_pylist()
    told = [_WORDS.get("" if _lacks(value) else str(value).strip().lower()) for value in values]
    strange = np.flatnonzero(np.array([one is None for one in told] + [False])[places])
    if len(strange):
        why = {
            row: f"{what} must be true or false; got {str(values[places[row]])!r:.60}"
            for row in strange.tolist()
        }
        n_values = len(column) - column.null_count
        (items or Items(range(len(column)))).leave_out(what, why, n_values, _CURE)
    flat: NDArray[np.bool_] = np.array([*told, False], dtype=bool)[places]
    return flat


def _lacks(value: Any) -> bool:
    return bool(value is None or value != value)


def is_blank(column: Any) -> bool:
    """Whether a column of texts holds nothing.

    Example:
        >>> [is_blank(pa.array(texts)) for texts in ([None, ""], ["a", ""], [None])]
        [True, False, True]
    """
    if pa.types.is_null(column.type):
        return True
    if not pa.types.is_string(column.type) or not len(column):
        return False
    return not pc.any(pc.not_equal(column, "")).as_py()
