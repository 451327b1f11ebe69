"""Arrow files and streams: whole, valid, and no larger than they may be once unpacked."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from labelnext.errors import InvalidInput
from labelnext_adapters.files.content.unpacked import limit_of
from labelnext_adapters.files.tables.arrow import written_out

MARK = b"ARROW1"  # at both ends of a file
_OLD = b"FEA1"  # of the first version of Feather
_BETWEEN = 128  # bytes that may be no part of a message: fewer than the shortest has
_DICTIONARY, _BATCH = 2, 3  # kinds of message, as Arrow's format numbers them


def read_ipc(path: Path) -> pa.Table:
    """The table of an Arrow file, of a stream, or of a Feather file since version 2.

    Args:
        path: of the file. One that may not be held in memory is mapped.

    Raises:
        InvalidInput: if it is cut off or damaged, unpacks to too much, or is Feather 1.
    """
    packed = path.stat().st_size
    limit = limit_of(packed)
    # What another program shortens meanwhile ends a process that has mapped it.
    opened = pa.OSFile if packed <= limit.most else pa.memory_map
    with opened(str(path)) as source:
        start = source.read(len(MARK))
        if start.startswith(_OLD):
            raise _old(path.name)
        source.seek(0)
        whole = start == MARK
        n_bytes = sum(map(_unpacked, _blocks(source) if whole else _messages(source)))
        limit.check("the file", n_bytes)
        source.seek(0)
        with pa.ipc.open_file(source) if whole else pa.ipc.open_stream(source) as reader:
            table = reader.read_all()
    table.validate(full=True)  # Arrow's own code trusts offsets and indices
    limit.check("the file", sum(written_out(c) for column in table for c in column.chunks))
    return table


def schema_of(path: Path) -> pa.Schema:
    """The columns of an Arrow file or stream, without reading them."""
    with pa.OSFile(str(path)) as source:
        whole = source.read(len(MARK)) == MARK
        source.seek(0)
        with pa.ipc.open_file(source) if whole else pa.ipc.open_stream(source) as reader:
            return reader.schema


def _messages(source: Any) -> Iterator[pa.Message]:
    """The messages of a stream.

    Raises:
        InvalidInput: if the mark at its end is missing, or something follows.
    """
    messages, end = pa.ipc.MessageReader.open_stream(source), 0
    for message in messages:
        end = source.tell()
        yield message
    rest = source.size() - source.tell()
    if source.tell() == end or rest:
        why = f"{rest:,} bytes follow that mark" if rest else "it ends without one"
        raise InvalidInput(
            f"an Arrow stream must end with the mark of its end; {why}, so rows may be missing.",
            hint="write it again, and close its writer.",
        )


def _blocks(source: Any) -> Iterator[pa.Message]:
    """The messages that a file's footer names.

    Raises:
        InvalidInput: if it has no footer, or one that leaves something out.
    """
    size = source.size()
    source.seek(max(size - len(MARK) - 4, 0))
    tail = source.read()
    if not tail.endswith(MARK) or size < 2 * len(MARK) + 4:
        raise InvalidInput(
            "an Arrow file must end with its footer; it is cut off or damaged.",
            hint="write or copy it again, and close its writer.",
        )
    source.seek(0)
    schema = pa.ipc.open_file(source).schema  # checks the footer
    end = size - len(tail) - int.from_bytes(tail[:4], "little")
    source.seek(end)
    footer = source.read(size - len(tail) - end)
    fields = [_field(footer, _root(footer), number) for number in (2, 3)]  # dictionaries, batches
    blocks = np.concatenate([_numbers(footer, field, 3) for field in fields])
    # Of 64 bits, the second number has 32 and 32 that are padding.
    named = int((blocks[:, 1] & 0xFFFFFFFF).sum() + blocks[:, 2].sum())
    start = blocks[:, 0].min() if len(blocks) else min(2 * schema.serialize().size, end)
    between = end - int(start) - named
    if not 0 <= between < _BETWEEN:
        raise InvalidInput(
            f"the footer of an Arrow file must name all of its parts; {between:,} bytes belong to "
            "none.",
            hint="write or copy it again.",
        )
    for offset in blocks[:, 0].tolist():
        source.seek(offset)
        yield pa.ipc.read_message(source)


def _unpacked(message: pa.Message) -> int:
    """The bytes to which a message's compressed buffers unpack, as each says at its start."""
    data = message.metadata.to_pybytes()
    kind_at, batch_at = _field(data, _root(data), 1), _field(data, _root(data), 2)
    kind = data[kind_at] if kind_at else 0
    if kind not in (_DICTIONARY, _BATCH) or not batch_at:
        return 0
    batch = _follow(data, batch_at)
    if kind == _DICTIONARY:
        batch = _follow(data, _field(data, batch, 1))
    if not _field(data, batch, 3):  # no compression
        return 0
    body, total = memoryview(message.body), 0
    for offset, length in _numbers(data, _field(data, batch, 2), 2).tolist():
        if length >= 8:
            total += max(int.from_bytes(body[offset : offset + 8], "little", signed=True), 0)
    return total


def _root(data: bytes) -> int:
    """Where the table of a flatbuffer begins (https://flatbuffers.dev/internals)."""
    return _follow(data, 0)


def _follow(data: bytes, at: int) -> int:
    """Where the value lies whose distance stands here."""
    return at + int(struct.unpack_from("<I", data, at)[0])


def _field(data: bytes, table: int, number: int) -> int:
    """Where a field of a table stands; 0 if it is left out."""
    slots = table - struct.unpack_from("<i", data, table)[0]
    (size,) = struct.unpack_from("<H", data, slots)
    slot = 4 + 2 * number
    (distance,) = struct.unpack_from("<H", data, slots + slot) if slot < size else (0,)
    return table + int(distance) if distance else 0


def _numbers(data: bytes, at: int, width: int) -> Any:
    """A vector of structs of so many 64-bit numbers, as an array of rows; none at 0."""
    if not at:
        return np.empty((0, width), np.int64)
    vector = _follow(data, at)
    (n,) = struct.unpack_from("<I", data, vector)
    return np.frombuffer(data, "<i8", n * width, vector + 4).reshape(n, width)


def _old(name: str) -> InvalidInput:
    return InvalidInput(
        "the file must be Feather of version 2; it is of version 1, which is read without any "
        "check for damage.",
        hint=f"convert it: import pyarrow.feather as f; "
        f"f.write_feather(f.read_table({name!r}), {name!r}).",
    )
