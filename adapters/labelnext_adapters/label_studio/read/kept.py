"""The predictions of a project as they were last read, kept in the state folder.

The server sends all predictions or none, and is slow for everybody meanwhile. But it says how many
each model version has, when the newest of them was made, and which tasks were changed: who changes
or removes a prediction changes its task, and what comes or goes in bulk changes a count. What is
kept counts as long as all of that agrees; else everything is read.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Self

import msgspec

from labelnext.adapter.protocol import Context
from labelnext.errors import LabelnextError
from labelnext.support.files import sweep, temporary_file, write_atomically
from labelnext_adapters.label_studio.server.changes import changed_after, read_until
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.pages import count_tasks, task_pages
from labelnext_adapters.label_studio.server.project import all_versions
from labelnext_adapters.label_studio.server.tasks import Prediction
from labelnext_adapters.label_studio_format.moments import moment

_FEW = 0.1  # of the tasks; to read more than that with their predictions takes as long as all
_PAGE = 200
_BLOCK, _MOST = 1 << 20, 1 << 31  # bytes that are decoded at a time, and in all
_BROKEN = (OSError, EOFError, zlib.error, ValueError, msgspec.MsgspecError)

Tally = dict[str | None, tuple[int, float]]
_decoder = msgspec.json.Decoder(Prediction)


class _Header(msgspec.Struct):
    """The first line of a file.

    Attributes:
        since: what the server dates later may be otherwise now.
        n_tasks: how many tasks the project had.
        tally: by model version, how many predictions it had and when the newest was made.
    """

    since: datetime
    n_tasks: int
    tally: list[tuple[str | None, int, float]]


@dataclass(frozen=True)
class _Kept:
    """What a file holds, but of the tasks that were changed since what the server has."""

    path: Path
    header: _Header
    changed: Mapping[int, list[Prediction]]

    def rows(self) -> Iterator[Prediction]:
        """All predictions."""
        yield from (row for row in _read(self.path) if row.task not in self.changed)
        for rows in self.changed.values():
            yield from rows

    def tally(self) -> tuple[Tally, bool]:
        """As the server counts them; and whether all have their number."""
        known = {version: made for version, _, made in self.header.tally}
        tally, numbered = Tally(), True
        for row in self.rows():
            n, newest = tally.get(row.model_version, (0, -math.inf))
            made = moment(row.created_at) if row.id else known.get(row.model_version, -math.inf)
            tally[row.model_version] = (n + 1, max(newest, made))
            numbered = numbered and bool(row.id)
        return tally, numbered


def listed_predictions(
    client: Client, project: Mapping[str, Any], context: Context, *, numbered: bool = False
) -> Iterator[Prediction]:
    """All predictions of a project; what is known to be as it was is not asked for again.

    Args:
        client: the server.
        project: its settings and counts.
        context: with the state folder, and for progress.
        numbered: whether each must have its number; else those that a run has sent have none.

    Raises:
        TimedOut: if the server does not send them in time; some may have come by then.
    """
    path = kept_path(client, project["id"], context)
    kept = None if path is None else _current(client, project, path, context, numbered)
    if kept is not None:
        yield from kept.rows()
        return
    header = None if path is None else _header(client, project)
    rows = client.rows("api/predictions/", Prediction, project=project["id"])
    if path is None or header is None:
        yield from rows
    else:
        yield from _keeping(rows, header, path)


def keep_sent(
    client: Client, project: int, rows: Iterable[Mapping[str, Any]], context: Context
) -> None:
    """Keep predictions of new model versions that the server has just stored.

    Args:
        client: the server.
        project: its number.
        rows: as they were sent.
        context: with the state folder.
    """
    path = kept_path(client, project, context)
    if path is None:
        return

    def write(file: IO[bytes]) -> None:
        with gzip.open(file, "wb", compresslevel=1) as out:
            out.write(msgspec.json.encode(header) + b"\n")
            for row in _read(path):
                out.write(msgspec.json.encode(row) + b"\n")
            for sent in rows:
                out.write(msgspec.json.encode({"id": 0, **sent}) + b"\n")

    with suppress(*_BROKEN, LabelnextError):
        header = _header_of(path)
        known = {version for version, _, _ in header.tally}
        now = _tally_of(client, project)
        header.tally += [(v, *told) for v, told in now.items() if v not in known]
        write_atomically(path, write, private=True)


def kept_path(
    client: Client,
    project: int,
    context: Context,
    folder: str = "predictions",
    ending: str = ".jsonl.gz",
) -> Path | None:
    """The file of a project; None without a state folder, which only a run makes."""
    if context.state is None or not context.state.is_dir():
        return None
    name = hashlib.sha256(f"{client.url} {project}".encode()).hexdigest()[:16]
    return context.state / folder / f"{name}{ending}"


def _current(
    client: Client, project: Mapping[str, Any], path: Path, context: Context, numbered: bool
) -> _Kept | None:
    """What is kept, if the server has the same but for changed tasks; these are read."""
    with suppress(*_BROKEN):
        header, number = _header_of(path), project["id"]
        after = (changed_after(header.since),)
        if header.n_tasks != project["task_number"]:
            return None
        if count_tasks(client, number, after) > _FEW * header.n_tasks:
            return None
        pages = task_pages(
            client, number, "id,predictions", page_size=_PAGE, filters=after, context=context
        )
        changed = {task.id: task.predictions for page in pages for task in page}
        for task, rows in changed.items():
            for row in rows:
                row.task = task
        kept = _Kept(path, header, changed)
        tally, all_numbered = kept.tally()
        if tally == _tally_of(client, number) and (all_numbered or not numbered):
            return kept
    return None


def _header(client: Client, project: Mapping[str, Any]) -> _Header | None:
    """Of the list that is asked for next; None where the server has no dates."""
    since = read_until(client, project["id"])
    if since is None:
        return None
    tally = _tally_of(client, project["id"])
    n_tasks = int(project["task_number"])
    return _Header(since, n_tasks, [(version, *told) for version, told in tally.items()])


def _tally_of(client: Client, project: int) -> Tally:
    rows = all_versions(client, project)
    return {row["model_version"]: (row["count"], moment(row["latest"])) for row in rows}


def _keeping(rows: Iterable[Prediction], header: _Header, path: Path) -> Iterator[Prediction]:
    """The same rows, which are a file at the end, if they are what the server counted."""
    tally = Tally()
    with _Partial(path) as partial:
        partial.add(header)
        for row in rows:
            yield row
            partial.add(row)
            n, newest = tally.get(row.model_version, (0, -math.inf))
            tally[row.model_version] = (n + 1, max(newest, moment(row.created_at)))
        if tally == {version: (n, made) for version, n, made in header.tally}:
            partial.keep()


class _Partial:
    """A file in the making, gone at the end unless it is kept; what the disk refuses is no error.

    Args:
        path: where it is kept.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._open = path, ExitStack()
        self._out: gzip.GzipFile | None = None

    def __enter__(self) -> Self:
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            sweep(self._path.parent)
            self._name, self._file = self._open.enter_context(temporary_file(self._path.parent))
            self._open.callback(self._name.unlink, missing_ok=True)
            self._out = gzip.GzipFile("", "wb", 1, self._file)
        return self

    def add(self, line: object) -> None:
        """Write a line."""
        if self._out is not None:
            try:
                self._out.write(msgspec.json.encode(line) + b"\n")
            except OSError:
                self._out = None

    def keep(self) -> None:
        """Put it in its place."""
        with suppress(OSError):
            if self._out is not None:
                self._out.close()
                self._file.flush()
                os.replace(self._name, self._path)

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._open.close()


def _header_of(path: Path) -> _Header:
    with gzip.open(path) as file:
        return msgspec.json.decode(file.readline(_BLOCK), type=_Header)


def _read(path: Path) -> Iterator[Prediction]:
    """The predictions of a file.

    Raises:
        ValueError, OSError, EOFError, zlib.error: if it is damaged.
    """
    with gzip.open(path) as file:
        file.readline(_BLOCK)
        held, size = b"", 0
        while block := file.read(_BLOCK):
            held += block
            size += len(block)
            if size > _MOST or len(held) > _MOST // 8:
                raise ValueError("a file of predictions must not be that long")
            end = held.rfind(b"\n") + 1
            yield from _decoder.decode_lines(held[:end])
            held = held[end:]
        if held:
            raise ValueError("a file of predictions must end with its last line")


__all__ = ["keep_sent", "kept_path", "listed_predictions"]
