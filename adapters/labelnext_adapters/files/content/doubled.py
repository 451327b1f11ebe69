"""JSON whose objects may have a key twice, of which JSON readers only keep the last."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from labelnext_adapters.files.content.oddities import Broken

_TWICE = "a record must have each key once; it has {!r:.60} twice"


class Doubled(dict[str, Any]):
    """An object with keys that are there twice, made of its pairs of keys and values.

    Attributes:
        keys_twice: those keys.
    """

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(key for key, _ in pairs)
        self.keys_twice = tuple(key for key, n in counts.items() if n > 1)


def loads(text: str, *, one: bool = False) -> Any:
    """A JSON value, in which `Broken` stands for each record that has a key twice.

    In an object from id to record, it stands for the record of an id that is there twice.

    Args:
        text: the JSON.
        one: whether it is one record.

    Raises:
        ValueError: if it isn't JSON.
        RecursionError: if it is nested too deep.

    Example:
        >>> loads('[{"id": "a", "cat": 0.9, "cat": 0.1}, {"id": "b"}]')[0].why
        "a record must have each key once; it has 'cat' twice"
        >>> loads('{"a": 0.9, "a": 0.1, "b": 0.6}')["a"].why
        "a record must have each key once; it has 'a' twice"
    """
    met: list[Doubled] = []

    def of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        record = dict(pairs)
        if len(record) == len(pairs):
            return record
        met.append(Doubled(pairs))
        return met[-1]

    value = json.loads(text, object_pairs_hook=of_pairs)
    if not met:
        return value
    return _record(value) if one else marked(value)


def marked(value: Any) -> Any:
    """A file's value with `Broken` in place of its records that hold a `Doubled`.

    Example:
        >>> marked([Doubled([("a", 1), ("a", 2)]), {"a": 3}])[1]
        {'a': 3}
    """
    if isinstance(value, list):
        return [_record(one) for one in value]
    if isinstance(value, dict):
        inside = value.items()
        found = {k: marked(v) if isinstance(v, list) else _record(v) for k, v in inside}
        twice = value.keys_twice if isinstance(value, Doubled) else ()
        return found | {key: Broken(_TWICE.format(key)) for key in twice}
    return value


def _record(value: Any) -> Any:
    """A record, or why it can't be used."""
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, Doubled):
            return Broken(_TWICE.format(one.keys_twice[0]))
        stack += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
    return value
