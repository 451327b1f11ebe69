"""Large payloads and snapshots of a journal: columns in a file of their own, read when needed."""

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

from labelnext.errors import ConfigError

_INLINE = 16_384  # characters of JSON, about, that a line of the journal may hold
_LONG = 32  # values from which on a list is worth columns


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
                break  # nothing is copied of a list of millions
            waiting.extend(part)
            if isinstance(part, dict):
                waiting.extend(part.values())
        else:
            room -= 4
    return room < 0


def move_if_large(row: dict[str, Any], name: str, path: Path) -> None:
    """Keep a large value of a row in a file of its own, safely on disk; the row then names it.

    Args:
        row: of a journal.
        name: of the value.
        path: of the file; a small value stays in the row.

    Raises:
        OSError: as `store`.
    """
    if is_large(row[name]):
        row["stored"] = {"file": path.name, "sha256": store(path, row.pop(name))}


def with_payload(row: Mapping[str, Any], journal: Path) -> dict[str, Any]:
    """A step of a header with its payload; a large one is read when it is asked for.

    Args:
        row: of the header.
        journal: path of the journal.
    """
    step = dict(row)
    if "stored" in step:
        step["payload"] = StoredPayload(_Stored.of(step.pop("stored"), journal))
    return step


def store(path: Path, value: Any) -> str:
    """Write a value as columns; it is on disk when this returns.

    Args:
        path: of the new file; who reads it sees all of it or none.
        value: comes back from `load` as it would from its JSON.

    Returns:
        The SHA-256 of the file: what a damaged one gave would be written to somebody's data.

    Raises:
        OSError: if the disk is full or the folder cannot be written.
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
    partial = path.with_suffix(".partial")
    try:
        with open(partial, "wb", opener=private) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_directory(path.parent)
    except OSError:
        with suppress(OSError):
            partial.unlink()
        raise
    return hashlib.sha256(content).hexdigest()


def load(path: Path, sha256: str) -> Any:
    """What `store` wrote.

    Args:
        path: of the file.
        sha256: as `store` returned it.

    Raises:
        ConfigError: if the file is gone or broken.
    """
    import pyarrow as pa

    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError("it was changed")
        with pa.ipc.open_file(pa.py_buffer(content)) as reader:
            table = reader.read_all()
        columns = [column.combine_chunks().flatten() for column in table.columns]
        kept = json.loads(columns[0][0].as_py())
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
    except (OSError, ValueError, LookupError, TypeError, pa.ArrowException) as error:
        raise ConfigError(
            f"{str(path)!r} must lie whole beside its journal; it does not ({error}).",
            hint="put it back from a backup; undo and resume need it.",
        ) from error
    return value


@dataclass(frozen=True)
class _Stored:
    """A file of columns, as a row names it."""

    path: Path
    sha256: str

    @classmethod
    def of(cls, stored: Mapping[str, str], journal: Path) -> _Stored:
        return cls(journal.with_name(stored["file"]), stored["sha256"])

    def load(self) -> Any:
        return load(self.path, self.sha256)


class StoredPayload(Mapping[str, Any]):
    """The payload of a step, read when it is first asked for.

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
    """The first snapshot of each step; a large one is read when it is asked for.

    Args:
        journal: path of the journal.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._states: dict[int, Any] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Keep the snapshot of a row, unless its step has one: the first is the true one."""
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


def private(path: str, flags: int) -> int:
    """Opener of a file that only this user may read: it holds data of items."""
    return os.open(path, flags, 0o600)


def sync_directory(directory: Path) -> None:
    """Wait until the names in a folder are on disk."""
    if os.name == "posix":
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class _Columns:
    """The long lists of a value, as columns.

    A list's form says how it is put together again: the number of its column; `of` the forms of the
    columns of a list of records with the same `names`; or `json`, the number of a column that
    holds its text. A long object is a list of `keys` and one of `values`.

    Attributes:
        arrays: the columns.
        lists: where each list stood, and its form.
    """

    def __init__(self) -> None:
        self.arrays: list[Any] = []
        self.lists: list[tuple[list[str | int], Any]] = []

    def rest_of(self, value: Any, place: list[str | int]) -> Any:
        """The value with null where a list was taken out."""
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
        if kind in types:
            # Larger than 64 bits, or half a surrogate pair: JSON has room for both.
            with suppress(OverflowError, UnicodeEncodeError):
                return self._add(pa.array(values, types[kind]))
        return {"json": self._add(pa.array([_json(values)], pa.large_string()))}

    def _add(self, array: Any) -> int:
        self.arrays.append(array)
        return len(self.arrays)  # column 0 is the text


def _content(form: Any, columns: list[Any]) -> Any:
    """The list or object of that form."""
    if isinstance(form, int):
        return columns[form].to_pylist()
    if "json" in form:
        return json.loads(columns[form["json"]][0].as_py())
    if "keys" in form:
        keys, values = (_content(form[part], columns) for part in ("keys", "values"))
        return dict(zip(keys, values, strict=True))
    names, parts = form["names"], [_content(part, columns) for part in form["of"]]
    return [dict(zip(names, row, strict=True)) for row in zip(*parts, strict=True)]


def _usual(value: dict[Any, Any]) -> bool:
    """Whether JSON leaves the keys as they are."""
    try:
        "".join(value).encode()
    except (TypeError, UnicodeEncodeError):
        return False
    return True


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))
