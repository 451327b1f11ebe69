"""Loops in C, compiled where labelnext was installed if there was a compiler.

`LABELNEXT_COMPILED=0` leaves them aside. Then, and without a compiler, numpy does the same in two
to five times the time.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.support.loops.sources import fingerprint

Integers = NDArray[np.int64]

#: The scores of a row, in the order in which the library takes their results.
SCORES = ("least_confidence", "margin", "variance", "entropy")

_LIBRARY = Path(__file__).with_name("loops.so")
_FEW = 1000  # numpy sorts so few integers before the library is asked


def compiled() -> bool:
    """Whether there are compiled loops."""
    return _library() is not None


def uncertainties(rows: NDArray[np.floating], results: Mapping[str, NDArray[np.floating]]) -> bool:
    """Write the scores of rows. Only where `compiled()`.

    Args:
        rows: shape (n_rows, n_classes), float32 or float64 in C order.
        results: arrays of shape (n_rows,) and of the rows' type by name, of `SCORES`. Rows with NaN
            get NaN.

    Returns:
        Whether each row is a distribution: nothing below 0 or −0.0, and a sum of 1 within 0.9e-5.
    """
    library = _library()
    assert library is not None
    narrow = rows.dtype.itemsize == 4
    function = library.uncertainties_float if narrow else library.uncertainties_double
    targets = [results[name].ctypes.data if name in results else None for name in SCORES]
    return bool(function(rows.ctypes.data, *rows.shape, *targets))


def sort(keys: Integers) -> None:
    """Sort integers in place, smallest first."""
    library = _library()
    if library is None or len(keys) < _FEW:
        keys.sort()
    else:
        other = np.empty_like(keys)
        library.sort_integers(keys.ctypes.data, other.ctypes.data, len(keys))


def open_library(path: Path) -> Any:
    """The library in a file with the types of its functions.

    None if the system can't load it, or if the sources beside it are other ones, as they may be in
    a clone that was updated.
    """
    try:
        library = ctypes.CDLL(str(path))
        told = (ctypes.c_char * 17).in_dll(library, "loops_fingerprint").value.decode()
    except (OSError, ValueError):
        return None
    if told != fingerprint(path.parent):
        return None
    pointer, size = ctypes.c_void_p, ctypes.c_ssize_t
    for function in (library.uncertainties_float, library.uncertainties_double):
        function.argtypes = [pointer, size, size, *[pointer] * len(SCORES)]
        function.restype = ctypes.c_int
    library.sort_integers.argtypes = [pointer, pointer, size]
    library.sort_integers.restype = None
    return library


@cache
def _library() -> Any:
    return None if os.environ.get("LABELNEXT_COMPILED") == "0" else open_library(_LIBRARY)
