"""Compile loops that numpy can't do in one call."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from numpy.typing import NDArray


@cache
def compiled(function: Callable[..., Any], *, reorder: bool = False) -> Callable[..., Any]:
    """The function as machine code, compiled on its first call and cached on disk if possible.

    With `reorder`, sums may add their terms in another order, several at a time; the order is
    always the same for the same number of terms.
    """
    from numba import njit

    options = {"nogil": True, "fastmath": {"reassoc"} if reorder else False}
    try:
        machine: Any = njit(cache=True, **options)(function)
    except RuntimeError:  # numba has no writable folder for its cache
        machine = njit(**options)(function)
    return machine  # type: ignore[no-any-return]  # numba has no types


def read_only(values: NDArray[Any]) -> NDArray[Any]:
    """A read-only view, so that numba compiles a function only once.

    numba compiles separately for writable and read-only arrays, such as pyarrow results and memory
    maps.
    """
    view = values.view()
    view.flags.writeable = False
    return view
