"""Arrays as a function gets them: it can't change what other functions read after it."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from labelnext.pool.objects import Objects


def read_only(value: Any) -> Any:
    """The same values, without a copy, so that writing to them is an error.

    Args:
        value: an array, objects, or a list or tuple of them; anything else stays as it is.

    Example:
        >>> values = np.ones(2)
        >>> read_only(values)[0] = 3
        Traceback (most recent call last):
        ValueError: assignment destination is read-only
        >>> values[0] = 3
    """
    if isinstance(value, np.ndarray):
        view = value.view()
        view.flags.writeable = False
        return view
    if isinstance(value, Objects):
        alike = copy.copy(value)
        vars(alike).update({name: read_only(part) for name, part in vars(value).items()})
        return alike
    if isinstance(value, list | tuple):
        return type(value)(map(read_only, value))
    return value
