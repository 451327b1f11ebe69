"""Extensible tables: built-in rows, plus rows that installed packages add by entry point.

A package adds a row with an entry point that has the row's name and points to the row::

    [project.entry-points."labelnext.acquisitions"]
    gini = "my_package:GINI"

Rows are loaded on first use, and only once. Unusable rows are left out with a warning that names
the package and the cause, so that a broken package doesn't break any command.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from labelnext.errors import (
    ConfigError,
    LabelnextError,
    LabelnextWarning,
    MissingExtra,
    shown,
    unknown,
)

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

Row = TypeVar("Row")

_OURS = "labelnext"


@dataclass(frozen=True)
class Plugin:
    """A loaded entry point of a table.

    Attributes:
        group: group of entry points, such as labelnext.acquisitions.
        name: name of the entry point, and so of the row.
        package: the distribution that declares it.
        version: version of the package.
        target: where the row is, as module:object.
        row: the loaded object; None if it can't be used.
        cause: why it can't be used, as part of a sentence; None if it can.
        missing: whether the cause is a failed import.
    """

    group: str
    name: str
    package: str
    version: str
    target: str
    row: Any = None
    cause: str | None = None
    missing: bool = False


@cache
def entries(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of a group: labelnext's own first, then by package and name.

    Installed packages are scanned once per process, which takes tens of milliseconds.
    """
    points = _entry_points().select(group=group)
    return tuple(sorted(points, key=lambda e: (_package(e)[0] != _OURS, _package(e), e.name)))


@cache
def _entry_points() -> Any:
    from importlib.metadata import entry_points  # --help does without it

    return entry_points()


def _package(entry: EntryPoint) -> tuple[str, str]:
    """Name and version of the distribution that declares it."""
    return ("", "") if entry.dist is None else _name_and_version(entry.dist)


@cache
def _name_and_version(distribution: Distribution) -> tuple[str, str]:
    metadata = distribution.metadata  # parsed each time that it is asked for
    return str(metadata["Name"]), str(metadata["Version"])


def instance_of(kind: type) -> Callable[[object], str | None]:
    """A check for `Table`: a row must be an instance of this class."""

    def fault(value: object) -> str | None:
        if isinstance(value, kind):
            return None
        return f"it must be an instance of {kind.__name__}; got {type(value).__name__}"

    return fault


def class_with(*names: str) -> Callable[[object], str | None]:
    """A check for `Table`: a row must be a class with these attributes."""

    def fault(value: object) -> str | None:
        if not isinstance(value, type):
            return f"it must be a class; got {type(value).__name__}"
        held = {name for kind in value.__mro__ for name in vars(kind)}
        lacking = [name for name in names if name not in held]
        return f"{value.__name__} must have {', '.join(lacking)}" if lacking else None

    return fault


def offers(names: Callable[[], list[str]]) -> Callable[[dict[str, Any]], None]:
    """A `json_schema_extra` that lists the allowed names of a key.

    The names are collected when a schema is made, which loads every plug-in of the table.
    """

    def fill(schema: dict[str, Any]) -> None:
        for kind in schema.get("anyOf", [schema]):
            if kind.get("type") == "string":
                kind["enum"] = names()

    return fill


class Table(Generic[Row]):
    """Rows by name: built-in ones, then those that installed packages add.

    Args:
        group: group of the entry points that add rows.
        what: what a row is, for messages: acquisition, selection, format or adapter.
        fault: returns why a loaded object can't be a row, as part of a sentence; None if it can.
        built_in: rows without an entry point; packages can't take their names.
    """

    def __init__(
        self,
        group: str,
        what: str,
        fault: Callable[[object], str | None],
        built_in: Mapping[str, Row] | None = None,
    ) -> None:
        self.group = group
        self._what, self._fault, self._built_in = what, fault, built_in or {}
        self._plugins: dict[tuple[str, str], Plugin] = {}

    def get(self, name: str) -> Row:
        """Look up a row by name; loads only the entry points with that name.

        Raises:
            UnknownName: if there is no such row; the hint suggests the closest name.
            MissingExtra: if the row can't be imported.
            ConfigError: if the imported object can't be used.
        """
        name = name if isinstance(name, str) else shown(name)
        if name in self._built_in:
            return self._built_in[name]
        claims = [self._loaded(e) for e in entries(self.group) if e.name == name]
        if not claims:
            raise unknown(self._what, name, self.names())
        first = claims[0]
        _warn(claims[1:])
        if first.cause is None:
            row: Row = first.row
            return row
        error = MissingExtra if first.missing else ConfigError
        raise error(
            f"{self._what} must be usable; {name!r} of package {first.package} "
            f"{first.version} isn't: {first.cause}.",
            hint="reinstall or update that package; its author can mend what is named.",
        )

    def names(self) -> list[str]:
        """The built-in names in table order, then the packages' names in alphabetical order.

        Warns about every plug-in that can't be used.
        """
        plugins = self.installed()
        _warn(plugins)
        return [*self._built_in, *sorted(p.name for p in plugins if p.cause is None)]

    def own_names(self) -> list[str]:
        """The names of labelnext's own rows, whatever other packages are installed."""
        ours = [p for p in self.installed() if p.package == _OURS and p.cause is None]
        return [*self._built_in, *sorted(p.name for p in ours)]

    def is_built_in(self, name: str) -> bool:
        """Whether the row is labelnext's own and has no entry point."""
        return name in self._built_in

    def installed(self) -> list[Plugin]:
        """All entry points of the group, loaded, whether usable or not."""
        return [self._loaded(entry) for entry in entries(self.group)]

    def _loaded(self, entry: EntryPoint) -> Plugin:
        package, version = _package(entry)
        key = (package, entry.name)
        if key not in self._plugins:
            plugin = Plugin(self.group, entry.name, package, version, entry.value)
            self._plugins[key] = replace(plugin, **self._row(entry))
        return self._plugins[key]

    def _row(self, entry: EntryPoint) -> dict[str, Any]:
        """The row that an entry point points to, or why it isn't one."""
        if entry.name in self._built_in:
            return {"cause": "the name is taken by labelnext itself"}
        first = next(e for e in entries(self.group) if e.name == entry.name)
        if _package(first) != _package(entry):
            return {"cause": f"the name is taken by package {' '.join(_package(first))}"}
        try:
            row = entry.load()
        except Exception as error:  # importing a module can raise anything
            missing, said = isinstance(error, ImportError), _one_line(error)
            if missing or not isinstance(error, LabelnextError):  # else the row names its fault
                said = f"importing it raised {type(error).__name__}: {said}"
            return {"cause": said, "missing": missing}
        cause = self._fault(row)
        if cause is None and row.name != entry.name:
            cause = f"its name must match the entry point's; got {row.name!r}"
        return {"row": row} if cause is None else {"cause": cause}


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


_told: set[tuple[str, str, str]] = set()


def _warn(plugins: list[Plugin]) -> None:
    """Warn once about each plug-in that can't be used."""
    for plugin in plugins:
        key = (plugin.group, plugin.package, plugin.name)
        if plugin.cause is not None and key not in _told:
            _told.add(key)
            warnings.warn(
                f"package {plugin.package} {plugin.version}: its entry point {plugin.name} = "
                f"{plugin.target} of {plugin.group} can't be used: {plugin.cause}.",
                LabelnextWarning,
                stacklevel=3,
            )
