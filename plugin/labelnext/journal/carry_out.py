"""The order of events of a write: what is there now, the step, its note; and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Protocol, cast

from labelnext.errors import LabelnextError, Unavailable, WriteFailed
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan, Progress, Step, StepPerformer


class Performer(StepPerformer, Protocol):
    """What an adapter gives to carry out its plans; subclass it for what happens around steps.

    Attributes:
        progress: called with a stage, how much is done, and of how much; None to stay silent.
    """

    progress: Progress | None = None

    def held(self, journal: Journal) -> AbstractContextManager[object]:
        """What is held while steps are done or taken back, such as a lock on the platform."""
        return nullcontext()

    def remarks(self) -> Sequence[str]:
        """What the report must say of the write, one sentence each; asked after it."""
        return ()

    def next_steps(self, plan: Plan) -> Sequence[str] | None:
        """What the user does now that all is written, one sentence each; None: as planned.

        Raises:
            Unavailable: if the platform is away by now; then it is as planned.
        """
        return None


def carry_out(
    plan: Plan, journal: Journal, performer: StepPerformer, progress: Progress | None = None
) -> None:
    """Do the steps of the plan that the journal does not hold as done, each after its snapshot.

    Then note its remarks, and what the user does now. `progress`, where given, is told instead of
    the performer's own.

    Raises:
        ConfigError: if what the performer must hold is held by somebody else.
        WriteFailed: if a step fails; the cause is chained, and the run can be resumed or undone.
    """
    around = _around(performer)
    with around.held(journal):
        _do_steps(plan, journal, performer, progress or around.progress)
    if remarks := around.remarks():
        journal.record("remarks", lines=list(remarks))
    if plan.steps:  # now what was made has an address
        # The run is done: a server that goes away only now costs the address, not the run.
        with suppress(Unavailable):
            if (lines := around.next_steps(plan)) is not None:
                journal.record("next_steps", lines=list(lines))


def _around(performer: StepPerformer) -> Performer:
    """What must happen around the steps: the defaults, where it has only the three methods."""
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


def take_back(journal: Journal, performer: StepPerformer) -> list[str]:
    """Restore what the steps found, the last first; returns what had to stay, a sentence each."""
    stayed: list[str] = []
    with _around(performer).held(journal):
        for number in sorted(journal.befores, reverse=True):
            stayed += performer.restore(journal.plan.steps[number], journal.befores[number])
        journal.record("undone", stayed=stayed)
    return stayed
