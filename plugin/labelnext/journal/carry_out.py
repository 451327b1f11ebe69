"""Carry out a plan (for each step: snapshot, do, record), and undo it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Protocol, cast

from labelnext.errors import (
    ConfigError,
    Gone,
    LabelnextError,
    Unavailable,
    WriteFailed,
    WriteRefused,
)
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan, Progress, Step, StepPerformer
from labelnext.support.started import CONFIG, how


class Performer(StepPerformer, Protocol):
    """Carries out an adapter's plans; subclass it to add locks, remarks or next steps.

    Attributes:
        progress: called with a stage, how much is done, and of how much; None for no progress.
    """

    progress: Progress | None = None

    def held(self, journal: Journal) -> AbstractContextManager[object]:
        """A context held while steps are done or undone, such as a lock on the platform."""
        return nullcontext()

    def remarks(self) -> Sequence[str]:
        """Remarks on the write for the report, one sentence each; called after the write."""
        return ()

    def left(self) -> bool:
        """Whether an undo left something that the next one removes; called after it."""
        return False

    def kept_for(self) -> str | None:
        """The later run whose work an undo kept; its own undo puts back what this run wrote."""
        return None

    def next_steps(self, plan: Plan) -> Sequence[str] | None:
        """What to do after the write, one sentence each; None: as in the plan.

        Raises:
            Unavailable: if the platform no longer answers; the plan's next steps then apply.
        """
        return None


def carry_out(
    plan: Plan, journal: Journal, performer: StepPerformer, progress: Progress | None = None
) -> None:
    """Carry out the plan's steps that the journal doesn't record as done, each after a snapshot.

    Then record remarks and next steps. `progress`, if given, replaces the performer's own.

    Raises:
        ConfigError: if another process holds the performer's lock.
        ConfigError: if an undo of the run was begun: only undo knows which steps are still there.
        WriteRefused: if the first step is refused; nothing was touched, and the run is closed.
        WriteFailed: if a step fails; the cause is chained, and the run can be resumed or undone.
    """
    if journal.undoing:
        raise ConfigError(
            f"run {journal.run_id} can't be resumed: its undo was begun.",
            hint=f"finish it with {how('undo', CONFIG)}, then run again.",
        )
    around = _around(performer)
    with around.held(journal):
        _do_steps(plan, journal, performer, progress or around.progress)
    if remarks := around.remarks():
        journal.record("remarks", lines=list(remarks))
    if plan.steps:  # now what was made has an address
        # The run is done: if the server goes away only now, the address is lost, not the run.
        with suppress(Unavailable):
            if (lines := around.next_steps(plan)) is not None:
                journal.record("next_steps", lines=list(lines))


def _around(performer: StepPerformer) -> Performer:
    """The performer, or defaults if it has only the three methods of StepPerformer."""
    nothing = type("Nothing", (Performer,), {})
    return cast("Performer", performer if hasattr(performer, "held") else nothing())


def _do_steps(
    plan: Plan, journal: Journal, performer: StepPerformer, progress: Progress | None
) -> None:
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
            if isinstance(error, WriteRefused) and not journal.befores:
                journal.record("undone", stayed=[])  # nothing was touched: no run to finish
                raise
            raise WriteFailed(
                f"run {journal.run_id} stopped at step {number + 1} of {len(plan.steps)}, "
                f"{step.description!r}: {error.message}",
                hint=_ending(error, journal),
            ) from error
        journal.record("done", step=number)
    journal.record("finished")
    if progress is not None and plan.steps:
        progress("write", len(plan.steps), len(plan.steps))


def _ending(error: LabelnextError, journal: Journal) -> str:
    """What can be done with a run that stopped at an error.

    `undo` of a run that touched nothing would take back the one before it.
    """
    undoing = f"undo it with {how('undo', CONFIG)}" if journal.befores else ""
    if isinstance(error, Gone):
        return f"{undoing}, then run again." if undoing else "run again; nothing was written yet."
    hint = (error.hint or "").replace(", then try again.", ".")
    first = f" Before that, {hint}" if hint else ""
    other = undoing or "run again; nothing was written yet"
    return f"finish it with {how('resume', CONFIG)}, or {other}.{first}"


def perform_step(performer: StepPerformer, step: Step, number: int) -> None:
    """Do one step; tests patch this to interrupt a run."""
    performer.perform(step)


def take_back(journal: Journal, performer: StepPerformer) -> list[str]:
    """Undo the steps, last first; returns what had to stay, one sentence each.

    The journal knows that the undo was begun before anything is restored: the steps it records as
    done may be gone from then on, so the run can't be resumed. It isn't noted as undone where the
    performer left something for the next undo. A run that was undone while a later one had its
    place may be undone again.

    Raises:
        WriteRefused: if a step can't be restored; where it is the first one, nothing was touched.
    """
    stayed: list[str] = []
    steps = journal.plan.steps  # checked here
    around = _around(performer)
    with around.held(journal):
        numbers = sorted(journal.befores, reverse=True)
        begun = journal.undoing
        if numbers and not begun:
            journal.record("undoing")
        for number in numbers:
            try:
                stayed += performer.restore(steps[number], journal.befores[number])
            except WriteRefused:
                if number == numbers[0] and not begun:
                    journal.record("undoing", refused=True)
                raise
        if not around.left():
            later = around.kept_for()
            if later is not None:
                stayed.append(
                    f"If run {later} is undone, what run {journal.run_id} wrote is there again; "
                    f"then also run {how('undo', CONFIG, journal.run_id)}."
                )
            journal.record("undone", stayed=stayed, later=later)
    return stayed
