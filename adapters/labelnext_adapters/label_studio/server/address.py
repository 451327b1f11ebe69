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
        raise ValueError("must start with http:// or https:// and include a host")
    if parts.username or parts.password:
        raise ValueError("must not contain a user name or password; use api_key instead")
    return url.strip().rstrip("/")


def checked_key(key: SecretStr) -> SecretStr:
    """A token, without the spaces around it.

    Raises:
        ValueError: if it cannot be one; the message does not show it.
    """
    text = key.get_secret_value().strip()
    if not text:
        raise ValueError("must not be empty; copy it from Account & Settings in Label Studio")
    # HTTP libraries quote invalid header values in their errors, which would reveal the key.
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be a token without spaces, line breaks or special characters")
    return SecretStr(text)
