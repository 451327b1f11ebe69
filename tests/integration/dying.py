"""Runs, undos and resumes that die, or find the disk full, and are settled by resume and undo.

They die in this process: from the n-th write on, whatever is asked of the database, of Label Studio
or of the file system raises `Death`, which no code of ours or of a library catches. So a death
costs nothing, where a process of its own would have to import FiftyOne and connect first.
On a full disk only what needs room fails: the journal, while the server or the database goes on.
"""

from __future__ import annotations

import errno
import os
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from pymongo import monitoring

from labelnext.errors import ConfigError, LabelnextError
from labelnext.journal import Journal
from labelnext.runs.undo import resume, runs, undo
from tests.fuzz.deaths import asks_to_write

WRITES = {"insert", "update", "delete", "findAndModify", "createIndexes", "dropIndexes", "create"}
ACTIONS = ("run", "undo", "resume", "undo of a part")

NEED_ROOM = {"open", "os.mkdir"}

Point = tuple[str, int, str]


class Death(BaseException):
    """The process is dead from here on."""


class Watch(monitoring.CommandListener):
    """Counts writes while it is awake; from the n-th on, they die or find the disk full."""

    def __init__(self) -> None:
        self.folder = ""
        self.kinds: list[str] | None = None
        self.at, self.end = 0, "killed"

    @contextmanager
    def awake(self, folder: Path, at: int = 0, end: str = "killed") -> Iterator[list[str]]:
        """Yields what is written to, one word a write. Nothing ends if `at` is 0."""
        send = httpx.HTTPTransport.handle_request

        def watched(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
            if request.method != "GET":
                self.count("server")
            return send(transport, request)

        self.folder, self.at, self.end, self.kinds = str(folder), at, end, []
        try:
            with patch.object(httpx.HTTPTransport, "handle_request", watched):
                yield self.kinds
        finally:
            self.kinds = None

    def count(self, kind: str) -> None:
        if self.kinds is not None:
            self.kinds.append(kind)
            if 0 < self.at <= len(self.kinds):
                if self.end == "killed":
                    raise Death
                if kind == "room":
                    raise OSError(errno.ENOSPC, "No space left on device")

    def started(self, event: Any) -> None:
        if event.command_name in WRITES:
            self.count("database")

    def succeeded(self, event: Any) -> None:
        """What comes after a write is before the next one."""

    def failed(self, event: Any) -> None:
        """Commands that fail write nothing."""

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        if self.kinds is not None and asks_to_write(self.folder, event, args):
            self.count("room" if event in NEED_ROOM else "file")


def journal_of(config: Path, run_id: str) -> Journal:
    """The journal of a run, read anew."""
    (journal,) = [one for one in runs(config) if one.run_id == run_id]
    return journal


WATCH = Watch()
monitoring.register(WATCH)  # before FiftyOne connects
sys.addaudithook(WATCH.hook)


@dataclass
class Mortal:
    """Something that writes, and can be killed and settled again and again.

    Args:
        config: of the run; its folder holds the journals.
        act: writes.
        dump: all that there is, to be the same after an undo.
        content: what a finished run is known by, whatever its id.
        fresh: forgets what this process knows, as a new one would.

    Attributes:
        writes: what each action writes to, in order.
    """

    config: Path
    act: Callable[[Path], Any]
    dump: Callable[[], Any]
    content: Callable[[], Any]
    fresh: Callable[[], Any] = lambda: None
    writes: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.do(self.act)
        self.do(undo)  # what is said to stay is there from here on
        self.before = self.dump()
        self.writes["run"] = self.do(self.act)
        self.done = self.content()
        self.writes["undo"] = self.writes["undo of a part"] = self.do(undo)
        self.writes["resume"] = self.writes["run"]
        assert self.dump() == self.before, "an undo that nobody killed"

    def points(self, actions: Sequence[str] = ACTIONS, kind: str | None = None) -> list[Point]:
        """Every death: an action, and the number of a write of that kind."""
        return [
            (action, number, "killed")
            for action in actions
            for number, one in enumerate(self.writes[action], 1)
            if kind in (None, one)
        ]

    def full_disks(self, actions: Sequence[str] = ACTIONS) -> list[Point]:
        """Every write of an action that may be the first without room."""
        points = self.points(actions, "room")
        return [(action, number, "full") for action, number, _ in points]

    def do(self, call: Callable[[Path], Any], at: int = 0, end: str = "killed") -> list[str]:
        """Call, and die or run out of room at a write; returns what was written to."""
        self.fresh()
        folder = Path(os.path.realpath(self.config.parent))
        with WATCH.awake(folder, at, end) as kinds:
            try:
                call(self.config)
            except Death:
                self.fresh()
            except LabelnextError as error:
                if end != "full" or "No space left" not in str(error):
                    raise
                self.fresh()
        return kinds

    def status(self, known: set[str]) -> tuple[str, str]:
        """The id and status of the run that was not known before."""
        new = [journal for journal in runs(self.config) if journal.run_id not in known]
        assert len(new) <= 1
        return (new[0].run_id, new[0].status) if new else ("", "none")

    def trial(self, point: Point, rng: random.Random) -> str:
        """Die at a write, and settle it; what became of it."""
        action, at, end = point
        known = {journal.run_id for journal in runs(self.config)}
        if action == "undo":
            self.do(self.act)
        elif action != "run":
            self.do(self.act, rng.randint(1, len(self.writes["run"])))
        begun = self.status(known)[1]
        if action != "run" and begun in ("none", "undone"):
            return "nothing to settle"
        if action == "resume" and begun == "done":
            self.do(undo)
            return "nothing to settle"
        if action == "undo of a part" and begun == "planned":
            self.do(resume)
        self.do({"run": self.act, "resume": resume}.get(action, undo), at, end)
        run_id, status = self.status(known)
        if status in ("none", "undone"):
            assert self.dump() == self.before, f"{status}, but something is left"
            return status
        if action in ("run", "resume"):
            self._settle(status, rng)
        elif rng.random() < 0.3:  # a run on what the undo left, and back
            self.do(self.act)
            assert self.content() == self.done, "a run after an undo that died is another"
            self.do(undo)
            if journal_of(self.config, run_id).status == "undone":  # that run had nothing to write
                assert self.dump() == self.before, "an undo that was finished by the next"
                return status
        if journal_of(self.config, run_id).undoing:
            with pytest.raises(ConfigError, match="its undo was begun"):
                resume(self.config, run_id)
        self.do(undo)
        assert self.dump() == self.before, f"undo of what was {status}"
        assert journal_of(self.config, run_id).status == "undone"
        with pytest.raises(ConfigError, match="is already undone"):
            undo(self.config, run_id)
        return status

    def _settle(self, status: str, rng: random.Random) -> None:
        if status == "planned":
            assert self.dump() == self.before, "planned, but something was written"
        if status == "planned" or (status == "broken" and rng.random() < 0.5):
            self.do(resume)
            status = "done"
        if status == "done":
            assert self.content() == self.done, "done, but it is another ranking"
