"""JSON lines to columns, a block at a time, where all lines have the types of the first ones."""

from __future__ import annotations

import json
import re
import struct
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from labelnext_adapters.files.content.marks import text_blocks
from labelnext_adapters.files.json.types import merged, type_of

_SAMPLED = 200
_LONGEST = 1000  # list whose length is a part of its type
_SPACED = re.compile(rb'(?<!\\)"[ \t]+:')  # a key before a space
_ANY: Mapping[str, int] = {}  # no length is known
_PLAIN = {pa.bool_(): bool, pa.string(): str, pa.int64(): int, pa.float64(): float}


def table_of_lines(path: Path) -> pa.Table | None:
    """The lines of a file as a table; None where one isn't a record with the types of the first.

    A text stays text, whatever it looks like, and a number stays the kind of number it is.

    Args:
        path: of the file.

    Raises:
        InvalidInput: if it can't be decompressed.
    """
    blocks = _whole_lines(path)
    first = next(blocks, b"")
    sample = _sampled(first)
    kind = _record_type(sample)
    if kind is None:
        return None
    parts: list[list[pa.Array]] = [[] for _ in kind]
    try:
        for block, records in _decoded(chain([first], blocks), kind, _lengths(sample)):
            if not _one_a_line(block, len(records)):
                return None
            for i, column in enumerate(parts):
                values = list(map(attrgetter(f"f{i}"), records))
                column.append(_column(values, kind.field(i).type))
            last = [column[-1] for column in parts]
            if _doubled(block, *_met(kind, last, len(records))) or _empty(block, last):
                return None
    except (msgspec.DecodeError, pa.ArrowException, ValueError, OverflowError, RecursionError):
        return None
    # One piece each, and its blocks freed, so that no reader has to copy it again.
    whole = [pa.concat_arrays(parts.pop(0)) for _ in kind]
    return pa.table(whole, schema=pa.schema(list(kind)))


def _whole_lines(path: Path) -> Iterator[bytes]:
    """Blocks that end with a line, without empty lines at the end."""
    rest: list[memoryview] = []
    for block in text_blocks(path):
        view, end = memoryview(block), block.rfind(b"\n") + 1
        if end:
            yield b"".join([*rest, view[:end]])
            rest = []
        rest.append(view[end:])
    last = b"".join(rest).rstrip()
    if last:
        yield last + b"\n"


def _one_a_line(block: bytes, n_records: int) -> bool:
    """Whether each line is one of so many records: a line may only end where a record does."""
    signs = np.frombuffer(block, dtype=np.uint8)
    ends = np.flatnonzero(signs == ord("\n"))
    last = signs[ends - 1]
    last = np.where(last == ord("\r"), signs[ends - 2], last)
    begun = signs[ends[:-1] + 1] == ord("{")
    return len(ends) == n_records and bool((last == ord("}")).all() and begun.all())


def _empty(block: bytes, columns: Sequence[pa.Array]) -> bool:
    """Whether a record has nothing in it, which is to be told."""
    bare = all(column.null_count for column in columns)
    return bare and (block.startswith(b"{}") or b"\n{}" in block)


def _met(
    fields: Iterable[pa.Field], columns: Iterable[pa.Array], n_records: int
) -> tuple[Counter[str], Counter[str]]:
    """By key, how often it stands in records that have it once, and how many have null or lack it.

    Those of the records inside, also in lists, count by their own number.
    """
    places, nulls = Counter[str](), Counter[str]()
    for field, column in zip(fields, columns, strict=True):
        places[field.name] += n_records
        nulls[field.name] += column.null_count
        while pa.types.is_list(column.type):
            column = column.values
        if pa.types.is_struct(column.type):
            inside = map(column.field, range(column.type.num_fields))
            more = _met(column.type, inside, len(column))
            places, nulls = places + more[0], nulls + more[1]
    return places, nulls


def _doubled(block: bytes, places: Counter[str], nulls: Counter[str]) -> bool:
    """Whether a record may have a key twice: decoders only keep the last of two.

    Args:
        block: the lines.
        places: by key, how often it stands there if each record has it once.
        nulls: by key, how many records have null there or lack it.

    Example:
        >>> _doubled(b'{"a": 1, "a": 2}', Counter(a=1), Counter())
        True
        >>> _doubled(b'{"a": "a"}', Counter(a=1), Counter())
        False
    """
    room = places.total()
    if not nulls.total() and block.count(b":") == room:
        return False  # the quickest to count, where no text has a colon
    if (b" :" in block or b"\t:" in block) and _SPACED.search(block):
        return True
    if _count(block, {b'"'}, nulls.total()) == room:
        return False  # there is no room for one more
    return any(
        _count(block, {json.dumps(key, ensure_ascii=x).encode() for x in (True, False)}, nulls[key])
        > n
        for key, n in places.items()
    )


