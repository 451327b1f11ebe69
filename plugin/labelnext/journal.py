"""The journal of a run: written before the first change, so that every run can be ended or undone.

One file of JSON lines a run: the plan, then for each step what was there before and that it was
done. Every line is on disk before the next change is made.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from labelnext.errors import ConfigError, LabelnextError, NotFound, Unavailable, WriteFailed, listed

Status = Literal["planned", "broken", "done", "undone"]
Progress = Callable[[str, int, int | None], None]

_TEXTS = ("stays", "next_steps", "left_out")  # of a plan, one sentence each


@dataclass(frozen=True)
class Step:
    """One bounded change on a platform.

    Attributes:
        kind: what the adapter does for it.
        description: for people, in the imperative: "Set labelnext_priority on 355 tasks".
        n_items: how many items it touches.
        payload: all that is needed to do it again, as JSON.
    """

    kind: str
    description: str
    n_items: int = 0
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What would be written, as data.

    Attributes:
        adapter: name of the adapter.
        run: name of the run, as `write.run` says.
        target: the project, dataset or file, for people.
        steps: in the order in which they are done.
        stays: what an undo cannot take back, one sentence each.
        next_steps: what the user does now, one sentence each.
        output: the ranking file that the steps write themselves, if they do.
        left_out: what was to be written and is not, one sentence each.
    """

    adapter: str
    run: str
    target: str
    steps: tuple[Step, ...] = ()
    stays: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    output: str | None = None
    left_out: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able data."""
        # `asdict` would copy every id of a payload.
        lists = {name: list(getattr(self, name)) for name in _TEXTS}
        return {**vars(self), **lists, "steps": [dict(vars(step)) for step in self.steps]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """Back from `to_dict`."""
        lists = {name: tuple(data.get(name, ())) for name in _TEXTS}
        return cls(**{**data, **lists, "steps": tuple(Step(**s) for s in data["steps"])})


class StepPerformer(Protocol):
    """What is done for a step, and how it is taken back."""

    def snapshot(self, step: Step) -> Any:
        """What is there now and would change, as JSON."""

    def perform(self, step: Step) -> None:
        """Do the step. Doing it twice must end in the same state."""

    def restore(self, step: Step, before: Any) -> list[str]:
        """Put back what was there; returns what had to stay, one sentence each."""


class Performer(StepPerformer, Protocol):
    """What an adapter gives to carry out and take back its plans.

    Subclass it, and override what must happen around the steps.

    Attributes:
        progress: called with a stage, how much is done, and of how much; None to stay silent.
        remarks: what the report must say of the write, one sentence each; complete after it.
    """

    progress: Progress | None = None
    remarks: Sequence[str] = ()

    def held(self, journal: Journal) -> AbstractContextManager[object]:
        """What is held while steps are done or taken back, such as a lock on the platform."""
        return nullcontext()

    def next_steps(self, plan: Plan) -> Sequence[str] | None:
        """What the user does now that all is written, one sentence each; None: as planned.

        Raises:
            Unavailable: if the platform is away by now; then it is as planned.
        """
        return None


class Journal:
    """The record of one run, on disk.

    Args:
        path: of the file; it must exist. Use `create` for a new one.

    Raises:
        NotFound: if there is no such file.
        ConfigError: if it is not a journal.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.befores: dict[int, Any] = {}
        self.done: set[int] = set()
        self.notes: dict[str, Mapping[str, Any]] = {}
        self.finished = self.undone = False
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError as error:
            raise NotFound(f"journal must exist; got {str(path)!r}.") from error
        rows = list(_complete_lines(text))
        if not rows or rows[0].get("kind") != "plan":
            raise ConfigError(f"journal must begin with a plan; {str(path)!r} does not.")
        self.header: dict[str, Any] = rows[0]
        self.plan = Plan.from_dict(rows[0]["plan"])
        for row in rows[1:]:
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
        now = datetime.now(UTC)
        run_id = f"{now:%Y%m%dT%H%M%S-%f}"
        earlier = max((path.stem for path in directory.glob("*.jsonl")), default="")
        if run_id <= earlier:  # the clock was set back: names must still tell the order
            run_id = f"{earlier}0"
        row = {
            "kind": "plan",
            "run_id": run_id,
            "started": now.isoformat(timespec="seconds"),
            **(details or {}),
            "plan": plan.to_dict(),
        }
        path = directory / f"{run_id}.jsonl"
        partial = path.with_suffix(".partial")
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with partial.open("w", encoding="utf-8") as file:
                _write_line(file, row)
            partial.rename(path)  # a journal without its plan would stand in the way of all others
            _sync_directory(directory)
        except OSError as error:
            with suppress(OSError):
                partial.unlink()
            raise ConfigError(
                f"state must be a folder that can be written; got {str(directory)!r} ({error}).",
                hint="set state: to a folder of yours.",
            ) from error
        return cls(path)

    @property
    def run_id(self) -> str:
        """Name of the run, also of the file."""
        return str(self.header["run_id"])

    @property
    def what(self) -> str:
        """run, send or fetch."""
        return str(self.header.get("what", "run"))

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
        try:
            with self.path.open("a", encoding="utf-8") as file:
                if not self._ends_with_newline():
                    file.write("\n")  # the last process died in the middle of a line
                _write_line(file, row)
        except OSError as error:
            raise WriteFailed(
                f"journal {str(self.path)!r} could not be written: {error.strerror}.",
                hint="make room, then labelnext resume.",
            ) from error
        self._take(row)

    def _ends_with_newline(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    def _take(self, row: Mapping[str, Any]) -> None:
        match row.get("kind"):
            case "before":
                # Of a step that was begun twice, the first snapshot is the true one.
                self.befores.setdefault(int(row["step"]), row["state"])
            case "done":
                self.done.add(int(row["step"]))
            case "finished":
                self.finished = True
            case "undone":
                self.undone = True
            case kind:
                self.notes[str(kind)] = row  # an adapter's own, the newest of its kind


def carry_out(plan: Plan, journal: Journal, performer: Performer) -> None:
    """Do the steps of the plan that the journal does not hold as done, each after its snapshot.

    Then note what the performer remarked, and what the user does now.

    Raises:
        ConfigError: if what the performer must hold is held by somebody else.
        WriteFailed: if a step fails; the cause is chained, and the run can be resumed or undone.
    """
    with performer.held(journal):
        _do_steps(plan, journal, performer)
    if performer.remarks:
        journal.record("remarks", lines=list(performer.remarks))
    if plan.steps:  # now what was made has an address
        # The run is done: a server that goes away only now costs the address, not the run.
        with suppress(Unavailable):
            lines = performer.next_steps(plan)
            if lines is not None:
                journal.record("next_steps", lines=list(lines))


def _do_steps(plan: Plan, journal: Journal, performer: Performer) -> None:
    progress = performer.progress
    for number, step in enumerate(plan.steps):
        if number in journal.done:
            continue
        if progress is not None:
            progress(f"write: {step.description}", number, len(plan.steps))
        try:
            if number not in journal.befores:
                journal.record("before", step=number, state=performer.snapshot(step))
            perform_step(performer, step, number)
        except LabelnextError as error:
            raise WriteFailed(
                f"run {journal.run_id} broke off at step {number + 1} of {len(plan.steps)}, "
                f"{step.description!r}: {error.message}",
                hint="labelnext resume finishes it, labelnext undo takes it back."
                + (f" {error.hint}" if error.hint else ""),
            ) from error
        journal.record("done", step=number)
    journal.record("finished")
    if progress is not None and plan.steps:
        progress("write", len(plan.steps), len(plan.steps))


def perform_step(performer: StepPerformer, step: Step, number: int) -> None:
    """Do one step: the seam at which tests break a run off."""
    performer.perform(step)


def take_back(journal: Journal, performer: Performer) -> list[str]:
    """Restore what the steps found, the last step first.

    Returns:
        What had to stay, one sentence each.
    """
    stayed: list[str] = []
    with performer.held(journal):
        for number in sorted(journal.befores, reverse=True):
            stayed += performer.restore(journal.plan.steps[number], journal.befores[number])
        journal.record("undone", stayed=stayed)
    return stayed


def journals(directory: Path) -> list[Journal]:
    """The journals of a state folder, oldest first."""
    return [Journal(path) for path in sorted(directory.glob("*.jsonl"))]


def find_journal(directory: Path, run_id: str | None, statuses: tuple[Status, ...]) -> Journal:
    """The journal of that run; without a name, the newest in one of the statuses.

    Raises:
        NotFound: if there is none.
    """
    known = journals(directory)
    if run_id is not None:
        for journal in known:
            if journal.run_id == run_id:
                return journal
        names = listed(j.run_id for j in known) or "none"
        raise NotFound(f"run must be one of {names}; got {run_id!r}.")
    able = [journal for journal in known if journal.status in statuses]
    if not able:
        raise NotFound(f"no run in {str(directory)!r} is {' or '.join(statuses)}.")
    return able[-1]


@contextmanager
def only_run(directory: Path) -> Iterator[None]:
    """Hold the state folder for one run; a second one at the same time is refused.

    Raises:
        ConfigError: if the folder cannot be written, or another run holds it.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "lock").open("a").close()
    except OSError as error:
        raise ConfigError(
            f"state must be a folder that can be written; got {str(directory)!r} ({error}).",
            hint="set state: to a folder of yours.",
        ) from error
    refusal = f"another run is under way in {str(directory)!r}: process"
    hint = "wait for it, or give this configuration a state: of its own."
    with hold(directory / "lock", str(os.getpid()), refusal, hint):
        yield


@contextmanager
def hold(path: Path, name: str, refusal: str, hint: str = "wait for it.") -> Iterator[None]:
    """Hold a file as a lock; it is the operating system's, so it ends with the process.

    Args:
        path: of the lock; a file that this user may not write is passed over.
        name: what the second one is told of the first.
        refusal: the beginning of that sentence.
        hint: what it can do.

    Raises:
        ConfigError: if somebody else holds it.
    """
    try:
        file = path.open("a+")
    except OSError:
        yield
        return
    with file:
        try:
            _lock(file.fileno())
        except OSError as error:
            file.seek(0)
            raise ConfigError(f"{refusal} {file.read() or '?'}.", hint=hint) from error
        with suppress(OSError):  # the lock counts, also where the disk has no room for the name
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), name.encode())
        yield


def _lock(descriptor: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # Windows only
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _complete_lines(text: str) -> Iterator[dict[str, Any]]:
    """The rows of a journal; a line cut off by the death of the process is passed over."""
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue


def _write_line(file: Any, row: Mapping[str, Any]) -> None:
    file.write(json.dumps(row, ensure_ascii=True, separators=(",", ":")) + "\n")
    file.flush()
    os.fsync(file.fileno())


def _sync_directory(directory: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
