"""What an address, a project and a token of Label Studio must look like."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

# Of the pages that a server has; what stands before it is where the server is.
_PAGE = re.compile(r"/(?:(?:projects|api|docs)(?:/.*)?|user/.*|(?:organization|models|swagger)/?)$")
_HOST = re.compile(
    r"(?=.*[a-z.])[a-z0-9][\w.-]{0,60}(?::\d{1,5})?/?", re.ASCII | re.IGNORECASE
)  # no scheme
_MOST_DIGITS = 19  # of a number in a database
_NUMBER = re.compile(r"(?:^|/)projects/(\d+)(?:[/?#]|$)", re.ASCII)
_SCHEME = re.compile(r"(?:Token|Bearer)\s+", re.IGNORECASE)


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
        such = f", such as http://{url.strip()}" if _HOST.fullmatch(url.strip()) else ""
        raise ValueError(f"must start with http:// or https:// and include a host{such}")
    if parts.username or parts.password:
        raise ValueError("must not contain a user name or password; use api_key instead")
    if parts.query or parts.fragment or _PAGE.search(parts.path):
        alone = f"{parts.scheme}://{parts.netloc}{_PAGE.sub('', parts.path)}".rstrip("/")
        raise ValueError(f"must be the server's address alone, {alone}")
    return url.strip().rstrip("/")


def checked_project(project: int | str) -> int | str:
    """The number of a project, also out of the address of its page; otherwise its title.

    Raises:
        ValueError: if it is none of these.

    Example:
        >>> checked_project("http://localhost:8080/projects/7/data?tab=3"), checked_project("7")
        (7, 7)
        >>> checked_project("Cars of May")
        'Cars of May'
    """
    text = str(project).strip()
    page = _NUMBER.search(text)
    number = page.group(1) if page else text
    if re.fullmatch(r"-?\d+", number, re.ASCII):
        if len(number) > _MOST_DIGITS or int(number) < 1:
            raise ValueError("must be the number of a project, from 1")
        return int(number)
    if not text:
        raise ValueError("must be the number, the title or the address of a project")
    if "://" in text:
        raise ValueError("must be the address of a project's page: …/projects/<number>/data")
    return text


def task_number(text: str, project: int | str | None) -> str:
    """The number of a task out of the address of its page in a project; any other text as it is.

    Example:
        >>> task_number("http://localhost:8080/projects/7/data?tab=3&task=12", 7)
        '12'
        >>> task_number("12", 7), task_number("http://localhost:8080/projects/8/data?task=12", 7)
        ('12', 'http://localhost:8080/projects/8/data?task=12')
    """
    page = _NUMBER.search(text)
    if page is None or page.group(1) != str(project):
        return text
    return parse_qs(urlsplit(text).query).get("task", [text])[-1]


def checked_page(project: object, url: str | None) -> None:
    """Raise ValueError if a project's address is on another server than `url`."""
    parts = urlsplit(str(project).strip())
    if parts.hostname and url is not None and parts.netloc != urlsplit(url).netloc:
        raise ValueError(f"must be an address on the server of url, {url}")


def checked_key(key: SecretStr) -> SecretStr:
    """A token, without the spaces around it.

    Raises:
        ValueError: if it cannot be one; the message does not show it.
    """
    text = key.get_secret_value().strip()
    if not text:
        raise ValueError("must not be empty; copy it from Account & Settings in Label Studio")
    # HTTP libraries quote invalid header values in their errors, which would reveal the key.
    if _SCHEME.match(text):
        raise ValueError('must be the token alone, without "Token" or "Bearer" before it')
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be a token without spaces, line breaks or special characters")
    return SecretStr(text)
