"""A long list in JSON, decoded part by part as it comes in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

BLOCK = 1_000_000  # bytes that are decoded at a time
_TRIES = 8  # places for a cut that are tried before more is waited for
# Between two rows; the server writes a row's number first. A list inside a row may look like this,
# too: what is cut off there is no JSON, which the decoder notices.
_CUT = re.compile(rb'\},(?=\{"id":\d)')


def decode_rows(
    parts: Iterable[bytes], decode: Callable[[bytes], list[T]], *, block: int = BLOCK
) -> Iterator[list[T]]:
    """The rows of a list, some at a time; memory holds one block and not the list.

    What begins with a row and is JSON once its bracket is closed consists of whole rows: nothing
    that is cut inside a row is JSON.

    Args:
        parts: the bytes of the list, in order, cut anywhere.
        decode: a list in JSON to its rows.
        block: how many bytes to gather before rows are looked for.

    Raises:
        ValueError: of `decode`, if the bytes are no list in JSON.

    Example:
        >>> import json
        >>> parts = [b'[{"id":1},{"id":2,"of":', b'[{"id":8},{"id":9}]}]']
        >>> list(decode_rows(parts, json.loads, block=10))
        [[{'id': 1}], [{'id': 2, 'of': [{'id': 8}, {'id': 9}]}]]
    """
    held, wanted = bytearray(), block
    for part in parts:
        held += part
        if len(held) < wanted:
            continue
        rows, end = _whole_rows(held, decode)
        if rows:
            yield rows
            held[:end] = b"["
        # Where no cut was found a row is longer than a block, or rows are written otherwise.
        wanted = block if rows else 2 * len(held)
    yield decode(bytes(held))


def _whole_rows(held: bytearray, decode: Callable[[bytes], list[T]]) -> tuple[list[T], int]:
    """The rows that are there as a whole, and where the next one begins."""
    places = [match.end() for match in _CUT.finditer(held)][-_TRIES:]
    for end in reversed(places):
        with suppress(ValueError):
            return decode(bytes(held[: end - 1]) + b"]"), end
    return [], 0


__all__ = ["decode_rows"]
