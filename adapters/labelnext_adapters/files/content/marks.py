"""Byte order marks of UTF-8 in a text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from labelnext_adapters.files.content.content import byte_blocks

_MARK = b"\xef\xbb\xbf"


def text_blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a text in UTF-8, as of `byte_blocks`, without byte order marks.

    Where files that begin with one were put together, so do lines in the middle. In a text without
    a mark at its start, a line that begins with one is what somebody wrote.

    Raises:
        InvalidInput: as for `byte_blocks`.
    """
    return _unmarked(byte_blocks(path))  # here, in the thread that knows the limit


def _unmarked(blocks: Iterator[bytes]) -> Iterator[bytes]:
    start = b""
    while len(start) < len(_MARK) and (block := next(blocks, None)):
        start += block
    if not start.startswith(_MARK):
        yield from chain([start] if start else [], blocks)
        return
    held, n_added = b"", 1
    for block in chain([b"\n" + start], blocks):
        if held or not block.isascii() or block.endswith(b"\n"):
            block = (held + block).replace(b"\n" + _MARK, b"\n")
            end = block.rfind(b"\n")
            held = block[end:] if 0 <= end >= len(block) - len(_MARK) else b""
            block = block[: len(block) - len(held)]
        if block[n_added:]:
            yield block[n_added:]
        n_added = 0 if block else n_added
    if held[n_added:]:
        yield held[n_added:]
