"""Positions of classes, from their names or positions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.checks import COUNTED_FROM_1
from labelnext_adapters.files.content.oddities import FEW
from labelnext_adapters.files.tables.arrow import encoded, is_list, plain_type
from labelnext_adapters.files.tables.items import Items
from labelnext_adapters.files.tables.table_options import LabelsAre

_NO_CLASS = -2
_COMPARED = 100  # names, and texts that are none
_UNKNOWN = (
    "if the model doesn't know the class, leave the label empty, and add a column called labelled "
    "with true or false."
)
_SPELT = "write them as the classes are called."
_SEVERAL = (
    "if items have several classes, give the column label another name, and add one called "
    "labelled with true or false."
)


def class_places(
    what: str,
    column: Any,
    classes: Sequence[str] | None,
    are: LabelsAre | None = None,
    items: Items | None = None,
) -> NDArray[np.int64]:
    """Positions of classes, −1 for null, from names or positions.

    Text that is a class's name is that class. Numbers are positions, unless they are names; if they
    could be both, and mean different classes, the user is asked.

    Args:
        what: the column, for messages.
        column: of texts, whole numbers or booleans.
        classes: names of the classes; None if they have none.
        are: names or positions, as the user said.
        items: of the values; notes those that are no class, which become −1.

    Raises:
        InvalidInput: if more than a tenth of the values are no class, or one could be a name and a
            position.

    Example:
        >>> class_places("label", pa.array(["b", None]), ["a", "b"]).tolist()
        [1, -1]
        >>> class_places("label", pa.array([1, 0]), ["a", "b"]).tolist()
        [1, 0]
    """
    if pa.types.is_nested(column.type):
        votes = is_list(column.type) and not pa.types.is_nested(column.type.value_type)
        raise InvalidInput(
            f"{what} must be one class for each item; got {'lists' if votes else 'records'}.",
            hint=f"if they are what several people said, set source.columns: {{votes: {what}}}"
            f"{f'; {_SEVERAL}' if what == 'label' else '.'}"
            if votes
            else "if they are regions out of Label Studio's own table, export the project as JSON.",
        )
    codes, distinct = encoded(plain_type(column))
    values = distinct.to_pylist()
    names, known = _known(what, values, classes, are)
    places = np.array([_NO_CLASS if p is None else p for p in known] + [-1], dtype=np.int64)
    taken: NDArray[np.int64] = places[codes]  # −1 is the last
    strange = np.flatnonzero(taken == _NO_CLASS)
    if len(strange):
        rule = f"{what} must be one of {listed(names, 20) if names else 'positions from 0'}"
        wrong = [value for value, place in zip(values, known, strict=True) if place is None]
        meant = _meant(wrong, names)
        said = {value: f"{rule}; got {value!r:.60}{meant.get(value, '')}" for value in wrong}
        why = {row: said[values[codes[row]]] for row in strange.tolist()}
        unknown = _UNKNOWN if what == "label" and names else None
        hint = _misread(what, wrong, values, names) or (
            _SPELT if len(meant) == len(wrong) else unknown
        )
        of = items or Items(range(len(taken)))
        of.leave_out(what, why, int((taken != -1).sum()), hint)
        taken[strange] = -1
    return taken


def _known(
    what: str, values: list[Any], classes: Sequence[str] | None, are: LabelsAre | None
) -> tuple[dict[str, int], list[int | None]]:
    """The positions of the classes by name, and that of each distinct value; None for no class."""
    names = {name: index for index, name in enumerate(classes or ())}
    if not names and any(isinstance(v, str) and v and _whole(v) is None for v in values):
        names = {str(v): i for i, v in enumerate(sorted({v for v in values if v}))}
    by_name, by_position = list[int | None](), list[int | None]()
    for value in values:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        whole = _whole(value)
        if whole is not None and not (isinstance(value, str) and value in names):
            text = str(whole)
        if value == "" or value != value or whole == -1:  # nothing, NaN
            by_name.append(-1)
            by_position.append(-1)
            continue
        named = names.get(text, names.get(text.capitalize()) if value in (True, False) else None)
        placed = whole if whole is not None and 0 <= whole < (len(names) or whole + 1) else None
        by_name.append(named)
        by_position.append(placed)
    pairs = [p for p in zip(by_name, by_position, strict=True) if p != (None, None)]
    all_named = all(name is not None for name, _ in pairs)
    all_placed = all(place is not None for _, place in pairs)
    same = all(name == place for name, place in pairs)
    texts_only = all(isinstance(value, str) for value in values)
    if are == "names" or (all_named and (texts_only or not all_placed or same)):
        return names, by_name
    if are == "positions" or (all_placed and not any(n not in (None, -1) for n in by_name)):
        return names, by_position
    if all_named and all_placed:
        first = next(v for v, a, b in zip(values, by_name, by_position, strict=True) if a != b)
        raise InvalidInput(
            f"{what} can be a class's name or its position: {first} is the class named {first}, or "
            f"the class at position {first}, {(classes or ())[int(first)]}.",
            hint="set source.labels_are: names or positions.",
        )
    return names, by_name


def _meant(values: Sequence[Any], names: Collection[str]) -> dict[Any, str]:
    """The class that a value is like, as a question; only of the first values.

    Example:
        >>> _meant(["Cat", "bird"], ["cat", "dog"])
        {'Cat': " (did you mean 'cat'?)"}
    """
    by_lower = {name.strip().lower(): name for name in islice(names, _COMPARED)}
    found = {}
    for value in values[:_COMPARED]:
        text = str(value).strip().lower()
        near = [text] if text in by_lower else difflib.get_close_matches(text, by_lower, 1)
        if near:
            found[value] = f" (did you mean {by_lower[near[0]]!r}?)"
    return found


def _misread(
    what: str, wrong: Sequence[Any], values: Sequence[Any], names: Collection[str]
) -> str | None:
    """The cure for positions that count from 1, and for several classes in one text."""
    wholes = [whole for whole in map(_whole, values) if whole not in (None, -1)]
    if names and (min(wholes, default=0), max(wholes, default=0)) == (1, len(names)):
        return COUNTED_FROM_1
    return _SEVERAL if what == "label" and _are_several([*map(str, wrong)], names) else None


def _are_several(texts: Sequence[str], names: Collection[str]) -> bool:
    """Whether texts list several classes each.

    Example:
        >>> _are_several(["cat|dog"], {"cat", "dog"}), _are_several(["bird"], {"cat", "dog"})
        (True, False)
    """
    lists = [[name.strip() for name in re.split(r"[|;,]", text)] for text in texts]
    return all(len(one) > 1 and set(one) <= set(names) for one in lists)


def _whole(value: Any) -> int | None:
    """A whole number, also as text of digits; None if it isn't one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        digits = value.removesuffix(".0")  # as tables with gaps have whole numbers
        if digits == "-1":
            return -1
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, float) and value.is_integer() else None


