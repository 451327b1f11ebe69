"""The few values of an object by item that have another form than the others."""

from __future__ import annotations

from collections import Counter
from typing import Any

from labelnext_adapters.files.content.oddities import MOST, Broken

_NUMBERS = (int, float)
_LISTS: dict[type, str] = {dict: "a list of objects", list: "a list of lists"}
_SINGLE: dict[type, str] = {str: "a text", int: "a number", float: "a number"}


def without_odd(value: dict[str, Any]) -> tuple[dict[str, Any], dict[int, Any]]:
    """An object by item without its odd values, if nine in ten have one form.

    Args:
        value: from item to what is said of it; an object of columns has no odd values.

    Returns:
        The others; and a record for each that is odd, by its place: nothing but its id where
        nothing is known of it, else why it is broken.

    Example:
        >>> rest, odd = without_odd({**{str(n): [0.5, 0.5] for n in range(9)}, "9": "?"})
        >>> len(rest), odd[9].why
        (9, "the value of '9' must be a list of values, as elsewhere; got '?'")
    """
    kinds = [_form_of(one) for one in value.values()]
    known = Counter(filter(None, kinds)).most_common(1)
    if not known or known[0][1] < MOST * len(value):
        return value, {}
    usual = known[0][0]
    first = next(one for one, kind in zip(value.values(), kinds, strict=True) if kind == usual)
    rest, odd = {}, dict[int, Any]()
    for place, ((name, one), kind) in enumerate(zip(value.items(), kinds, strict=True)):
        if one is None or (one == [] and usual.startswith("an object")):
            odd[place] = {"item_id": name}
        elif kind in ("", usual) or _are_columns(one, first):
            rest[name] = one
        else:
            why = f"the value of {name!r:.60} must be {usual}, as elsewhere; got {one!r:.60}"
            odd[place] = Broken(why)
    return rest, odd


def _are_columns(one: Any, other: Any) -> bool:
    """Whether two objects have the same keys, as columns have that hold values of all rows."""
    return isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys()


def _form_of(value: Any) -> str:
    """What a value is, in words; empty for what may stand anywhere: nothing."""
    if value is None or value == []:
        return ""
    if isinstance(value, dict):
        numbers = value and all(type(one) in _NUMBERS for one in value.values())
        return "an object of numbers" if numbers else "an object"
    if isinstance(value, list):
        return _LISTS.get(type(value[0]), "a list of values")
    return _SINGLE.get(type(value), "a value")
