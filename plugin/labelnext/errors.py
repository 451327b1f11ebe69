"""All labelnext errors, grouped by what the caller should do next; none tells a secret."""

from __future__ import annotations

import difflib
import hashlib
import html
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, unquote

_SHORTEST = 8  # characters: shorter secrets are also ordinary words
_NAME_OF_ONE = (
    r"(?:token|key|secret|passw|passphrase|pass(?![a-z])|pwd|signature|sig(?![a-z])|auth|jwt|"
    r"credential)"
)
_ENDS = r"&;#\s'\"<>"
# Users and passwords, which may hold slashes and @; what follows a colon may also be a port. Their
# lengths are limited: without limits, the time would grow with the square of a text's length.
_USER = re.compile(
    r"(//|%2F%2F)(?:(?:(?!%2F|%3F)[^/\s?#])*|"
    r"[^/@\s:'\"]{1,500}:(?!\d+(?:[/?#'\"\s]|$))[^\s@'\"<>]{0,500}?)(@|%40)",
    re.IGNORECASE,
)
_QUERY = re.compile(
    rf"((?:[?&;#]|%3F|%26|%3B|%23)[\w.-]{{0,60}}{_NAME_OF_ONE}[\w.-]{{0,60}}(?:=|%3D))(?:(?!%26|%23|%3B)[^{_ENDS}])+",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(  # in no URL; what is shorter than a secret may be anything
    rf"(?<![\w.-])((?:api|access|auth|client)[_-]?(?:key|token|secret)=|passw(?:or)?d=)[^{_ENDS}]{{8,}}",
    re.IGNORECASE,
)
_BEARER = re.compile(
    # A word of fewer than 20 characters is a token if it has a digit.
    r"\b((?:[Bb]earer|Basic|Token) )(?:[\w.~+/=-]{20,}|(?=[A-Za-z.~+/=_-]{0,19}\d)[\w.~+/=-]{8,19})"
    r"|\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"
)
_LONGEST = 300  # characters of a wrong value in a message: a path may have them
_VALUE = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\S*?(?=[.,;:]?(?:\s|$))""")
_NAMED = re.compile(_NAME_OF_ONE, re.IGNORECASE)
_CONCEALED = re.compile("\x1a([0-9a-f]{8})([0-9a-f]{24})\x1a")

_secrets: dict[str, None] = {}  # in every form in which they may be written
_salt = secrets.token_hex(4)


def remember_secret(text: str) -> None:
    """Mask this text in every message, report, log and journal of the process from now on.

    Texts of fewer than 8 characters are not remembered, as they would hide ordinary words.
    """
    if len(text) < _SHORTEST:
        return
    as_json = [json.dumps(text, ensure_ascii=ascii)[1:-1] for ascii in (True, False)]
    in_urls = [quote(text, ""), quote(text), quote_plus(text), unquote(text)]
    in_urls += [re.sub("%..", lambda found: found[0].lower(), form) for form in in_urls[:3]]
    plain = [text, *as_json, repr(text)[1:-1], *in_urls]
    in_pages = [html.escape(form) for form in plain]
    by_jinja = [form.replace("&quot;", "&#34;").replace("&#x27;", "&#39;") for form in in_pages]
    forms = [*plain, *in_pages, *by_jinja]
    _secrets.update(dict.fromkeys(form for form in forms if len(form) >= _SHORTEST))


def remember_secrets_in(text: str) -> None:
    """Remember the passwords and tokens in a text: of its URLs, also percent-encoded, and headers.

    Example:
        >>> remember_secrets_in("https://me:hunter2hunter2@host/a")
        >>> masked("bad password: hunter2hunter2")
        'bad password: ***'
    """
    for form in {text, unquote(text)}:
        for match in _BEARER.finditer(form):
            remember_secret(match[0][len(match[1] or "") :])
        for match in _USER.finditer(form):
            remember_secret(match[0][len(match[1]) :])
            remember_secret(match[0][len(match[1]) : -len(match[2])].partition(":")[2])
        for match in _QUERY.finditer(form):
            remember_secret(match[0][1:])
            remember_secret(match[0][len(match[1]) :])
        for match in _ASSIGNED.finditer(form):
            remember_secret(match[0][len(match[1]) :])


def is_secret_name(name: str) -> bool:
    """Whether a variable or key of this name seems to hold a secret.

    Example:
        >>> is_secret_name("LABEL_STUDIO_API_KEY"), is_secret_name("DATA_FOLDER")
        (True, False)
    """
    return _NAMED.search(name) is not None


def without_secrets(text: str) -> str:
    """The text without remembered secrets; everything else stays, as data must."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def masked(text: str) -> str:
    """A message without remembered secrets, and without the users and tokens of URLs.

    Example:
        >>> masked("https://me:pw@host/a?token=abc&page=2")
        'https://***@host/a?token=***&page=2'
    """
    text = _BEARER.sub(lambda found: f"{found[1] or ''}***", without_secrets(text))
    return _ASSIGNED.sub(r"\1***", _QUERY.sub(r"\1***", _USER.sub(r"\1***\2", text)))


def tells_secret(text: str) -> bool:
    """Whether a text holds a remembered secret."""
    return any(secret in text for secret in _secrets)


def concealed(line: str) -> str:
    """JSON with a mark in place of each remembered secret, from which `revealed` brings it back.

    Unlike JSON, a mark holds a control character, so data can't hold one. It says which secret it
    stands for by a slow hash.
    """
    for secret in sorted(_secrets, key=len, reverse=True):
        if secret in line:
            line = line.replace(secret, f"\x1a{_salt}{_hash(_salt, secret)}\x1a")
    return line


def revealed(line: str) -> tuple[str, bool]:
    """The JSON that `concealed` got, and whether all its secrets are known; others stay masked."""
    whole = True

    def secret(match: re.Match[str]) -> str:
        nonlocal whole
        for known in _secrets:
            if _hash(match[1], known) == match[2]:
                return known
        whole = False
        return "***"

    return _CONCEALED.sub(secret, line), whole


@lru_cache(maxsize=4096)
def _hash(salt: str, text: str) -> str:
    # Slow, so that nobody finds a password by trying.
    return hashlib.pbkdf2_hmac("sha256", text.encode(), salt.encode(), 50_000, 12).hex()


def masked_data(value: Any) -> Any:
    """JSON-able data with every text masked."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {masked_data(key): masked_data(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [masked_data(entry) for entry in value]
    return value


def shown(value: object, most: int = 100) -> str:
    """A wrong value for a message, on one line: as Python shows it; cut if it is long.

    Args:
        value: of any type, also one that can't be shown.
        most: characters.

    Example:
        >>> shown("ab"), shown(list(range(9)), 10), shown(10**5000)
        ("'ab'", '[0, 1, ...', 'a number of more than 4,300 digits')
    """
    try:
        return _cut(_one_line(masked(repr(value))), most)
    except Exception as error:  # of whole numbers with too many digits, or by foreign code
        if isinstance(value, int):
            return "a number of more than 4,300 digits"
        return f"{type(value).__name__} that can't be shown ({type(error).__name__})"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _one_line(text: str) -> str:
    return " ".join(text.split()) if "\n" in text else text  # of arrays and tables


def _shortened(message: str) -> str:
    """A message on one line, in which the wrong value is cut if it is long.

    That is what follows "got": a text in quotes, a word or what is in brackets. Ids stay.

    Example:
        >>> _shortened(f"k must be text; got {'a' * 500!r} in row 3.")[-20:]
        'aaaaaaa... in row 3.'
    """
    message = _one_line(message)
    start, got, rest = message.partition("; got ")
    if len(rest) <= _LONGEST:
        return message
    closing = {"[": "]", "(": ")", "{": "}"}.get(rest[0])
    end = rest.rfind(closing) + 1 if closing else 0
    if not end:
        end = len(_VALUE.match(rest)[0])  # type: ignore[index]  # it matches anything
    return f"{start}{got}{_cut(rest[:end], _LONGEST)}{rest[end:]}"


class LabelnextError(Exception):
    """Base of all errors that labelnext raises on purpose.

    Whatever is raised: a message has one line, tells no secret, and cuts a long wrong value.

    Args:
        message: what is wrong, as ``"{what} must be {rule}; got {value!r}"`` where that fits.
        hint: what to do next, without the word "Hint".
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        message = _shortened(masked(message))
        super().__init__(message)
        self.message = message
        self.hint = None if hint is None else masked(hint)

    def __str__(self) -> str:
        return f"{self.message} Hint: {self.hint}" if self.hint else self.message


class LabelnextWarning(UserWarning):
    """Something was adjusted or left out; the result is still valid."""


# Fix the input or the configuration, then run again.


class InvalidInput(LabelnextError, ValueError):
    """An argument or a data column breaks a documented rule."""


class ConfigError(LabelnextError, ValueError):
    """The configuration is wrong; the message names the key path, the file and the line."""


class UnknownName(ConfigError, LookupError):
    """A name that labelnext doesn't know; the message lists the known ones."""


class MissingExtra(ConfigError, ImportError):
    """A platform's package is not installed; the hint is the install command."""


class NotFound(ConfigError, LookupError):
    """A project, dataset, field, view or file named in the configuration does not exist."""


class NothingSent(NotFound):
    """No batch was sent yet, so there is nothing to fetch."""


class AccessDenied(ConfigError, PermissionError):
    """The credentials or permissions are insufficient."""


# Try again later: the request itself is fine.


class Unavailable(LabelnextError, ConnectionError):
    """A server or database did not answer."""


class Busy(ConfigError):
    """Another process is using the state folder, the project or the folder of results."""


# Stop: continuing could damage user data.


class CommandFailed(LabelnextError):
    """A command of the user's own failed or took too long; the labelling queue is as it was."""


class WriteRefused(LabelnextError):
    """The write would touch data that labelnext didn't create, or that has changed since."""


class Gone(WriteRefused):
    """What the rest of a write needs was deleted meanwhile: it can't be finished, only undone."""


class WriteFailed(LabelnextError):
    """A write was interrupted; its journal records the progress, so it can be resumed or undone."""


def unknown(what: str, name: str, known: Iterable[str]) -> UnknownName:
    """The error for an unknown name; the hint suggests the closest known one."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else None
    return UnknownName(
        f"{what} must be one of {', '.join(names)}; got {shown(name, 80)}.", hint=hint
    )


def listed(ids: Iterable[object], most: int = 5) -> str:
    """The first few ids for a message of one line, then how many more there are.

    Example:
        >>> listed(["a", "b", "c"], 2)
        'a, b and 1 more'
    """
    rows = [str(i) for i in ids]
    short = [i if len(i) <= 80 else f"{i[:77]}..." for i in rows[:most]]
    shown = ", ".join(i if i.isprintable() else repr(i)[1:-1] for i in short)
    return shown if len(rows) <= most else f"{shown} and {len(rows) - most:,} more"
