"""Rows of open tables: what is written in one is checked before anything uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, Protocol, TypeVar

from labelnext.errors import LabelnextError


class Named(Protocol):
    """A row."""

    @property
    def name(self) -> str:
        """As in the configuration."""


Row = TypeVar("Row", bound=Named)


def check_row(row: Any, what: str, **allowed: Iterable[str]) -> None:
    """Refuse a row whose fields don't fit their annotations, so that it never fails during a run.

    Args:
        row: a dataclass with a name.
        what: what a row is, in words.
        allowed: for fields of fixed words, those words.

    Raises:
        LabelnextError: naming the row and the field; a fault in the row.
    """
    for field in fields(row):
        value = getattr(row, field.name)
        kind, optional, _ = str(field.type).partition(" | None")
        if value is None and optional:
            continue
        rule = _rule(kind, value, tuple(allowed.get(field.name, ())))
        if rule is not None:
            name = row.name if isinstance(row.name, str) and row.name else "without a name"
            raise LabelnextError(
                f"the {what} {name} must have {field.name}: {rule}; got {value!r}."
            )


@contextmanager
def naming(what: str, name: str, function: Callable[..., Any]) -> Iterator[None]:
    """Meanwhile, what the function of another package raises becomes one line that names its row.

    Raises:
        LabelnextError: for any exception of a function that isn't labelnext's own.
    """
    try:
        yield
    except LabelnextError:
        raise
    except (Exception, SystemExit) as error:  # sys.exit() would end the caller
        module = getattr(function, "__module__", None) or "another package"
        if module.partition(".")[0] == "labelnext":
            raise  # a bug of ours shows where it is
        said = " ".join(str(error).split()).rstrip(".")
        raise LabelnextError(
            f"the {what} {name} of {module} raised {type(error).__name__}: {said}.",
            hint="this is a fault in that package; nothing was written.",
        ) from error


def distinct(rows: Iterable[Row]) -> Mapping[str, Row]:
    """Rows by name.

    Raises:
        LabelnextError: if two have one name, of which a dict would keep the last.
    """
    by_name: dict[str, Row] = {}
    for row in rows:
        if row.name in by_name:
            raise LabelnextError(f"names of rows must differ; two are called {row.name!r}.")
        by_name[row.name] = row
    return by_name


def _rule(kind: str, value: Any, words: tuple[str, ...]) -> str | None:
    """What a value must be; None if it is."""
    if kind.startswith("tuple"):
        texts = type(value) is tuple and all(isinstance(one, str) for one in value)
        if not words:
            return None if texts else "a tuple of texts"
        fits = texts and bool(value) and set(value) <= set(words)
        return None if fits else f"a tuple of {' or '.join(words)}"
    if words:
        return None if value in words else " or ".join(words)
    if kind.startswith("Callable"):
        return None if callable(value) else "a function"
    if kind == "bool":
        return None if isinstance(value, bool) else "true or false"
    if kind == "str":
        return None if isinstance(value, str) else "a text"
    return None
