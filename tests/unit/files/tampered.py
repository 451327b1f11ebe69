"""Parquet files taken apart and put together otherwise: the tests' own codec of Thrift's protocol.

A struct is a list of `[field, kind, value]` in the order of the file, so that it may also hold
what no writer writes, such as a field twice.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet

I32, I64, DOUBLE, TEXT, LIST, STRUCT = 5, 6, 7, 8, 9, 12
Struct = list[list[Any]]
Page = tuple[bytes, bytes]  # header and content


def unsigned(n: int) -> bytes:
    """A number in as few groups of seven bits as it has."""
    groups = bytearray()
    while n > 127:
        groups.append(n & 127 | 128)
        n >>= 7
    return bytes([*groups, n])


def _integer(n: int) -> bytes:
    return unsigned(n << 1 ^ n >> 63)


class _Reader:
    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at

    def taken(self, n: int) -> bytes:
        self.at += n
        return self.data[self.at - n : self.at]

    def unsigned(self) -> int:
        value = shift = 0
        while (byte := self.taken(1)[0]) > 127:
            value |= (byte & 127) << shift
            shift += 7
        return value | byte << shift

    def struct(self) -> Struct:
        fields, number = list[list[Any]](), 0
        while head := self.taken(1)[0]:
            number += head >> 4
            fields.append([number, head & 15, self.value(head & 15)])
        return fields

    def value(self, kind: int) -> Any:
        if kind == STRUCT:
            return self.struct()
        if kind == LIST:
            head = self.taken(1)[0]
            n = head >> 4 if head >> 4 < 15 else self.unsigned()
            return head & 15, [self.value(head & 15) for _ in range(n)]
        if kind == TEXT:
            return self.taken(self.unsigned())
        if kind < I32:  # true or false, which the kind itself says
            return None
        number = self.unsigned()
        return number >> 1 ^ -(number & 1)


def packed(fields: Struct) -> bytes:
    """A struct in bytes; fields whose numbers don't rise have them written out."""
    data, last = bytearray(), 0
    for number, kind, value in fields:
        near = 0 < number - last < 16
        data += bytes([(number - last) << 4 | kind]) if near else bytes([kind]) + _integer(number)
        data += _packed(kind, value)
        last = number
    return bytes([*data, 0])


def _packed(kind: int, value: Any) -> bytes:
    if kind == STRUCT:
        return packed(value)
    if kind == LIST:
        inner, values = value
        head = bytes([15 << 4 | inner]) + unsigned(len(values))
        return head + b"".join(_packed(inner, one) for one in values)
    if kind == TEXT:
        return unsigned(len(value)) + bytes(value)
    return b"" if kind < I32 else _integer(value)


def field(fields: Struct, number: int) -> list[Any]:
    """A field of a struct by its number."""
    return next(one for one in fields if one[0] == number)


def written(table: pa.Table, **options: Any) -> bytes:
    """A table as a Parquet file."""
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink, **options)
    return sink.getvalue()


def rebuilt(
    data: bytes,
    n_rows: int,
    pages: Callable[[list[Struct], list[bytes]], list[Page]],
    **column: Any,
) -> bytes:
    """A file of one column and group with other pages.

    Args:
        data: the file.
        n_rows: what its footer says.
        pages: new ones, from headers and contents of the present ones.
        column: what the footer says of the column: n_values, unpacked, encodings.
    """
    length = int.from_bytes(data[-8:-4], "little")
    body, footer = data[: -8 - length], _Reader(data, len(data) - 8 - length).struct()
    group = field(footer, 4)[2][1][0]
    told = field(field(group, 1)[2][1][0], 3)[2]
    headers, contents = _pages(data, told)
    made = pages(headers, contents)
    starts = [len(body), len(body) + len(made[0][0] + made[0][1])]
    is_dictionary = made[0][0].startswith(packed([[1, I32, 2]])[:-1])
    told[:] = [one for one in told if one[0] not in (11, 12, 13, 16)]  # no statistics
    if is_dictionary:
        told.append([11, I64, starts[0]])
    field(told, 9)[2] = starts[is_dictionary]
    field(told, 7)[2] = sum(len(header + content) for header, content in made)
    field(told, 6)[2] = column.get("unpacked", field(told, 6)[2])
    field(told, 5)[2] = column.get("n_values", n_rows)
    field(told, 2)[2] = (I32, column.get("encodings", field(told, 2)[2][1]))
    field(footer, 3)[2] = field(group, 3)[2] = n_rows
    end = packed(footer)
    new = b"".join(header + content for header, content in made)
    return body + new + end + len(end).to_bytes(4, "little") + b"PAR1"


def _pages(data: bytes, told: Struct) -> tuple[list[Struct], list[bytes]]:
    values = field(told, 9)[2]
    start = min([values, *(one[2] for one in told if one[0] == 11 and one[2])])
    reader, headers, contents = _Reader(data, start), list[Struct](), list[bytes]()
    while reader.at < start + field(told, 7)[2]:
        headers.append(reader.struct())
        contents.append(reader.taken(field(headers[-1], 3)[2]))
    return headers, contents


def levels(n: int, value: int) -> bytes:
    """Whether each of `n` values is there, as a run: 1 for all, 0 for none."""
    run = unsigned(n << 1) + bytes([value])
    return len(run).to_bytes(4, "little") + run


def page_of(unpacked: int, content: bytes, n: int, *, encoding: int = 0) -> Struct:
    """The header of a page of values."""
    values = [[1, I32, n], [2, I32, encoding], [3, I32, 3], [4, I32, 3]]
    return [[1, I32, 0], [2, I32, unpacked], [3, I32, len(content)], [5, STRUCT, values]]
