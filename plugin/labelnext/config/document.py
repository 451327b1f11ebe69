"""A parsed YAML file: its data with ``${ENV}`` replaced, and the line of every key.

Files are read as YAML 1.2: no octal numbers, no base 60, no dates, and ``yes``, ``no``, ``on`` and
``off`` are text. Each scalar keeps the text as it is written; what it means depends on the key.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml import events as parsed

from labelnext.errors import ConfigError, NotFound, is_secret_name, remember_secret, shown
from labelnext.support.folders import nearest
from labelnext.support.started import how
from labelnext.support.written import Written, hint_of_colons, hint_of_syntax

Location = tuple[str | int, ...]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, wherever it is built in
_MOST_BYTES = 16 * 2**20
_PER_VALUE = 32  # of these bytes, as a value costs time even if it is short
_MOST_BY_ALIASES = _MOST_BYTES // 4  # few bytes may stand for them, so they may cost less time
_MOST_ANCHORS = 10_000
DEEPEST = 50
_TOO_DEEP = f"config must be at most {DEEPEST} levels deep."
_TAG = "tag:yaml.org,2002:"


class Map(dict[str, Any]):
    """A mapping of a file: the line where it starts, and the line of each key."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class Seq(list[Any]):
    """A list of a file, and the line where it starts."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


@dataclass(frozen=True)
class Document:
    """A mapping of settings with its path, for error messages.

    Attributes:
        data: from Python, or from a file as `Map`, `Seq` and `Written`.
        path: of the file; None for settings from Python.
    """

    data: dict[str, Any]
    path: Path | None = None

    def error(self, location: Location, message: str, *, hint: str | None = None) -> ConfigError:
        """An error about a key, with its file, line and key path."""
        return _error(self.path, self._line(location), location, message, hint)

    def place(self, location: Location, inside: Location, *, absent: bool = False) -> Location:
        """The key path of a problem that pydantic found in a section.

        Besides keys and positions, pydantic lists the types it tried, such as list[str]; these are
        left out.

        Args:
            location: key path of the section.
            inside: pydantic's path within the section; it starts with a key.
            absent: whether the last name is a missing key.
        """
        value = self.at(location)
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

    def at(self, location: Location) -> Any:
        """The value of a key; None without one."""
        value: Any = self.data
        for part in location:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def _line(self, location: Location) -> int | None:
        """The line of a key, or of what is nearest around it."""
        value: Any = self.data
        line: int | None = getattr(value, "line", None)
        for part in location:
            line = value.lines.get(str(part), line or 0) if isinstance(value, Map) else line
            in_list = isinstance(value, Seq)
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                break
            line = getattr(value, "line", line) if in_list else line
        return line


def parse(path: Path, what: str = "config") -> Document:
    """Read a YAML file and fill in environment variables.

    Args:
        path: of the file.
        what: the file's name in messages.

    Raises:
        NotFound: if the file doesn't exist.
        ConfigError: if it isn't a YAML mapping, is too large, a key appears twice, or a variable
            isn't set.
    """
    text = _text(path, what)
    try:
        data = _Reader(path, text).document()
    except yaml.YAMLError as error:
        raise _syntax_error(path, text, error) from error
    if not isinstance(data, Map):
        held = data.meaning if isinstance(data, Written) else data
        got = "a list" if isinstance(data, Seq) else "nothing" if held is None else shown(held)
        raise ConfigError(
            f"{path}: config must be a mapping of keys to values; got {got}.",
            hint=hint_of_colons(held) or _example(),
        )
    return Document(data, path)


def _text(path: Path, what: str) -> str:
    try:
        if what != "config" and path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is no file")  # a pipe may never end
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ConfigError(
                f"{path}: config must be at most {_MOST_BYTES // 2**20} MB.",
                hint="long lists belong into data files.",
            )
        if content[:4].count(0) > 1:
            raise ValueError("it is in UTF-32, or in UTF-16 without a mark")
        wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        return content.decode("utf-16" if wide else "utf-8-sig")
    except FileNotFoundError as error:
        if what != "config":
            raise NotFound(f"{what} must be an existing file; got {shown(str(path))}.") from error
        near = nearest(path, "*.y*ml")
        hint = f"did you mean {str(near)!r}?" if near else f"{how('init')} writes one."
        raise NotFound(f"config file {str(path)!r} doesn't exist.", hint=hint) from error
    except (OSError, UnicodeDecodeError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        folder = path.is_dir()
        rule, got = ("file", ", a folder") if folder else ("readable text file in UTF-8", "")
        utf8 = None if isinstance(error, OSError) else "save it as UTF-8."
        raise ConfigError(
            f"{what} must be a {rule}; got {shown(str(path))}{got}.",
            hint="name the file in it." if folder else utf8,
        ) from error


def _syntax_error(path: Path, text: str, error: yaml.YAMLError) -> ConfigError:
    mark, position = getattr(error, "problem_mark", None), getattr(error, "position", None)
    line = mark.line + 1 if mark else None
    if isinstance(position, int):  # in bytes: libyaml reads UTF-8
        line = text.encode()[:position].count(b"\n") + 1
    problem = getattr(error, "problem", None) or getattr(error, "reason", None)
    problem = problem or str(error).splitlines()[0]
    if "nesting depth" in problem:  # libyaml 0.2.6 has a limit of its own
        return _error(path, line, (), _TOO_DEEP)
    if "<document start>" in problem:
        return _error(path, line, (), "config must be one YAML document; got more after its end.")
    rows = text.splitlines()
    hint = hint_of_syntax(problem, rows[: len(rows) if line is None else line], error)
    return _error(path, line, (), f"config must be valid YAML; {problem}.", hint or _example())


def _error(
    path: Path | None, line: int | None, location: Location, message: str, hint: str | None = None
) -> ConfigError:
    where = [str(path)] if path else []
    where += [] if line is None else [f"line {line}"]
    prefix = ", ".join(where) + ": " if where else ""
    key = ".".join(_name(str(part)) for part in location)
    return ConfigError(f"{prefix}{key + ' ' if key else ''}{message}", hint=hint)


def _name(key: str) -> str:
    """A key as one short piece of a line."""
    key = key if len(key) <= 80 else f"{key[:77]}..."
    return key if key and key.isprintable() else repr(key)


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1


class _Reader:
    """Makes data of the events of a file; aliases share what they name."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self._anchored: dict[str, tuple[Any, int] | None] = {}
        self._size = self._by_aliases = self._n_anchors = 0

    def document(self) -> Any:
        """The file's data; None if it is empty."""
        data = None
        for number, event in enumerate(
            e for e in self._events if isinstance(e, parsed.NodeEvent | parsed.DocumentStartEvent)
        ):
            if number > 1:  # a start and a node are one document
                raise self._fault(event, (), "config must be one YAML document; got several.")
            if isinstance(event, parsed.NodeEvent):
                data = self._node(event, ())
        return data

    def _fault(
        self, event: Any, location: Location, message: str, hint: str | None = None
    ) -> ConfigError:
        return _error(self._path, _line(event), location, message, hint)

    def _node(self, event: Any, location: Location) -> Any:
        if len(location) > DEEPEST:
            raise self._fault(event, (), _TOO_DEEP)
        if isinstance(event, parsed.AliasEvent):
            return self._alias(event, location)
        before, anchor = self._size, event.anchor
        self._grow(event, _PER_VALUE + len(getattr(event, "value", "")))
        if anchor is not None:
            self._n_anchors += 1
            if self._n_anchors > _MOST_ANCHORS:
                raise self._fault(event, (), f"config must have at most {_MOST_ANCHORS:,} anchors.")
            self._anchored[anchor] = None
        if isinstance(event, parsed.ScalarEvent):
            node: Any = self._scalar(event, location)
        elif isinstance(event, parsed.SequenceStartEvent):
            self._untagged(event, location, "seq")
            node = Seq(_line(event))
            for inner in self._until(parsed.SequenceEndEvent):
                node.append(self._node(inner, (*location, len(node))))
        else:
            self._untagged(event, location, "map")
            node = self._mapping(event, location)
        if anchor is not None:
            self._anchored[anchor] = node, self._size - before
        return node

    def _until(self, end: type) -> Iterator[Any]:
        """The events of the entries up to the end; each entry takes its own."""
        while not isinstance(event := next(self._events), end):
            yield event

    def _alias(self, event: Any, location: Location) -> Any:
        if event.anchor not in self._anchored:
            raise self._fault(
                event, location, f"must use a known anchor; got *{_name(event.anchor)}."
            )
        held = self._anchored[event.anchor]
        if held is None:
            raise self._fault(
                event, location, f"must not hold itself; *{_name(event.anchor)} does."
            )
        node, size = held
        self._by_aliases += size
        if self._by_aliases > _MOST_BY_ALIASES:
            raise self._fault(
                event,
                (),
                f"config's aliases must stand for at most {_MOST_BY_ALIASES // _PER_VALUE:,} "
                f"values or {_MOST_BY_ALIASES // 2**20} MB.",
                hint="long lists belong into data files.",
            )
        self._grow(event, size)
        return node

    def _grow(self, event: Any, size: int) -> None:
        self._size += size
        if self._size > _MOST_BYTES:
            raise self._fault(
                event,
                (),
                f"config must hold at most {_MOST_BYTES // _PER_VALUE:,} values or "
                f"{_MOST_BYTES // 2**20} MB.",
            )

    def _mapping(self, event: Any, location: Location) -> Map:
        node = Map(_line(event))
        merged: list[Map] = []
        for inner in self._until(parsed.MappingEndEvent):
            line = _line(inner)
            key = self._node(inner, (*location, "?"))
            if not isinstance(key, Written):
                message = "must have texts as keys; got a list or mapping."
                raise self._fault(inner, location or ("config",), message)
            where = (*location, str(key))
            if key in node.lines:
                message = f"is given twice; line {node.lines[key]} already sets it."
                raise self._fault(inner, where, message)
            node.lines[key] = line
            value = self._node(next(self._events), where)
            if key == "<<" and key.plain:
                merged = value if isinstance(value, Seq) else [value]
                if not all(isinstance(one, Map) for one in merged):
                    raise self._fault(inner, where, "must be a mapping, or a list of mappings.")
            else:
                node[key] = value
        for one in merged:
            for key, value in one.items():
                if key not in node:
                    node[key], node.lines[key] = value, one.lines[key]
        return node

    def _untagged(self, event: Any, location: Location, kind: str) -> None:
        if event.tag not in (None, "!", _TAG + kind):
            raise self._tagged(event, location)

    def _tagged(self, event: Any, location: Location) -> ConfigError:
        tag = event.tag.replace(_TAG, "!!")
        return self._fault(
            event,
            location,
            f"must have no tag; got {tag[:100]}.",
            hint="put a text in quotes; numbers, true and false need nothing."
            if isinstance(event, parsed.ScalarEvent)
            else "write a list as [a, b] and a mapping as {a: b}.",
        )

    def _scalar(self, event: Any, location: Location) -> Written:
        kind = None if event.tag is None else event.tag.removeprefix(_TAG)
        plain = event.style in (None, "") and kind in (None, *_MEANINGS)
        filled = self._filled(event, location)
        if "\0" in filled:
            raise self._fault(event, location, "must not contain a NUL character.")
        written = Written.of(filled, _line(event), plain, event.value)
        if kind not in (None, "!", "str") and not (
            kind in _MEANINGS and isinstance(written.meaning, _MEANINGS[kind])
        ):
            raise self._tagged(event, location)
        return written

    def _filled(self, event: Any, location: Location) -> str:
        """The text with environment variables filled in."""
        text: str = event.value
        return text if "$" not in text else _VARIABLE.sub(self._content(event, location), text)

    def _content(self, event: Any, location: Location) -> Callable[[re.Match[str]], str]:
        def content(match: re.Match[str]) -> str:
            name, default = match.groups()
            if match[0] == "$$":
                return "$"
            if name is None:
                message = "must close and name each variable, as in ${NAME}."
                raise self._fault(event, location, message, hint="write $${ for a plain ${.")
            text = os.environ.get(name) or default
            if text is None:
                lack = "is empty" if name in os.environ else "isn't set"
                more = "" if is_secret_name(name) else f", or write ${{{name}:-default}}"
                raise self._fault(
                    event,
                    location,
                    f"needs the environment variable {name}, which {lack}.",
                    hint=f"set it with export {name}=…{more}.",
                )
            if is_secret_name(name):
                remember_secret(text)
            return text

        return content


_VARIABLE = re.compile(r"\$(?:\$|\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})?)")
_MEANINGS: dict[str, Any] = {
    "null": type(None),
    "bool": bool,
    "int": int,
    "float": (int, float),
}


def _example() -> str:
    return f"{how('init')} writes a commented example."
