"""Large payloads and snapshots of a journal, stored as columns in separate files, read lazily."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from labelnext.errors import ConfigError, concealed, revealed, tells_secret
from labelnext.support.files import read_regular, sync_directory, temporary_file

_INLINE = 16_384  # roughly the most characters of JSON in a line of the journal
_LONG = 32  # shorter lists aren't worth a column


def is_large(value: Any) -> bool:
    """Whether the JSON of a value is too long for a line of the journal, by a quick estimate.

    Example:
        >>> is_large({"ids": [1, 2, 3]}), is_large(list(range(100_000)))
        (False, True)
    """
    room, waiting = _INLINE, [value]
    while waiting and room >= 0:
        part = waiting.pop()
        if isinstance(part, str):
            room -= len(part)
        elif isinstance(part, (dict, list, tuple)):
            room -= 2 * len(part)
            if room < 0:
                break  # so that a list of millions isn't copied
            waiting.extend(part)
            if isinstance(part, dict):
                waiting.extend(part.values())
        else:
            room -= 4
    return room < 0


def move_if_large(row: dict[str, Any], name: str, path: Path) -> None:
    """Move a large value of a row to its own file, synced to disk; the row then names the file.

    Args:
        row: a row of a journal.
        name: key of the value.
        path: path of the file; a small value stays in the row.

    Raises:
        OSError: as `store`.
    """
    if is_large(row[name]):
        row["stored"] = {"file": path.name, "sha256": store(path, row.pop(name))}


def with_payload(row: Mapping[str, Any], journal: Path) -> dict[str, Any]:
    """A step of a header with its payload; a large payload is read on first access.

    Args:
        row: the step as stored in the header.
        journal: path of the journal.
    """
    step = dict(row)
    if "stored" in step:
        step["payload"] = StoredPayload(_Stored.of(step.pop("stored"), journal))
    return step


def store(path: Path, value: Any) -> str:
    """Write a value as columns, and sync it to disk.

    Args:
        path: path of the new file; readers see all of it or nothing.
        value: JSON-able value; `load` returns it as JSON would.

    Returns:
        The SHA-256 of the file, so that damaged content is never written to user data.

    Raises:
        OSError: if the disk is full or the folder isn't writable.
    """
    import pyarrow as pa

    columns = _Columns()
    rest = columns.rest_of(value, [])
    text = _json({"rest": rest, "lists": columns.lists})
    lists = [pa.array([text], pa.large_string()), *columns.arrays]
    rows = [pa.LargeListArray.from_arrays(pa.array([0, len(a)], pa.int64()), a) for a in lists]
    table = pa.table(rows, names=[str(number) for number in range(len(rows))])
    sink = pa.BufferOutputStream()
    zstd = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(sink, table.schema, options=zstd) as writer:
        writer.write_table(table)
    content = sink.getvalue()
    with temporary_file(path.parent) as (partial, file):
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        partial.replace(path)
    sync_directory(path.parent)
    return hashlib.sha256(content).hexdigest()


def load(path: Path, sha256: str) -> Any:
    """Read a value that `store` wrote.

    Args:
        path: path of the file.
        sha256: as returned by `store`.

    Raises:
        ConfigError: if the file is missing or damaged.
    """
    import pyarrow as pa

    try:
        content = read_regular(path)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError("its checksum differs")
        with pa.ipc.open_file(pa.py_buffer(content)) as reader:
            table = reader.read_all()
        columns = [column.combine_chunks().flatten() for column in table.columns]
        kept = _loaded(columns[0][0].as_py())
        value = kept["rest"]
        for place, form in kept["lists"]:
            part = _content(form, columns)
            if not place:
                return part
            *outer, last = place
            inside = value
            for name in outer:
                inside = inside[name]
            inside[last] = part
    except _LacksSecret:
        raise lacks_secret(path) from None
    except (OSError, ValueError, LookupError, TypeError, pa.ArrowException) as error:
        raise ConfigError(
            f"{str(path)!r} is missing or damaged ({error}).",
            hint="restore it from a backup; undo and resume need it.",
        ) from error
    return value


def lacks_secret(path: Path) -> ConfigError:
    """The error for a file of a journal that holds a secret which isn't known."""
    return ConfigError(
        f"{str(path)!r} needs a password or token that was set when it was written.",
        hint="set the configuration's variables as they were then.",
    )


class _LacksSecret(ValueError):
    pass


@dataclass(frozen=True)
class _Stored:
    """A reference from a row to a file of columns."""

    path: Path
    sha256: str

    @classmethod
    def of(cls, stored: Mapping[str, str], journal: Path) -> _Stored:
        return cls(journal.with_name(stored["file"]), stored["sha256"])

    def load(self) -> Any:
        return load(self.path, self.sha256)


