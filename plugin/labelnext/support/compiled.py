"""Loops that numpy cannot do in one call, as machine code."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from numpy.typing import NDArray


@cache
def compiled(function: Callable[..., Any], *, reorder: bool = False) -> Callable[..., Any]:
    """The function as machine code, made at its first call and kept on disk where possible.

    With `reorder` the terms of a sum may be added in another order, several at a time: always the
    same order for the same number of terms.
    """
    from numba import njit

    options = {"nogil": True, "fastmath": {"reassoc"} if reorder else False}
    try:
        machine: Any = njit(cache=True, **options)(function)
    except RuntimeError:  # no folder that numba could keep the machine code in
        machine = njit(**options)(function)
    return machine  # type: ignore[no-any-return]  # numba has no types


def read_only(values: NDArray[Any]) -> NDArray[Any]:
    """A view without leave to write, so that one machine code serves all that is only read.

    numba makes another for arrays that may be written to, of which results of pyarrow and
    memory maps are none.
    """
    view = values.view()
    view.flags.writeable = False
    return view
