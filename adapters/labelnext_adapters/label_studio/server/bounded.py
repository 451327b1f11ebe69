"""Answers that neither fill the memory nor trickle for hours."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx

_MOST = 1 << 30  # bytes, as they come: the largest honest answers are a tenth of it
_PATIENCE = 60.0  # seconds in which an answer may be slow
_SLOWEST = 1000  # bytes a second, after that; a slow telephone has ten times as many


class _Bounded(httpx.SyncByteStream):
    def __init__(self, response: httpx.Response) -> None:
        self._stream, self._request = response.stream, response.request

    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self._stream, httpx.SyncByteStream)
        size, begun, slow = 0, time.monotonic(), 0.0
        for block in self._stream:
            size += len(block)
            if size > _MOST:
                raise httpx.DecodingError("an answer has more than 1 GiB", request=self._request)
            if slow:  # only now, as that may have been its end
                raise httpx.DecodingError(
                    f"an answer came at {slow:.0f} bytes a second", request=self._request
                )
            taken = time.monotonic() - begun
            slow = size / taken if taken > _PATIENCE and size < _SLOWEST * taken else 0.0
            yield block

    def close(self) -> None:
        """Let go of the connection."""
        assert isinstance(self._stream, httpx.SyncByteStream)
        self._stream.close()


def bound(response: httpx.Response) -> None:
    """Refuse an answer of more than 1 GiB, and one that trickles: a hook of httpx for responses.

    Raises:
        httpx.DecodingError: while it is read.
    """
    response.stream = _Bounded(response)
