"""Loops in C, compiled where labelnext was installed if there was a compiler.

`LABELNEXT_COMPILED=0` leaves them aside. Then, and without a compiler, numpy does the same in two
to five times the time.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.support.loops.sources import fingerprint
from labelnext.support.threads import in_parts

Integers = NDArray[np.int64]

#: The scores of a row, in the order in which the library takes their results.
SCORES = ("least_confidence", "margin", "variance", "entropy")

_LIBRARY = Path(__file__).with_name("loops.so")
_SHORT = 24  # classes: of more, numpy is as fast
_PARTS = 1024  # into which the library splits integers at most, before each part is sorted
_THREAD = 250_000  # integers that are worth a thread
_LENGTH = struct.Struct("<I")  # of a text
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


def likeliest(rows: NDArray[np.floating]) -> Integers:
    """The first of the largest numbers of each row, −1 for a row with NaN.

    Args:
        rows: shape (n_rows, n_classes), at least one class.
    """
    library, (n, c) = _library(), rows.shape
    fits = rows.dtype in (np.float32, np.float64) and rows.flags.c_contiguous and c < _SHORT
    if library is not None and fits:
        classes: Integers = np.empty(n, dtype=np.int64)
        narrow = rows.dtype.itemsize == 4
        function = library.likeliest_float if narrow else library.likeliest_double
        function(rows.ctypes.data, n, c, classes.ctypes.data)
        return classes
    classes = rows.argmax(axis=1).astype(np.int64, copy=False)
    largest = np.take_along_axis(rows, classes[:, None], axis=1)[:, 0]
    classes[np.isnan(largest)] = -1  # argmax treats the first NaN of a row as the largest
    return classes


def sort(keys: Integers) -> None:
    """Sort integers in place, smallest first, on the threads that may work here."""
    library = _library()
    if library is None or len(keys) < _FEW:
        keys.sort()
        return
    other, starts = np.empty_like(keys), np.empty(_PARTS + 1, dtype=np.intp)
    both = keys.ctypes.data, other.ctypes.data
    n_parts = library.split_integers(*both, len(keys), starts.ctypes.data)

    def sort_parts(start: int, stop: int) -> None:
        first, last = np.searchsorted(starts[:n_parts], [start, stop]).tolist()
        library.sort_integers(*both, starts[first:].ctypes.data, last - first)

    if n_parts:
        in_parts(len(keys), sort_parts, least=_THREAD)


def longest_text(texts: Any) -> int:
    r"""The bytes of the longest of texts that stand one behind the other, each behind its length.

    Args:
        texts: bytes, or a buffer of them; the lengths have four bytes, the lowest first.

    Returns:
        −1 if the last one isn't whole.

    Example:
        >>> longest_text(b"\2\0\0\0hi\3\0\0\0you"), longest_text(b"\2\0\0\0h")
        (3, -1)
    """
    if (library := _library()) is not None:
        return int(library.longest_text(np.frombuffer(texts, np.uint8).ctypes.data, len(texts)))
    at = longest = 0
    while at + 4 <= len(texts):
        (length,) = _LENGTH.unpack_from(texts, at)
        at += 4 + length
        if length > longest:  # in half the time of max
            longest = length
    return longest if at == len(texts) else -1


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
    for function in (library.likeliest_float, library.likeliest_double):
        function.argtypes = [pointer, size, size, pointer]
        function.restype = None
    library.longest_text.argtypes = [pointer, size]
    library.longest_text.restype = size
    library.split_integers.argtypes = [pointer, pointer, size, pointer]
    library.split_integers.restype = size
    library.sort_integers.argtypes = [pointer, pointer, pointer, size]
    library.sort_integers.restype = None
    return library


@cache
def _library() -> Any:
    return None if os.environ.get("LABELNEXT_COMPILED") == "0" else open_library(_LIBRARY)
