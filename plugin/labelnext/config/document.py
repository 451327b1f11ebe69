"""A parsed YAML file: its data with ``${ENV}`` replaced, and the line of every key."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from labelnext.errors import ConfigError, NotFound

Location = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """Parsed YAML, with its path and the line of each key for error messages."""

    data: dict[str, Any]
    lines: Mapping[Location, int]
    path: Path | None
    raw: dict[str, Any] | None = None

    def error(self, location: Location, message: str, *, hint: str | None = None) -> ConfigError:
        """An error about a key, with its file, line and key path."""
        where = [str(self.path)] if self.path else []
        known = location
        while known and known not in self.lines:
            known = known[:-1]
        if known in self.lines:
            where.append(f"line {self.lines[known]}")
        key = ".".join(str(part) for part in location)
        prefix = ", ".join(where) + ": " if where else ""
        return ConfigError(f"{prefix}{key + ' ' if key else ''}{message}", hint=hint)

    def place(self, location: Location, inside: Location, *, absent: bool = False) -> Location:
        """The key path of a problem that pydantic found in a section.

        Besides keys and positions, pydantic lists the types it tried, such as list[str]; these are
        left out.

        Args:
            location: key path of the section.
            inside: pydantic's path within the section; it starts with a key.
            absent: whether the last name is a missing key.
        """
        value: Any = self.data
        for part in location:
            value = value.get(part) if isinstance(value, dict) else None
        kept: list[str | int] = []
        for part in inside:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                if kept and not (absent and part == inside[-1]):
                    continue
                value = None
            kept.append(part)
        return (*location, *kept)

    def shown(self, location: Location) -> object:
        """The value as written in the file: variables by name, never by content."""
        value: Any = self.data if self.raw is None else self.raw
        for part in location:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise NotFound(
            f"config file {str(path)!r} doesn't exist.",
            hint="labelnext init writes one.",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"config must be a readable text file; got {str(path)!r}.") from error


def parse(path: Path) -> Document:
    """Read a YAML file and fill in environment variables.

    Raises:
        NotFound: if the file doesn't exist.
        ConfigError: if it isn't a YAML mapping, a key appears twice, or a variable isn't set.
    """
    text = _read(path)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ConfigError(
            f"{path}{line}: config must be valid YAML; {problem}.",
            hint="labelnext init writes a commented example.",
        ) from error
    lines: dict[Location, int] = {}
    if node is not None:
        _lines(path, node, (), lines)
    if not isinstance(raw, dict):
        raise ConfigError(
            f"{path}: config must be a mapping of keys to values; got {type(raw).__name__}.",
            hint="labelnext init writes a commented example.",
        )
    document = Document(raw, lines, path)
    return Document(_substituted(document, raw, ()), lines, path, raw)


def _lines(path: Path, node: yaml.Node, location: Location, found: dict[Location, int]) -> None:
    found.setdefault(location, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = (*location, key.value)
            if name in found:
                where = ".".join(str(part) for part in name)
                raise ConfigError(
                    f"{path}, line {key.start_mark.line + 1}: {where} is given twice; "
                    f"line {found[name]} already sets it."
                )
            found[name] = key.start_mark.line + 1
            _lines(path, value, name, found)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _lines(path, value, (*location, number), found)


_VARIABLE = re.compile(r"\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})")


def _substituted(document: Document, value: Any, location: Location) -> Any:
    if isinstance(value, dict):
        return {k: _substituted(document, v, (*location, k)) for k, v in value.items()}
    if isinstance(value, list):
        return [_substituted(document, v, (*location, i)) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value

    def content(match: re.Match[str]) -> str:
        name, default = match.groups()
        if name is None:
            return "$"
        text = os.environ.get(name) or default
        if text is None:
            raise document.error(
                location,
                f"needs the environment variable {name}, which isn't set.",
                hint=f"set it with export {name}=…, or give a default: ${{{name}:-default}}.",
            )
        return text

    return _VARIABLE.sub(content, value)
