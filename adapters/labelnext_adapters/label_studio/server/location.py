"""Where a server finally answers: its address after the redirects, found without the token."""

from __future__ import annotations

from typing import Any

import httpx

from labelnext.errors import NotFound
from labelnext_adapters.label_studio.server.refusals import redirected, secure

_MOST = 10  # redirects before an address counts as one that never ends
_PROBE = "api/version"


def find_base(http: httpx.Client, url: str) -> str:
    """The address of the server: the same, or where it redirects on the same host.

    Args:
        http: that follows no redirects and has no token.
        url: without a slash at its end.

    Raises:
        NotFound: if it redirects without end, to another host or port, from https to http, or to
            an address that is no server's.
        httpx.RequestError: if nothing answers.

    Example:
        >>> def answer(request):
        ...     if request.url.scheme == "https":
        ...         return httpx.Response(200)
        ...     there = str(request.url).replace("http:", "https:")
        ...     return httpx.Response(301, headers={"Location": there})
        >>> find_base(httpx.Client(transport=httpx.MockTransport(answer)), "http://host/labels")
        'https://host/labels'
    """
    there = httpx.URL(f"{url}/{_PROBE}")
    for _ in range(_MOST):
        response = _asked(http, there)
        if response.status_code == 400 and there.scheme == "http" and b"HTTPS" in response.content:
            raise NotFound(
                f"url must begin with https, which the server expects there; got {url!r}.",
                hint=f"write {secure(url)}.",
            )
        if not response.has_redirect_location:
            return _base(there, url)
        after = there.join(response.headers["location"])
        same = (after.scheme, after.port) == (there.scheme, there.port)
        if after.host != there.host or not (
            same or (there.scheme, after.scheme) == ("http", "https")
        ):  # another port may be another's server
            raise redirected(url, _PROBE, str(after))
        there = after
    raise redirected(url, _PROBE, f"{there} without end")


def _asked(http: httpx.Client, there: httpx.URL) -> httpx.Response:
    """The answer; asked once more if the connection was reset."""
    arguments: dict[str, Any] = {"follow_redirects": False}
    try:
        return http.get(there, **arguments)
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
        return http.get(there, **arguments)


def _base(there: httpx.URL, url: str) -> str:
    path = there.path.rstrip("/")
    if not path.endswith(f"/{_PROBE}"):
        raise redirected(url, _PROBE, str(there))
    return str(there.copy_with(path=path.removesuffix(f"/{_PROBE}") or "/", query=None)).rstrip("/")


__all__ = ["find_base"]
