"""Every error of labelnext, grouped by what the caller does next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LabelnextError(Exception):
    """Base of all errors that labelnext raises on purpose.

    Args:
        message: what is wrong, as ``"{what} must be {rule}; got {value!r}"`` where that fits.
        hint: what to do next, without the word "Hint".
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} Hint: {self.hint}" if self.hint else self.message


class LabelnextWarning(UserWarning):
    """Something was adjusted or left out, and is counted; the result stands."""


# Fix the input or the configuration, then run again.


class InvalidInput(LabelnextError, ValueError):
    """An argument or a column of data breaks a stated rule."""


class ConfigError(LabelnextError, ValueError):
    """The configuration is wrong; the message names the key path, the file and the line."""


class UnknownName(ConfigError, LookupError):
    """A name that is in none of the tables; the message lists the right ones."""


class MissingExtra(ConfigError, ImportError):
    """A platform's package is not installed; the hint is the exact install line."""


class NotFound(ConfigError, LookupError):
    """A project, dataset, field, view or file that the configuration names does not exist."""


class AccessDenied(ConfigError, PermissionError):
    """The credentials or the permissions are not enough."""


# Try again later: nothing is wrong with what was asked for.


class Unavailable(LabelnextError, ConnectionError):
    """A server or database did not answer."""


# Stop: going on could harm somebody's data.


class WriteRefused(LabelnextError):
    """The write would touch something that labelnext did not make, or that changed meanwhile."""


class WriteFailed(LabelnextError):
    """A write broke off; the journal says what was done, and the run can be resumed or undone."""


def unknown(what: str, name: str, known: Iterable[str]) -> UnknownName:
    """The error for a name that is not in a table, with the nearest right one first."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else None
    return UnknownName(f"{what} must be one of {', '.join(names)}; got {name!r}.", hint=hint)


def listed(ids: Iterable[object], most: int = 5) -> str:
    """A few ids for a message, with the number of those left out."""
    rows = [str(i) for i in ids]
    shown = ", ".join(i if len(i) <= 80 else f"{i[:77]}..." for i in rows[:most])
    return shown if len(rows) <= most else f"{shown} and {len(rows) - most} more"
