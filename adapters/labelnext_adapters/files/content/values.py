"""Single values of foreign records: ids, names and probabilities."""

from __future__ import annotations

import math
from pathlib import PurePath
from typing import Any
from uuid import UUID

import numpy as np

from labelnext_adapters.files.content.oddities import ROUNDING, Unusable


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
    """A number in [0, 1]; a number as text is taken, and a rounding error mended.

    Raises:
        Unusable: if it isn't one.

    Example:
        >>> probability("0.25"), probability(1.0000001)
        (0.25, 1.0)
    """
    number = real(value, what)
    if math.isnan(number) or not -ROUNDING <= number <= 1 + ROUNDING:
        cure = ""
        if 1 < number <= 100:
            cure = " (divide percentages by 100)"
        elif not math.isnan(number):
            cure = " (is it a logit?)"
        raise Unusable(f"{what} must be in [0, 1]; got {value!r:.40}{cure}")
    return min(max(number, 0.0), 1.0)


def real(value: Any, what: str = "a number") -> float:
    """A number, also as text.

    Raises:
        Unusable: if it isn't one.
    """
    if value is None or isinstance(value, bool):
        raise Unusable(f"{what} must be a number; got {value!r}")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise Unusable(f"{what} must be a number; got {value!r:.40}") from error