def _count(block: bytes, ends: Collection[bytes], n_nulls: int) -> int:
    """How often keys that end so stand there, or are lacked by a record."""
    found = sum(block.count(b"%b:" % end) for end in ends)
    if not n_nulls:
        return found
    stated = sum(block.count(end + null) for end in ends for null in (b": null", b":null"))
    return found + max(n_nulls - stated, 0)


def _sampled(block: bytes) -> list[Any]:
    """The first lines."""
    values = []
    for line in block[: 1 << 18].split(b"\n")[:_SAMPLED]:
        try:
            values.append(json.loads(line))
        except (ValueError, RecursionError):
            break  # cut off by the sample, or no JSON: who reads the lines one by one says where
    return values


def _record_type(sample: Iterable[Any]) -> pa.StructType | None:
    """The type of these values, if they are records that agree and each type is known."""
    kind: pa.DataType | None = pa.null()
    for record in sample:
        kind = merged(kind, type_of(record))
        if kind is None or not pa.types.is_struct(kind):
            return None
    return kind if pa.types.is_struct(kind) else None


def _lengths(sample: Iterable[Any]) -> dict[str, int]:
    """The lengths of the lists of records, by name, where all have the same."""
    found: dict[str, set[int]] = {}
    for record in sample:
        for name, value in record.items() if isinstance(record, dict) else ():
            if isinstance(value, list):
                found.setdefault(name, set()).add(len(value))
    return {name: sizes.pop() for name, sizes in found.items() if len(sizes) == 1}


def _decoded(
    blocks: Iterable[bytes], kind: pa.StructType, lengths: Mapping[str, int]
) -> Iterator[tuple[bytes, list[Any]]]:
    """Each block with its records; lists of known lengths take less time.

    Raises:
        ValueError: if a record has another type, or a name can't be decoded.
    """
    decoder = msgspec.json.Decoder(_python_type(kind, lengths))
    for block in blocks:
        try:
            records = decoder.decode_lines(block)
        except msgspec.ValidationError:  # a list of another length, if it isn't worse
            decoder = msgspec.json.Decoder(_python_type(kind))
            records = decoder.decode_lines(block)
        yield block, records


def _python_type(kind: pa.DataType, lengths: Mapping[str, int] = _ANY) -> Any:
    """The type that a decoder of JSON needs: a class with the fields f0, f1, … for a record."""
    if pa.types.is_struct(kind):
        fields = [
            (f"f{i}", _or_none(field.type, lengths.get(field.name)), None)
            for i, field in enumerate(kind)
        ]
        theirs = {f"f{i}": field.name for i, field in enumerate(kind)}
        return msgspec.defstruct(
            "Record", fields, rename=theirs, forbid_unknown_fields=True, gc=False
        )
    return tuple[_or_none(kind.value_type), ...] if pa.types.is_list(kind) else _PLAIN[kind]  # type: ignore[misc]  # made at run time


def _or_none(kind: pa.DataType, length: int | None = None) -> Any:
    if pa.types.is_null(kind):
        return None
    if length is not None and length <= _LONGEST:
        return tuple[(_or_none(kind.value_type),) * length] | None  # type: ignore[misc]  # as above
    return _python_type(kind) | None


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Values as a column; those of lists and records in columns of their own."""
    if not pa.types.is_nested(kind):
        return pa.array(values, kind)
    missing = None
    if None in values:
        missing = pa.array([value is None for value in values])
    if pa.types.is_struct(kind):
        parts = [_column(_members(values, i, missing), f.type) for i, f in enumerate(kind)]
        return pa.StructArray.from_arrays(parts, fields=list(kind), mask=missing)
    lists = values if missing is None else [value or () for value in values]
    offsets = np.zeros(len(lists) + 1, dtype=np.int32)
    np.cumsum(np.fromiter(map(len, lists), dtype=np.int32, count=len(lists)), out=offsets[1:])
    try:
        inner = _numbers(chain.from_iterable(lists), int(offsets[-1]), kind.value_type)
    except struct.error:  # not of numbers alone
        inner = _column(list(chain.from_iterable(lists)), kind.value_type)
    return pa.ListArray.from_arrays(pa.array(offsets), inner, type=kind, mask=missing)


def _numbers(values: Iterator[Any], n: int, kind: pa.DataType) -> pa.Array:
    """Floats as a column, in a fraction of Arrow's time.

    Raises:
        struct.error: if they are something else, or one is None.
    """
    if not pa.types.is_floating(kind):
        raise struct.error
    packed = pa.py_buffer(struct.pack(f"{n}d", *values))
    return pa.Array.from_buffers(kind, n, [None, packed])


def _members(values: list[Any], index: int, missing: pa.Array | None) -> list[Any]:
    """A field of each record; None where there is no record."""
    of = attrgetter(f"f{index}")
    if missing is None:
        return list(map(of, values))
    return [None if value is None else of(value) for value in values]
