"""Images that lie elsewhere: over http, or in an object store with the user's own credentials."""

from __future__ import annotations

import netrc
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from functools import cache
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

from labelnext.errors import LabelnextError

_SECONDS, _WAIT = 60.0, 10.0  # for an image, and for any answer
_MOST_BYTES, _PIECE = 100_000_000, 1 << 20
_FAILURES = 20  # in a row, after which a server isn't asked again
_HTTP, _STORES = ("http", "https"), ("s3", "gs")
_WRITTEN = "%/:=&?~#+!$,;'@()*[]"  # characters of an address that stay
_SIGNED = ("signature=", "sig=")  # of an address that is another one each time


def can_fetch(address: object) -> bool:
    """Whether an address is one that `Fetcher` knows.

    Example:
        >>> can_fetch("https://example.com/a.jpg"), can_fetch("s3://b/a.jpg"), can_fetch("/a.jpg")
        (True, True, False)
    """
    return isinstance(address, str) and address.partition("://")[0] in (*_HTTP, *_STORES)


def lasting_name(address: str) -> str:
    """The part of an address that stays while the image stays.

    Example:
        >>> lasting_name("https://host/a.jpg?X-Amz-Signature=0f&X-Amz-Expires=60")
        'https://host/a.jpg'
        >>> lasting_name("https://host/image?id=7")
        'https://host/image?id=7'
    """
    path, _, query = address.partition("?")
    return path if any(sign in query.lower() for sign in _SIGNED) else address


class Fetcher:
    """Fetches images, each within a time and a size; a server that is away isn't waited for again.

    Passwords for http come from the user's .netrc; those of object stores from where their own
    tools look: the environment and configuration files.
    """

    def __init__(self) -> None:
        self._failures: Counter[str] = Counter()  # in a row, by server
        self._lock = threading.Lock()

    def __call__(self, address: str) -> bytes:
        """The bytes of an image.

        Raises:
            OSError: if it can't be had, or is too large or too slow.
            LabelnextError: if the address is no usable one.
        """
        if not can_fetch(address):
            kind = address.partition("://")[0]
            raise OSError(f"its address must start with http, https, s3 or gs; got {kind}://")
        server = urlsplit(address).netloc
        if self._failures[server] >= _FAILURES:
            raise OSError(f"{server} failed {_FAILURES} times in a row, and isn't asked again")
        try:
            with _opened(address) as stream:
                data = b"".join(_pieces(stream))
        except HTTPError as error:
            self._note(server, failed=error.code >= 500)
            raise OSError(f"{server} answers {error.code} {error.reason}") from error
        except FileNotFoundError:
            self._note(server, failed=False)
            raise
        except (OSError, LabelnextError):
            self._note(server, failed=True)
            raise
        except (HTTPException, ValueError) as error:  # half an answer, or a port that is no number
            self._note(server, failed=True)
            raise OSError(f"{type(error).__name__}: {error}") from error
        self._note(server, failed=False)
        return data

    def _note(self, server: str, *, failed: bool) -> None:
        with self._lock:
            self._failures[server] = self._failures[server] + 1 if failed else 0


def _opened(address: str) -> IO[bytes]:
    if urlsplit(address).scheme not in _HTTP:
        path, mark, query = address.partition("?")  # of an own store: where its server is
        bucket = "/".join(path.split("/", 3)[:3])
        stored: IO[bytes] = _store(bucket + mark + query).open_input_stream(
            path.partition("://")[2]
        )
        return stored
    written = quote(address, safe=_WRITTEN)
    request = Request(written, headers={"User-Agent": "labelnext"})  # noqa: S310  # http or https
    if (user := _user_at(urlsplit(address).hostname or "")) is not None:
        # Not sent on to where the server may redirect to.
        request.add_unredirected_header("Authorization", f"Basic {user}")
    answer: IO[bytes] = urlopen(request, timeout=_WAIT)  # noqa: S310  # likewise
    return answer


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    size, end = 0, time.monotonic() + _SECONDS
    while piece := stream.read(_PIECE):
        size += len(piece)
        if size > _MOST_BYTES:
            raise OSError(f"it is larger than {_MOST_BYTES:,} bytes")
        if time.monotonic() > end:
            raise TimeoutError(f"it took longer than {_SECONDS:g} seconds")
        yield piece
    if getattr(stream, "length", 0):  # of an answer over http: what it promised and didn't give
        raise OSError("the connection ended in the middle of it")


@cache
def _store(bucket: str) -> Any:
    from labelnext.support.store import filesystem

    return filesystem(bucket)[0]


@cache
def _user_at(host: str) -> str | None:
    """The user and password for a server in the user's .netrc, as http sends them."""
    try:
        known = netrc.netrc(Path.home() / ".netrc").authenticators(host)
    except (OSError, RuntimeError, netrc.NetrcParseError):
        return None
    return None if known is None else b64encode(f"{known[0]}:{known[2]}".encode()).decode()
