"""Kaggle's PredictionString: the detections of an image as one text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from labelnext.errors import InvalidInput
from labelnext.pool.objects import Notice
from labelnext_adapters.files.content.oddities import MOST, Oddities
from labelnext_adapters.files.content.values import number_in
from labelnext_adapters.files.tables.column_names import plain

_NAMES = ("prediction_string", "predictionstring")
_SAMPLED = 2000
#: What the values of one detection are, and how many they are.
_FORMS = {
    6: "class confidence x1 y1 x2 y2",
    5: "confidence x1 y1 x2 y2",
    3: "class confidence mask",
}


def column_of_strings(table: pa.Table) -> str | None:
    """The column of a table that has Kaggle's name; None if there is none."""
    texts = [n for n in table.column_names if pa.types.is_string(table.schema.field(n).type)]
    return next((name for name in texts if plain(name) in _NAMES), None)


def objects_of_strings(
    column: Any, name: str, place: Callable[[int], str]
) -> tuple[pa.Array, list[Notice]]:
    """The objects of each text, of which an empty one has none.

    The boxes aren't read: competitions give corners, or a corner and a size.

    Args:
        column: of the texts.
        name: of the column.
        place: of a row in the file, in words.

    Raises:
        InvalidInput: if it can't be told what the values are, or too many rows can't be used.

    Example:
        >>> texts = pa.array(["1 0.5 0 0 9 9", ""])
        >>> objects_of_strings(texts, "PredictionString", str)[0].to_pylist()
        [[{'confidence': 0.5, 'class': '1'}], []]
    """
    rows = [(text or "").split() for text in column.to_pylist()]
    length = _length_of(rows, name)
    odd = Oddities("row", seen=len(rows))
    lists: list[list[dict[str, Any]] | None] = []
    for row, values in enumerate(rows):
        try:
            lists.append(_objects(values, length))
        except ValueError:
            lists.append(None)
            why = f"{name} must be {_FORMS[length]} for each detection"
            odd.leave_out(place(row), "", f"{why}; got {' '.join(values)!r:.40}")
    kind = pa.list_(pa.struct([("confidence", pa.float64()), ("class", pa.string())]))
    told = Notice(
        "layout", f"Read column {name!r} as objects ({_FORMS[length]}), without their boxes."
    )
    return pa.array(lists, kind), [*odd.notices(), told]


def _objects(values: Sequence[str], length: int) -> list[dict[str, Any]]:
    """The objects of a text in a form.

    Raises:
        ValueError: if it has another form.
    """
    if len(values) % length:
        raise ValueError(values)
    first = 0 if length == 5 else 1
    objects = []
    for start in range(0, len(values), length):
        one = values[start : start + length]
        sure = float(one[first])
        if not 0 <= sure <= 1:
            raise ValueError(one)
        if length == 3 and number_in(one[2]) is not None:
            raise ValueError(one)
        for corner in one[first + 1 :] if length != 3 else []:
            float(corner)
        objects.append({"confidence": sure, "class": one[0] if first else None})
    return objects


def _length_of(rows: Sequence[Sequence[str]], name: str) -> int:
    """How many values a detection has, as most rows say."""
    given = [values for values in rows if values][:_SAMPLED]
    fits = {length: sum(_fits(values, length) for values in given) for length in _FORMS}
    chosen = [length for length, count in fits.items() if given and count >= MOST * len(given)]
    if len(chosen) == 1:
        return chosen[0]
    if not given:
        return 6
    forms = ", or ".join(_FORMS.values())
    raise InvalidInput(
        f"{name} must be, for each detection, {forms}; got {' '.join(given[0])!r:.60}.",
        hint="write a row for each detection instead, with the columns item_id, prediction and "
        "confidence.",
    )


def _fits(values: Sequence[str], length: int) -> bool:
    try:
        return bool(_objects(values, length))
    except ValueError:
        return False
