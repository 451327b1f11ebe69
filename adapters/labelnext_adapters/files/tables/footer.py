"""What the footer of a Parquet file says of its columns, and the header of each of their pages.

pyarrow's own object for a column ends the process where a footer is damaged, with no exception:
sizes that can't be are noticed only in C++. So the footer is read here, as pyarrow writes it back
(https://github.com/apache/parquet-format, in Thrift's compact protocol).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import pyarrow as pa

from labelnext.support import loops

_TEXT_TYPE, _FIXED = 6, 7  # how values are stored; the others are numbers
_OFFSET = 4  # bytes, of a list
_WIDTHS = (1, 4, 8, 8, 4, 8, 4, 16)  # Arrow's bytes of each kind of value: of texts, an offset
_TRUE, _BYTE, _DOUBLE, _TEXT, _LIST, _SET, _MAP, _STRUCT = 1, 3, 7, 8, 9, 10, 11, 12
_PLAIN = 0  # the codec of what isn't compressed
_CODECS = {1: "snappy", 2: "gzip", 4: "brotli", 6: "zstd", 7: "lz4_raw"}  # that Arrow offers
_HEADERS = (1 << 12, 1 << 16, 1 << 20)  # bytes of a page's header: usual, long, and longest
_VALUES = {
    0: (5, 2),
    3: (8, 4),
}  # where a page tells of its values, and their encoding, by its type
_DICTIONARY = 2  # the type of a page
_FIELDS = 1 << 15  # their numbers are below
_SHARED = {2, 7, 8}  # encodings: PLAIN_DICTIONARY, DELTA_BYTE_ARRAY, RLE_DICTIONARY
_NUMBERED = {2, 8}  # those that number the values of a dictionary
_ALONE = 0  # PLAIN, which writes each value by itself


@dataclass(frozen=True)
class Chunk:
    """One column in one group of rows.

    Attributes:
        path: its name, of a nested one with dots.
        is_text: whether values differ in length.
        width: bytes that a value takes in memory, even one that is null; of texts, beside its own.
        n_values: how many there are.
        packed: bytes in the file.
        unpacked: bytes once decompressed.
        shared: whether a value that repeats may be stored once.
        start: where its first page begins in the file.
        codec: by which its pages are compressed; 0 where they aren't.
    """

    path: str
    is_text: bool
    width: int
    n_values: int
    packed: int
    unpacked: int
    shared: bool
    start: int
    codec: int


def chunks_of(footer: Any) -> Sequence[Sequence[Chunk]]:
    """The columns of each group of rows.

    Args:
        footer: the `FileMetaData`.

    Raises:
        ValueError: if the groups have other rows than the file.
    """
    sink = pa.BufferOutputStream()
    footer.write_metadata_file(sink)
    return _chunks(sink.getvalue().to_pybytes())


@lru_cache(maxsize=4)  # parts of one file come one after the other
def _chunks(data: bytes) -> list[list[Chunk]]:
    footer = _Compact(data, len(b"PAR1")).struct()
    rows = sum(group.get(3, 0) for group in footer[4])
    if rows != footer[3]:
        raise ValueError(f"its footer tells of {footer[3]} rows in all, and of {rows} in groups")
    lengths = [max(told.get(2, 0), 0) for told in footer[2] if not told.get(5)]  # of the leaves
    return [
        [
            _chunk(column.get(3, {}), max(group.get(3, 0), 0), length)
            for column, length in zip(group.get(1, ()), lengths, strict=True)
        ]
        for group in footer[4]
    ]


def _chunk(told: dict[int, Any], n_rows: int, length: int) -> Chunk:
    kind, names = told.get(1, _TEXT_TYPE), told.get(3, ())
    width = _WIDTHS[kind] if 0 <= kind < len(_WIDTHS) else 0
    deeper = max(len(names) - 3, 0) // 2  # lists in lists, each of which has an offset
    return Chunk(
        path=".".join(name.decode("utf-8", "replace") for name in names),
        is_text=kind == _TEXT_TYPE,
        width=(max(width, length) if kind == _FIXED else width) + _OFFSET * deeper,
        n_values=max(told.get(5, 0), n_rows),  # as many as there are rows, whatever is said
        packed=max(told.get(7, 0), 0),
        unpacked=max(told.get(6, 0), 0),
        shared=bool(_SHARED.intersection(told.get(2, ()))),
        start=_start(told),
        codec=told.get(4, _PLAIN),
    )


def _start(told: dict[int, Any]) -> int:
    """Where a column begins: with its dictionary, if that comes before its values."""
    values, texts = int(told.get(9, 0)), int(told.get(11, 0))
    return texts if 0 < texts < values else max(values, 0)


class Pages(NamedTuple):
    """What the headers of a column's pages say.

    Attributes:
        unpacked: the bytes that they unpack to; 0 where they weren't looked at.
        shared: whether a value that repeats may be stored once.
        dictionary: where its page begins behind the header, and its bytes packed and unpacked, if
            every value is written by itself or is one of it; it comes first.
    """

    unpacked: int
    shared: bool
    dictionary: tuple[int, int, int] | None


def pages_of(file: Any, chunk: Chunk) -> Pages:
    """What the pages of a column unpack to and how they are written, whatever the footer says.

    Arrow makes room for what a page's own header says, and decodes it as that says.

    Args:
        file: open for reading, with `seek`.
        chunk: of the file; looked at where it is compressed, or of texts.

    Raises:
        ValueError: if a page can't be one.
    """
    at, total, n_values = chunk.start, 0, 0
    encodings: list[tuple[int, int | None]] = []  # of each page, after its type
    first: tuple[int, int, int] | None = None
    looked_at = chunk.codec != _PLAIN or chunk.is_text
    while looked_at and n_values < chunk.n_values and at < chunk.start + chunk.packed:
        told, length = _page(file, at)
        try:
            kind, unpacked, packed = told[1], told[2], told[3]
            field, place = _VALUES.get(kind, (None, 0))
            n, encoding = (0, None) if field is None else (told[field][1], told[field][place])
            if min(unpacked, packed, n) < 0:
                raise ValueError("a negative size")
        except (LookupError, TypeError, ValueError) as error:
            raise ValueError(f"a page of column {chunk.path} says no sizes ({error})") from error
        encodings.append((kind, encoding))
        first = first or (at + length, packed, unpacked)
        total += unpacked
        n_values += n
        at += length + packed
    shared = any(encoding in _SHARED for _, encoding in encodings)
    known = {(_DICTIONARY, None)}.issuperset(encodings[:1])
    known &= {*_NUMBERED, _ALONE}.issuperset(encoding for _, encoding in encodings[1:])
    return Pages(total, shared, first if known else None)


def texts_at_most(file: Any, chunk: Chunk, pages: Pages) -> float:
    """The bytes of a column's texts if each were as long as the longest of its dictionary.

    Args:
        file: open for reading, with `seek`.
        chunk: of the file.
        pages: of the chunk.

    Returns:
        Infinity where its dictionary can't be looked at.

    Raises:
        ArrowException, OSError, ValueError: if the dictionary is damaged.
    """
    if not chunk.n_values:
        return 0
    if pages.dictionary is None or chunk.codec not in (_PLAIN, *_CODECS):
        return math.inf
    start, packed, unpacked = pages.dictionary
    file.seek(start)
    texts = file.read(packed)
    if chunk.codec != _PLAIN:
        texts = pa.decompress(texts, unpacked, _CODECS[chunk.codec])  # in Arrow's memory
    if (longest := loops.longest_text(texts)) < 0:
        raise ValueError(f"the dictionary of column {chunk.path} isn't whole")
    return chunk.n_values * longest


def _page(file: Any, at: int) -> tuple[dict[int, Any], int]:
    """What a page's header says, and its length."""
    for most in _HEADERS:
        file.seek(at)
        data = file.read(most)
        reader = _Compact(data, 0)
        try:
            told = reader.struct()
            if reader.at <= len(data):
                return told, reader.at
        except (IndexError, RecursionError):
            pass
        if len(data) < most:
            break
    raise ValueError(f"the page at byte {at:,} has no whole header")


