"""Single values of foreign records: ids, names, probabilities and boxes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from uuid import UUID

import numpy as np

from labelnext_adapters.files.content.oddities import ROUNDING, Unusable

#: A decimal comma; before three digits it may part thousands.
_COMMA = re.compile(r"[+-]?(\d*,(?!\d{3}$)\d+|0?,\d+)([eE][+-]?\d+)?")
Box = tuple[float, float, float, float]


def id_text(value: Any) -> str:
    """An id as text: text as it is, a whole number in digits, bytes as UTF-8.

    Raises:
        Unusable: if it is something else, or empty.

    Example:
        >>> id_text("007"), id_text(7), id_text(b"a.jpg")
        ('007', '7', 'a.jpg')
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unusable(f"an id in bytes must be UTF-8 text; got {value[:40]!r}") from error
    if isinstance(value, bool) or not isinstance(value, str | int | UUID | PurePath):
        raise Unusable(f"an id must be text or a whole number; got {value!r:.80}")
    try:
        text = str(value)
    except ValueError as error:
        raise Unusable("an id must not be a number of thousands of digits") from error
    if not text or "\0" in text:
        raise Unusable("an id must not be empty or contain NUL")
    return text


def name_text(value: Any) -> str:
    """A class's name as text.

    Raises:
        Unusable: if it isn't text or a number.

    Example:
        >>> name_text("cat"), name_text(3), name_text(True)
        ('cat', '3', 'true')
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str | int) or value == "":
        raise Unusable(f"a class must be a name; got {value!r:.80}")
    return str(value)


def probability(value: Any, what: str = "a probability") -> float:
    """A number in [0, 1]; one as text or a percentage is taken, and a rounding error mended.

    Raises:
        Unusable: if it isn't one.

    Example:
        >>> probability("0.25"), probability("25%"), probability(1.0000001)
        (0.25, 0.25, 1.0)
    """
    number = share(value, what)
    if math.isnan(number) or not -ROUNDING <= number <= 1 + ROUNDING:
        cure = ""
        if 1 < number <= 100:
            cure = " (divide percentages by 100)"
        elif not math.isnan(number):
            cure = " (is it a logit?)"
        raise Unusable(f"{what} must be in [0, 1]; got {value!r:.40}{cure}")
    return min(max(number, 0.0), 1.0)


def share(value: Any, what: str) -> float:
    """A number, or a percentage with its sign as a fraction.

    Raises:
        Unusable: if it isn't one.

    Example:
        >>> share("90 %", "a score"), share("0,9", "a score")
        (0.9, 0.9)
    """
    if isinstance(value, str) and value.rstrip().endswith("%"):
        return real(value.rstrip().removesuffix("%"), what) / 100
    return real(value, what)


def real(value: Any, what: str = "a number") -> float:
    """A number, also as text, with a decimal point or comma.

    Raises:
        Unusable: if it isn't one.

    Example:
        >>> real("0,9"), real("9e-1"), real("1.5")
        (0.9, 0.9, 1.5)
    """
    if value is None or isinstance(value, bool):
        raise Unusable(f"{what} must be a number; got {value!r}")
    try:
        return float(with_point(value) if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError) as error:
        raise Unusable(f"{what} must be a number; got {value!r:.40}") from error


def number_in(value: Any) -> float | None:
    """A number, also as a text with a decimal point; None for anything else.

    Example:
        >>> number_in("0.5"), number_in(2), number_in("?"), number_in(True)
        (0.5, 2.0, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def with_point(text: str) -> str:
    """A number with a decimal comma as one with a point; any other text as it is.

    Example:
        >>> with_point("0,25"), with_point("1,000"), with_point("cat, dog")
        ('0.25', '1,000', 'cat, dog')
    """
    return text.replace(",", ".") if _COMMA.fullmatch(text.strip()) else text


def fractions_of(box: Sequence[Any], size: Sequence[Any] | None = None) -> Box:
    """Corners x1 y1 x2 y2 as fractions of the image.

    Args:
        box: x1 y1 x2 y2.
        size: width and height in pixels; None if the box is in fractions already.

    Raises:
        Unusable: if the box or the size can't be used.

    Example:
        >>> fractions_of([10, 10, 50, 20], (100, 40))
        (0.1, 0.25, 0.5, 0.5)
    """
    if size is not None and any(
        isinstance(side, bool) or not isinstance(side, int | float) or not 0 < side < 1e9
        for side in size
    ):
        raise Unusable(f"its image must have a width and a height in pixels; got {list(size)}")
    try:
        values = [float(value) for value in box]
    except (TypeError, ValueError, OverflowError) as error:
        raise Unusable(f"a box must be four numbers; got {box!r:.80}") from error
    if len(values) != 4 or not all(map(math.isfinite, values)):
        raise Unusable(f"a box must be four numbers; got {box!r:.80}")
    width, height = (1.0, 1.0) if size is None else (float(size[0]), float(size[1]))
    x1, y1, x2, y2 = values[0] / width, values[1] / height, values[2] / width, values[3] / height
    if x1 > x2 or y1 > y2:
        raise Unusable(f"a box must have x1 <= x2 and y1 <= y2; got {box!r:.80}")
    if x1 >= 1 or y1 >= 1 or x2 <= 0 or y2 <= 0:
        where = "the image" if size is None else f"its image of {size[0]} × {size[1]} pixels"
        hint = ", or divide pixels by the image's width and height" if size is None else ""
        raise Unusable(f"a box must overlap {where}{hint}; got {box!r:.80}")
    return x1, y1, x2, y2
