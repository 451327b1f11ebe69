"""The journal of a run: written before the first change, so that every run can be ended or undone.

One file of JSON lines a run: a header with the plan, then for each step what was there before and
that it was done. Every line is on disk before the next change is made. What is large lies beside
it, as columns, on disk before a line names it and read when it is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from labelnext.errors import ConfigError, NotFound, WriteFailed, listed
from labelnext.journal.columns import Snapshots
from labelnext.journal.file import JournalFile, create_file, is_run_id, journal_paths
from labelnext.journal.lock import hold as hold
from labelnext.journal.lock import only_run as only_run
from labelnext.journal.plan import Plan

Status = Literal["planned", "broken", "done", "undone"]


class Journal:
    """The record of one run, on disk.

    Args:
        path: of the file; it must exist. Use `create` for a new one.

    Attributes:
        header: the first line: run_id, started, the plan without large payloads, and the details
            that `create` was given.
        done: the steps that are done.
        notes: what an adapter noted, the newest of each kind.

    Raises:
        NotFound: if there is no such file.
        ConfigError: if it cannot be read, is not a journal, or is of a newer format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: set[int] = set()
        self.notes: dict[str, Mapping[str, Any]] = {}
        self.finished = self.undone = False
        self._file = JournalFile(path)
        self.header: dict[str, Any] = self._file.header
        for row in self._file.rows:
            self._take(row)

    @classmethod
    def create(
        cls, directory: Path, plan: Plan, *, details: Mapping[str, Any] | None = None
    ) -> Journal:
        """A new journal with the plan in it, safely on disk.

        Args:
            directory: where the journals of the configuration live; made if missing.
            plan: what is about to be written.
            details: anything else to keep, as JSON, without secrets.

        Raises:
            ConfigError: if the directory cannot be written.
        """
        try:
            return cls(create_file(directory, plan.to_dict(), details or {}))
        except OSError as error:
            raise ConfigError(
                f"state must be a folder that can be written; got {str(directory)!r} ({error}).",
                hint="set state: to a folder of yours.",
            ) from error

    @property
    def run_id(self) -> str:
        """Name of the run, also of the file."""
        return str(self.header["run_id"])

    @property
    def what(self) -> str:
        """run, send or fetch."""
        return str(self.header.get("what", "run"))

    @property
    def target(self) -> str:
        """The project, dataset or file, for people; no payload is read for it."""
        return str(self.header["plan"]["target"])

    @cached_property
    def plan(self) -> Plan:
        """What was to be written; a large payload is read when it is asked for."""
        plan = self._file.plan()
        try:
            return Plan.from_dict(plan)
        except (LookupError, TypeError) as error:
            raise self._file.broken(error) from error

    @cached_property
    def befores(self) -> Snapshots:
        """What was there before each step that was begun; a large one is read when asked for."""
        snapshots = Snapshots(self.path)
        try:
            for row in self._file.snapshots():
                snapshots.add(row)
        except (OSError, LookupError, TypeError, ValueError) as error:
            raise self._file.broken(error) from error
        return snapshots

    @property
    def status(self) -> Status:
        """planned: nothing was touched; broken: some steps may have been done."""
        if self.undone:
            return "undone"
        if self.finished:
            return "done"
        return "broken" if self.befores else "planned"

    @property
    def next_steps(self) -> tuple[str, ...]:
        """What the user does now: as the adapter said after the write, else as planned."""
        return tuple(self.notes.get("next_steps", {}).get("lines", self.plan.next_steps))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the adapter found during the write, one sentence each."""
        return tuple(self.notes.get("remarks", {}).get("lines", ()))

    def record(self, kind: str, **data: Any) -> None:
        """Add a line, and return when it is on disk.

        Raises:
            WriteFailed: if the disk is full.
        """
        row = {"kind": kind, **data}
        if kind == "before" and row["step"] in self.befores:
            return  # of a step that was begun twice, the first snapshot is the true one
        try:
            self._file.append(row)
        except OSError as error:
            raise WriteFailed(
                f"journal {str(self.path)!r} could not be written: {error.strerror}.",
                hint="make room, then labelnext resume.",
            ) from error
        self._take(row)

    def _take(self, row: Mapping[str, Any]) -> None:
        try:
            match row.get("kind"):
                case "before":
                    self.befores.add(row)
                case "done":
                    self.done.add(int(row["step"]))
                case "finished":
                    self.finished = True
                case "undone":
                    self.undone = True
                case kind:
                    self.notes[str(kind)] = row  # an adapter's own, the newest of its kind
        except (LookupError, TypeError, ValueError) as error:
            raise self._file.broken(error) from error


def journals(directory: Path) -> list[Journal]:
    """The journals of a state folder, oldest first; `read_journals` says what is passed over."""
    return read_journals(directory)[0]


def read_journals(directory: Path) -> tuple[list[Journal], dict[str, ConfigError]]:
    """The journals of a state folder, oldest first, and what is wrong with other files there.

    Args:
        directory: the state folder; there may be none.

    Returns:
        The journals; and for each name, without its ending, why it cannot be read as one.
    """
    known: list[Journal] = []
    faults: dict[str, ConfigError] = {}
    for path in journal_paths(directory):
        try:
            journal = Journal(path)
            _ = journal.status  # which everybody asks for, so its faults show here
            known.append(journal)
        except ConfigError as error:
            faults[path.stem] = error
    return known, faults


def find_journal(directory: Path, run_id: str | None, statuses: tuple[Status, ...]) -> Journal:
    """The journal of that run; without a name, the newest in one of the statuses.

    Raises:
        NotFound: if there is none.
        ConfigError: if the one that was asked for cannot be read.
    """
    known, faults = read_journals(directory)
    if run_id is not None:
        for journal in known:
            if journal.run_id == run_id:
                return journal
        if run_id in faults:
            raise faults[run_id]
        names = listed(j.run_id for j in known) or "none"
        raise NotFound(f"run must be one of {names}; got {run_id!r}.")
    able = [journal for journal in known if journal.status in statuses]
    if not able:
        raise NotFound(f"no run in {str(directory)!r} is {' or '.join(statuses)}.")
    return able[-1]


def check_newest(directory: Path, journal: Journal, verb: str) -> None:
    """Raise ConfigError if a later run built on this one, or may have.

    Args:
        directory: the state folder.
        journal: of the run.
        verb: what is to be done with it, as a participle.
    """
    known, faults = read_journals(directory)
    done = [other.run_id for other in known if other.status in ("done", "broken")]
    # What cannot be read may have been done: by a newer labelnext, or by another user.
    unknown = [name for name in faults if is_run_id(name)]
    later = max([*done, *unknown], default="")
    if later <= journal.run_id:
        return
    message = f"run {journal.run_id} must be the newest to be {verb}; {later} came after it"
    if later in faults:
        raise ConfigError(
            f"{message}, and cannot be read: {faults[later].message}",
            hint=faults[later].hint or f"move {later}.jsonl away if it is of no use.",
        )
    raise ConfigError(f"{message}.", hint=f"undo {later} first.")
