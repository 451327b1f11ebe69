"""What an address and a token of Label Studio must look like."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import SecretStr


def checked_url(url: str) -> str:
    """The address of a server, without the slash at its end.

    Raises:
        ValueError: if it is none, or holds a password.

    Example:
        >>> checked_url("http://localhost:8080/")
        'http://localhost:8080'
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must begin with http:// or https:// and name a host")
    if parts.username or parts.password:
        raise ValueError("must not hold a user name or password; api_key is the place")
    return url.strip().rstrip("/")


def checked_key(key: SecretStr) -> SecretStr:
    """A token, without the spaces around it.

    Raises:
        ValueError: if it cannot be one; the message does not show it.
    """
    text = key.get_secret_value().strip()
    if not text:
        raise ValueError("must not be empty; copy it from Account & Settings in Label Studio")
    # An HTTP library would put a key that is no header value into its own error message.
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be a token without spaces, line ends or other signs")
    return SecretStr(text)