class StoredPayload(Mapping[str, Any]):
    """The payload of a step, read on first access.

    Args:
        stored: the file that holds it.
    """

    def __init__(self, stored: _Stored) -> None:
        self._stored = stored

    @cached_property
    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = self._stored.load()
        return content

    def __getitem__(self, name: str) -> Any:
        return self._content[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def __repr__(self) -> str:
        return f"StoredPayload({str(self._stored.path)!r})"


class Snapshots(Mapping[int, Any]):
    """The first snapshot of each step; a large snapshot is read on first access.

    Args:
        journal: path of the journal.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._states: dict[int, Any] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Keep a row's snapshot, unless its step already has one: only the first is original."""
        stored = row.get("stored")
        state = _Stored.of(stored, self._journal) if stored else row["state"]
        self._states.setdefault(int(row["step"]), state)

    def __getitem__(self, step: int) -> Any:
        state = self._states[step]
        if isinstance(state, _Stored):
            state = self._states[step] = state.load()
        return state

    def __contains__(self, step: object) -> bool:
        return step in self._states

    def __iter__(self) -> Iterator[int]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)

    def __repr__(self) -> str:
        return f"Snapshots({self._states!r})"


class _Columns:
    """Splits a value into its long lists, stored as columns, and the rest.

    A list's form says how to rebuild it: the number of its column; for a list of records, `names`
    and the forms `of` their columns; or `json`, the number of a column that holds its text. A long
    object becomes a list of `keys` and one of `values`.

    Attributes:
        arrays: the columns.
        lists: the place of each list in the value, and its form.
    """

    def __init__(self) -> None:
        self.arrays: list[Any] = []
        self.lists: list[tuple[list[str | int], Any]] = []

    def rest_of(self, value: Any, place: list[str | int]) -> Any:
        """The value with null in place of each long list."""
        if isinstance(value, dict) and _usual(value):
            if len(value) < _LONG:
                return {name: self.rest_of(part, [*place, name]) for name, part in value.items()}
            form = {"keys": self._form([*value]), "values": self._form([*value.values()])}
            self.lists.append((place, form))
            return None
        if isinstance(value, (list, tuple)):
            if len(value) < _LONG:
                return [self.rest_of(part, [*place, at]) for at, part in enumerate(value)]
            self.lists.append((place, self._form(value)))
            return None
        return value

    def _form(self, values: list[Any] | tuple[Any, ...]) -> Any:
        import pyarrow as pa

        kinds = set(map(type, values))
        if kinds == {dict}:
            names = list(values[0])
            if names and _usual(values[0]) and all(list(row) == names for row in values):
                return {"names": names, "of": [self._form([r[n] for r in values]) for n in names]}
        types = {int: pa.int64(), float: pa.float64(), str: pa.large_string(), bool: pa.bool_()}
        kinds.discard(type(None))
        kind = kinds.pop() if len(kinds) == 1 else None
        if kind is str and tells_secret("\n".join(value or "" for value in values)):
            kind = None
        if kind in types:
            # JSON also holds integers above 64 bits and lone surrogates.
            with suppress(OverflowError, UnicodeEncodeError):
                return self._add(pa.array(values, types[kind]))
        return {"json": self._add(pa.array([_json(values)], pa.large_string()))}

    def _add(self, array: Any) -> int:
        self.arrays.append(array)
        return len(self.arrays)  # column 0 is the text


def _content(form: Any, columns: list[Any]) -> Any:
    """Rebuild a list or object from its form."""
    if isinstance(form, int):
        return columns[form].to_pylist()
    if "json" in form:
        return _loaded(columns[form["json"]][0].as_py())
    if "keys" in form:
        keys, values = (_content(form[part], columns) for part in ("keys", "values"))
        return dict(zip(keys, values, strict=True))
    names, parts = form["names"], [_content(part, columns) for part in form["of"]]
    return [dict(zip(names, row, strict=True)) for row in zip(*parts, strict=True)]


def _usual(value: dict[Any, Any]) -> bool:
    """Whether JSON keeps the keys unchanged."""
    try:
        "".join(value).encode()
    except (TypeError, UnicodeEncodeError):
        return False
    return True


def _json(value: Any) -> str:
    return concealed(json.dumps(value, ensure_ascii=True, separators=(",", ":")))


def _loaded(text: str) -> Any:
    text, whole = revealed(text)
    if not whole:
        raise _LacksSecret
    return json.loads(text)
