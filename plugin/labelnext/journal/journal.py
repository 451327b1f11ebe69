"""The journal of a run, written ahead of every change so that any run can be resumed or undone.

Each run has one file of JSON lines: a header with the plan, then for each step a snapshot of what
was there before and a note when it is done. Every line is synced to disk before the next change.
Large values are stored as columns in separate files, synced before a line names them and read on
demand.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from labelnext.errors import ConfigError, NotFound, WriteFailed, listed
from labelnext.journal.columns import Snapshots
from labelnext.journal.file import JournalFile, create_file, journal_paths
from labelnext.journal.lock import hold as hold
from labelnext.journal.lock import only_run as only_run
from labelnext.journal.plan import Plan
from labelnext.journal.state import no_state
from labelnext.support.started import CONFIG, from_here, how, work_on_run
from labelnext.support.store import is_run_id, is_url

_log = logging.getLogger("labelnext")

Status = Literal["planned", "broken", "done", "undone"]


class Journal:
    """The record of one run, on disk.

    Args:
        path: path of the file, which must exist. Use `create` for a new journal.

    Attributes:
        header: the first line: run_id, started, the plan without large payloads, and the details
            given to `create`.
        done: numbers of the steps that are done.
        undoing: whether an undo of the run was begun, and didn't come to its end.
        kept_for: of an undone run, the later run that had its place; None if none had.
        notes: an adapter's notes, the newest of each kind.

    Raises:
        NotFound: if the file doesn't exist.
        ConfigError: if it can't be read, isn't a journal, or has a newer format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: set[int] = set()
        self.notes: dict[str, Mapping[str, Any]] = {}
        self.finished = self.undone = self.undoing = False
        self.kept_for: str | None = None
        self._file = JournalFile(path)
        self.header: dict[str, Any] = self._file.header
        for row in self._file.rows:
            self._take(row)

    @classmethod
    def create(
        cls, directory: Path, plan: Plan, *, details: Mapping[str, Any] | None = None
    ) -> Journal:
        """Create a journal with a plan, synced to disk.

        Args:
            directory: folder of the configuration's journals, created if missing.
            plan: what is about to be written.
            details: more JSON to keep, without secrets.

        Raises:
            ConfigError: if the directory isn't writable.
        """
        try:
            journal = cls(create_file(directory, plan.to_dict(), details or {}))
        except OSError as error:
            raise no_state(directory, error) from error
        work_on_run(journal.run_id)
        return journal

    @property
    def run_id(self) -> str:
        """Name of the run and of its file."""
        return str(self.header["run_id"])

    @property
    def what(self) -> str:
        """The kind of run: run, send, fetch or push."""
        return str(self.header.get("what", "run"))

    @property
    def target(self) -> str:
        """The project, dataset or file, in words; reads no payload.

        A ranking file that was moved or copied with the state folder is where it lies now.
        """
        wrote, output = str(self.header["plan"]["target"]), self.origin.get("output")
        if self.what != "run" or output is None or is_url(output):
            return wrote
        now = os.path.normpath(os.path.join(os.path.realpath(self.path.parent), output))
        return wrote if os.path.realpath(wrote) == os.path.realpath(now) else now

    @cached_property
    def plan(self) -> Plan:
        """The plan of the run; large payloads are read on first access."""
        data = self._file.plan()
        try:
            plan = Plan.from_dict(data)
            steps = range(len(plan.steps))
            if unknown := [n for n in (*self.done, *self.befores) if n not in steps]:
                raise ValueError(f"no step {unknown[0]}")
        except (LookupError, TypeError, ValueError) as error:
            raise self._file.broken(error) from error
        return plan

    @cached_property
    def befores(self) -> Snapshots:
        """What was there before each started step; large snapshots are read on first access."""
        snapshots = Snapshots(self.path)
        try:
            for row in self._file.snapshots():
                snapshots.add(row)
        except (OSError, LookupError, TypeError, ValueError) as error:
            raise self._file.broken(error) from error
        return snapshots

    @property
    def status(self) -> Status:
        """planned: nothing was touched; broken: some steps may have been done, or undone."""
        if self.undone:
            return "undone"
        if self.finished and not self.undoing:
            return "done"
        return "broken" if self.befores else "planned"

    @property
    def origin(self) -> Mapping[str, Any]:
        """Where the run comes from, as `belonging.origin_of` says; empty where it isn't known."""
        origin = self.header.get("origin")
        if not isinstance(origin, Mapping):
            return {}
        texts = (origin.get("config"), origin.get("output"))
        return origin if all(isinstance(text, str | None) for text in texts) else {}

    @property
    def config(self) -> str | None:
        """Name of the configuration's file; None of a run that was started in Python."""
        config = self.origin.get("config")
        return None if config is None else Path(config).name

    @property
    def next_steps(self) -> tuple[str, ...]:
        """What to do now: as the adapter said after the write, otherwise as planned."""
        return tuple(self.notes.get("next_steps", {}).get("lines", self.plan.next_steps))

    @property
    def remarks(self) -> tuple[str, ...]:
        """The adapter's remarks on the write, one sentence each."""
        return tuple(self.notes.get("remarks", {}).get("lines", ()))

    def record(self, kind: str, **data: Any) -> None:
        """Add a line, and sync it to disk.

        Raises:
            WriteFailed: if the disk is full.
        """
        work_on_run(self.run_id, undoing=self.undoing or kind == "undoing")
        row = {"kind": kind, **data}
        if kind == "before" and row["step"] in self.befores:
            return  # the step was started before: only its first snapshot is original
        try:
            self._file.append(row)
        except OSError as error:
            raise WriteFailed(
                f"journal {str(self.path)!r} could not be written: {error.strerror}.",
                hint="free some disk space, then run "
                + how("undo" if kind in ("undoing", "undone") else "resume", CONFIG)
                + ".",
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
                case "undoing":
                    self.undoing = not row.get("refused", False)
                case "undone":
                    self.undone = True
                    self.kept_for = row.get("later")
                case kind:
                    self.notes[str(kind)] = row  # an adapter's own, the newest of its kind
        except (LookupError, TypeError, ValueError) as error:
            raise self._file.broken(error) from error


def journals(directory: Path) -> list[Journal]:
    """The journals of a state folder, oldest first; `read_journals` also reports skipped files."""
    return read_journals(directory)[0]


def read_journals(directory: Path) -> tuple[list[Journal], dict[str, ConfigError]]:
    """The journals of a state folder, oldest first, and what is wrong with other files there.

    Args:
        directory: the state folder; it may be missing.

    Returns:
        The journals; and for each other file's name, without its ending, why it can't be read.
    """
    known: list[Journal] = []
    faults: dict[str, ConfigError] = {}
    for path in journal_paths(directory):
        try:
            journal = Journal(path)
            _ = journal.status  # every caller needs it, so its errors must show here
            known.append(journal)
        except ConfigError as error:
            faults[path.stem] = error
    return known, faults


def find_journal(
    directory: Path,
    run_id: str | None,
    statuses: tuple[Status, ...],
    belongs: Callable[[Journal], bool] = lambda _: True,
) -> Journal:
    """The journal of a run; without a run id, the newest own one with one of the statuses.

    Raises:
        NotFound: if there is no such run.
        ConfigError: if the requested journal can't be read.
    """
    known, faults = read_journals(directory)
    if run_id is not None:
        for journal in known:
            if journal.run_id == run_id:
                return journal
        if run_id in faults:
            raise faults[run_id]
        names = listed(j.run_id for j in reversed(known)) or "none"
        raise NotFound(f"run must be one of {names}; got {run_id!r}.")
    for fault in faults.values():
        _log.warning("skipped: %s", fault)
    able = [journal for journal in known if journal.status in statuses]
    mine = [journal for journal in able if belongs(journal)]
    if mine:
        return mine[-1]
    hint = f"{how('runs', CONFIG, '--all')} lists those of other configurations." if able else None
    if faults:
        hint = f"what can't be read may be one: {next(iter(faults.values())).message}"
    undoing = "done" in statuses
    kept = [journal for journal in known if journal.kept_for is not None and belongs(journal)]
    if undoing and kept:
        hint = (
            f"if the later run {kept[-1].kept_for} is undone by now, "
            f"{how('undo', CONFIG, kept[-1].run_id)} takes away what that left."
        )
    raise NotFound(
        f"this configuration has no run to {'undo' if undoing else 'resume'}.", hint=hint
    )


def check_newest(
    directory: Path,
    journal: Journal,
    verb: str,
    builds_on: Callable[[Journal, Journal], bool] = lambda later, earlier: True,
) -> None:
    """Raise ConfigError if a later run built on this one, or may have.

    Args:
        directory: the state folder.
        journal: the run's journal.
        verb: what to do with the run, as a participle such as "undone".
        builds_on: whether a later run may have built on an earlier one.
    """
    known, faults = read_journals(directory)
    done = {
        other.run_id: other
        for other in known
        if other.status in ("done", "broken") and builds_on(other, journal)
    }
    # An unreadable run may be done: by a newer labelnext, or by another user.
    unknown = [name for name in faults if is_run_id(name)]
    later = max([*done, *unknown], default="")
    if later <= journal.run_id:
        return
    message = f"run {journal.run_id} can't be {verb}: the later run {later}"
    if later in faults:
        raise ConfigError(
            f"{message} can't be read: {faults[later].message}",
            hint=faults[later].hint or f"if you don't need {later}.jsonl, move it elsewhere.",
        )
    config = done[later].origin.get("config")
    if config is None or config == journal.origin.get("config"):
        raise ConfigError(
            f"{message} builds on it.", hint=f"undo that first: {how('undo', CONFIG, later)}."
        )
    other = from_here(os.path.normpath(directory / config))
    raise ConfigError(
        f"{message} of {other} builds on it.",
        hint=f"undo that first: {how('undo', Path(other), later)}.",
    )
