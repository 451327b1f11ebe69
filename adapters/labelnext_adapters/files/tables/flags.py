"""Columns of true or false, whatever a file writes for them; and columns of nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed

_WORDS = {
    "true": True, "yes": True, "y": True, "t": True, "1": True, "1.0": True,
    "false": False, "no": False, "n": False, "f": False, "0": False, "0.0": False, "": False,
}  # fmt: skip


def flags(what: str, column: Any) -> NDArray[np.bool_]:
    """Which rows are true; those with nothing are false.

    Args:
        what: the column, for messages.
        column: of booleans, of 0 and 1, or of words such as yes and no.

    Raises:
        InvalidInput: if a value is neither.

    Example:
        >>> flags("labelled", pa.array(["Yes", None, "no"])).tolist()
        [True, False, False]
    """
    if pa.types.is_boolean(column.type):
        known: NDArray[np.bool_] = column.fill_null(False).to_numpy(zero_copy_only=False)
        return known
    encoded = column.dictionary_encode()
    values = encoded.dictionary.to_pylist()
    told = [_WORDS.get("" if _lacks(value) else str(value).strip().lower()) for value in values]
    if strange := [str(v) for v, one in zip(values, told, strict=True) if one is None]:
        raise InvalidInput(
            f"{what} must be true or false; got {listed(strange)}.",
            hint="write true or false, yes or no, 1 or 0; or give the column another name.",
        )
    places = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
    flat: NDArray[np.bool_] = np.array([*told, False], dtype=bool)[places.astype(np.int64)]
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
