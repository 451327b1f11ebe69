"""Objects from an item to what is said of it, one on each line, as a single one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from labelnext_adapters.files.content.marks import text_blocks
from labelnext_adapters.files.content.oddities import FEW, Broken, mostly
from labelnext_adapters.files.json.roles import Roles

_FIRST = 20  # lines or records that show it
_SAID = (dict, list, int, float)


def as_one(records: Sequence[tuple[str, Any]], roles: Roles) -> dict[str, Any] | None:
    """The objects as one, if their keys tell items apart; else None.

    `Broken` stands for what is said twice, and for the few records of another form.

    Args:
        records: each with its place in the file.
        roles: of the columns.

    Example:
        >>> as_one([("line 1", {"a": [0.9, 0.1]}), ("line 2", {"b": [0.5, 0.5]})], Roles())
        {'a': [0.9, 0.1], 'b': [0.5, 0.5]}
    """
    fits = [_says(record) for _, record in records]
    if sum(fits) < 2 or not mostly(fits):
        return None
    fitting = [record for (_, record), fit in zip(records, fits, strict=True) if fit]
    names = [name for record in fitting for name in record]
    if len(names) - len(set(names)) > FEW * len(names) or roles.id_among(names) is not None:
        return None
    whole: dict[str, Any] = {}
    for (place, record), fit in zip(records, fits, strict=True):
        if not fit:
            whole[place] = record
            continue
        for name, value in record.items():
            new = value if whole.get(name, value) == value else Broken("its id is there twice")
            whole[name] = new
    return whole


def lines_are_keyed(path: Path, roles: Roles) -> bool:
    """Whether the first lines of a file are such objects."""
    start = next(text_blocks(path), b"")
    lines: Iterable[bytes] = (line for line in start.split(b"\n")[:-1] if line.strip())
    records: list[Any] = []
    for line in islice(lines, _FIRST):
        try:
            records.append(json.loads(line))
        except (ValueError, RecursionError):
            records.append(None)
    return are_keyed(records, roles)


def are_keyed(records: Sequence[Any], roles: Roles) -> bool:
    """Whether the first records are such objects."""
    return as_one([("", record) for record in records[:_FIRST]], roles) is not None


def _says(record: Any) -> bool:
    """Whether a record may say something of each of its keys."""
    values = record.values() if isinstance(record, dict) else ()
    return bool(values) and all(type(value) in _SAID for value in values)
