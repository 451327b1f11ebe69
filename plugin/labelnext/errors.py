"""All labelnext errors, grouped by what the caller should do next."""

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


class AccessDenied(ConfigError, PermissionError):
    """The credentials or permissions are insufficient."""


# Try again later: the request itself is fine.


class Unavailable(LabelnextError, ConnectionError):
    """A server or database did not answer."""


# Stop: continuing could damage user data.


class WriteRefused(LabelnextError):
    """The write would touch data that labelnext didn't create, or that has changed since."""


class WriteFailed(LabelnextError):
    """A write was interrupted; its journal records the progress, so it can be resumed or undone."""


def unknown(what: str, name: str, known: Iterable[str]) -> UnknownName:
    """The error for an unknown name; the hint suggests the closest known one."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else None
    name = name if len(name) <= 80 else f"{name[:77]}..."
    return UnknownName(f"{what} must be one of {', '.join(names)}; got {name!r}.", hint=hint)


def listed(ids: Iterable[object], most: int = 5) -> str:
    """The first few ids for a message, then how many more there are."""
    rows = [str(i) for i in ids]
    shown = ", ".join(i if len(i) <= 80 else f"{i[:77]}..." for i in rows[:most])
    return shown if len(rows) <= most else f"{shown} and {len(rows) - most} more"
