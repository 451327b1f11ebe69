"""Which server an address means, however it is spelled."""

from __future__ import annotations

from urllib.parse import urlsplit

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_PORTS = {"http": 80, "https": 443}


def server_of(url: str) -> str:
    """A server, the same for each of its usual spellings, with http or https; no password.

    Example:
        >>> server_of("http://127.0.0.1:80/"), server_of("HTTPS://LocalHost")
        ('//localhost', '//localhost')
        >>> server_of(server_of("https://label.example.org:8443/next/"))
        '//label.example.org:8443/next'
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    host = "localhost" if host in _THIS_MACHINE else host
    port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"//{host}{port}{parts.path.rstrip('/')}"


__all__ = ["server_of"]
