"""The order of ids, by which ties are broken."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

_INTEGER = re.compile(r"-?\d+", re.ASCII)
_DIGITS = 19  # that 64 bits surely hold
#: The larger of two negative numbers is the lower.
_NINES = str.maketrans("0123456789", "9876543210")


def id_order(item_ids: NDArray[np.str_]) -> NDArray[np.intp]:
    """Positions that sort the ids, by value if all are integers, else by code point.

    Example:
        >>> id_order(np.array(["10", "9"])).tolist(), id_order(np.array(["10", "9", "a"])).tolist()
        ([1, 0], [0, 1, 2])
    """
    if (numbers := _short_numbers(item_ids)) is not None:
        by_number: NDArray[np.intp] = np.lexsort((item_ids, numbers))
        return by_number
    if len(item_ids) and all(_INTEGER.fullmatch(i) for i in item_ids.tolist()):
        values = [(*_by_value(i), i) for i in item_ids.tolist()]
        return np.array(sorted(range(len(values)), key=values.__getitem__), dtype=np.intp)
    order: NDArray[np.intp] = np.argsort(item_ids, kind="stable")
    return order


def _short_numbers(item_ids: NDArray[np.str_]) -> NDArray[np.uint64] | None:
    """The values of ids of up to 19 digits each and nothing else; None where one has others.

    A tenth of the time of Python's own numbers.

    Example:
        >>> _short_numbers(np.array(["7", "012"])).tolist(), _short_numbers(np.array(["7", "-1"]))
        ([7, 12], None)
    """
    if not len(item_ids) or not item_ids[0].isdecimal():
        return None
    lengths = np.strings.str_len(item_ids)
    width = int(lengths.max())
    if width > _DIGITS or not lengths.all():
        return None
    letters = np.ascontiguousarray(item_ids).view(np.uint32).reshape(len(item_ids), -1)[:, :width]
    digits, there = letters - np.uint32(ord("0")), np.arange(width) < lengths[:, None]
    if not np.array_equal(digits < 10, there):
        return None
    values: NDArray[np.uint64] = np.zeros(len(item_ids), dtype=np.uint64)
    for column, inside in zip(digits.T, there.T, strict=True):
        values = np.where(inside, values * np.uint64(10) + column, values)
    return values


def _by_value(digits: str) -> tuple[int, str]:
    """A key that sorts whole numbers by value, however many digits they have."""
    size = digits.lstrip("-0")
    if not digits.startswith("-") or not size:
        return len(size), size
    return -len(size), size.translate(_NINES)
