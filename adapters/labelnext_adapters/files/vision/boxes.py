"""Boxes x1 y1 x2 y2 from what tools write; what can't be read stays, and is counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labelnext_adapters.files.content.oddities import Unusable

_NUMBERS = {int, float}


def around(xs: Iterable[Any], ys: Iterable[Any]) -> list[Any]:
    """The box around points.

    Raises:
        Unusable: if the points aren't numbers.

    Example:
        >>> around([1, 3, 2], [5, 4, 6])
        [1.0, 4.0, 3.0, 6.0]
    """
    try:
        across, down = [float(x) for x in xs], [float(y) for y in ys]
        return [min(across), min(down), max(across), max(down)]
    except (TypeError, ValueError, OverflowError) as error:
        raise Unusable("the corners of a box must be numbers") from error


def from_corner(left: Any, top: Any, width: Any, height: Any) -> Any:
    """The box of a corner and a size.

    Example:
        >>> from_corner(1, 2, 3, 4)
        [1.0, 2.0, 4.0, 6.0]
    """
    values = [left, top, width, height]
    if not _NUMBERS.issuperset(map(type, values)):
        return values
    try:
        x, y, across, down = map(float, values)
    except OverflowError:
        return values
    return [x, y, x + across, y + down]


def from_middle(x: Any, y: Any, width: Any, height: Any) -> Any:
    """The box of a middle and a size.

    Example:
        >>> from_middle(3, 4, 2, 4), from_middle(0, 0, 4, 4)
        ([2.0, 2.0, 4.0, 6.0], [-2.0, -2.0, 2.0, 2.0])
    """
    box = from_corner(x, y, width, height)
    if not all(type(value) is float for value in box):
        return box  # as it came: it can't be read
    across, down = (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
    return [box[0] - across, box[1] - down, box[0] + across, box[1] + down]


def of_sides(box: Any, *keys: str) -> Any:
    """The box of an object that has a corner and a size under these keys.

    Example:
        >>> of_sides({"x": 1, "y": 2, "w": 3, "h": 4}, "x", "y", "w", "h"), of_sides(None, "x")
        ([1.0, 2.0, 4.0, 6.0], None)
    """
    return from_corner(*map(box.get, keys)) if isinstance(box, Mapping) else box


def of_four(box: Any) -> Any:
    """The box of a list of a corner and a size.

    Example:
        >>> of_four([1, 2, 3, 4]), of_four([1, 2])
        ([1.0, 2.0, 4.0, 6.0], [1, 2])
    """
    return from_corner(*box) if isinstance(box, list) and len(box) == 4 else box