def votes_of(
    column: Any, items: Items, classes: Sequence[str] | None, are: LabelsAre | None
) -> NDArray[np.int64]:
    """What each person says of each item, a column a person, −1 where they said nothing.

    Args:
        column: of lists of classes, as many in each.
        items: notes those whose votes are left out.
        classes: names of the classes; None if they have none.
        are: names or positions, as the user said.

    Returns:
        Shape (n_items, n_people).

    Raises:
        InvalidInput: if too many lists are of another length, or too many values are no class.
    """
    if not is_list(column.type):
        raise InvalidInput(f"votes must be a list for each item; got {column.type}.")
    lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    width = int(np.bincount(lengths[lengths > 0].astype(np.int64), minlength=1).argmax())
    whole = lengths == width
    odd = np.flatnonzero((lengths != 0) & ~whole)
    if len(odd) > FEW * (lengths != 0).sum():
        raise InvalidInput(f"votes must come from the same {width} people for all items.")
    rule = f"votes must come from the same {width} people as elsewhere"
    items.leave_out("votes", dict.fromkeys(odd.tolist(), rule), int((lengths != 0).sum()))
    votes: NDArray[np.int64] = np.full((len(column), width), -1, dtype=np.int64)
    if width:
        said = column.filter(pa.array(whole)).flatten()
        if not pa.types.is_null(said.type):
            of = replace(items, owners=np.repeat(np.flatnonzero(whole), width))
            places = class_places("votes", said, classes, are, of)
            votes[whole] = places.reshape(-1, width)
    return votes