class _Compact:
    """Values in Thrift's compact protocol, from a place on; fields by their numbers."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self.at = data, at

    def struct(self) -> dict[int, Any]:
        fields, number = dict[int, Any](), 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            kind = head & 15
            if number in fields or not 0 < number < _FIELDS:  # others would read another value
                raise ValueError(f"field {number} is there twice, or none")
            fields[number] = kind == _TRUE if kind < _BYTE else self._value(kind)
        return fields

    def _value(self, kind: int) -> Any:
        if kind == _STRUCT:
            return self.struct()
        if kind in (_LIST, _SET):
            head = self._byte()
            n = head >> 4 if head >> 4 < 15 else self._unsigned()
            return [self._value(head & 15) for _ in range(n)]
        if kind == _TEXT:
            return self._bytes(self._unsigned())
        if kind == _DOUBLE:
            return self._bytes(8)
        if kind <= _BYTE:  # one byte, also a truth value inside a list
            return self._byte()
        if kind == _MAP:
            raise ValueError("a Parquet footer holds no maps.")
        return self._integer()

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def _bytes(self, n: int) -> bytes:
        self.at += n
        if self.at > len(self._data):
            raise IndexError
        return self._data[self.at - n : self.at]

    def _unsigned(self) -> int:
        value = shift = 0
        while (byte := self._byte()) > 127:
            value |= (byte & 127) << shift
            shift += 7
            if shift > 63:
                raise ValueError("a number has more than 64 bits")
        return value | byte << shift

    def _integer(self) -> int:
        value = self._unsigned()
        return value >> 1 ^ -(value & 1)
