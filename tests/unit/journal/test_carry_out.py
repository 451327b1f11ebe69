"""The order of events around a write, and adapters that were written before it stood once."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import labelnext
from labelnext.adapter import get_adapter
from labelnext.adapter.capabilities import Capability, can
from labelnext.errors import (
    ConfigError,
    LabelnextError,
    Unavailable,
    WriteFailed,
    WriteRefused,
)
from labelnext.journal import Journal, Performer, Plan, Step
from labelnext.journal.carry_out import carry_out, take_back
from labelnext.journal.plan import StepPerformer
from labelnext.runs.undo import resume, runs, undo
from tests.contract.old_adapter import OldAdapter

PLAN = Plan("made", "labelnext", "a list", (Step("add", "Add a"), Step("add", "Add b")))
SEND = {"adapter": "label-studio", "url": "http://127.0.0.1:1", "api_key": "k" * 20}


class Told(Performer):
    """Notes everything that is asked of it, in `events`."""

    def __init__(self, away: bool = False, busy: bool = False, breaks: bool = False) -> None:
        self.events: list[str] = []
        self.away, self.busy, self.breaks = away, busy, breaks
        self.progress = lambda stage, done, total: self.events.append(f"{stage} {done}/{total}")

    @contextmanager
    def held(self, journal: Journal) -> Iterator[None]:
        if self.busy:
            raise ConfigError("another run is under way.")
        self.events.append("hold")
        try:
            yield
        finally:
            self.events.append("let go")

    def snapshot(self, step: Step) -> Any:
        self.events.append(f"look: {step.description}")
        return []

    def perform(self, step: Step) -> None:
        if self.breaks:
            raise LabelnextError("no.")
        self.events.append(f"do: {step.description}")

    def restore(self, step: Step, before: Any) -> list[str]:
        self.events.append(f"take back: {step.description}")
        return []

    def remarks(self) -> Sequence[str]:
        return [f"Told of {len(self.events)} events."]

    def next_steps(self, plan: Plan) -> Sequence[str] | None:
        if self.away:
            raise Unavailable("the server does not answer.")
        return ["Label."]


def kinds(journal: Journal) -> list[str]:
    return [json.loads(line)["kind"] for line in journal.path.read_text().splitlines()]


def test_events_of_a_write_have_one_order(tmp_path: Path) -> None:
    journal, performer = Journal.create(tmp_path, PLAN), Told()
    carry_out(PLAN, journal, performer)
    assert performer.events == [
        "hold",
        "write: Add a 0/2",
        "look: Add a",
        "do: Add a",
        "write: Add b 1/2",
        "look: Add b",
        "do: Add b",
        "write 2/2",
        "let go",
    ]
    assert kinds(journal) == [
        "plan", "before", "done", "before", "done", "finished", "remarks", "next_steps",
    ]  # fmt: skip
    assert journal.remarks == ("Told of 9 events.",)
    assert journal.next_steps == ("Label.",)


def test_undo_holds_what_a_write_holds(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, PLAN)
    carry_out(PLAN, journal, Told())
    performer = Told()
    assert take_back(Journal(journal.path), performer) == []
    assert performer.events == ["hold", "take back: Add b", "take back: Add a", "let go"]
    assert kinds(journal)[-1] == "undone"


def test_undo_that_leaves_something_is_gone_on_with_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, performer = Journal.create(tmp_path, PLAN), Told()
    carry_out(PLAN, journal, performer)
    monkeypatch.setattr(performer, "left", lambda: True)
    take_back(Journal(journal.path), performer)
    again = Journal(journal.path)
    assert (again.status, again.undone) == ("broken", False)
    monkeypatch.setattr(performer, "left", lambda: False)
    take_back(again, performer)
    assert Journal(journal.path).status == "undone"
    assert performer.events.count("take back: Add a") == 2


def test_undo_that_keeps_what_a_later_run_wrote_says_how_to_go_on_after_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, performer = Journal.create(tmp_path, PLAN), Told()
    carry_out(PLAN, journal, performer)
    monkeypatch.setattr(performer, "kept_for", lambda: "theirs")
    (said,) = take_back(Journal(journal.path), performer)
    assert said.startswith(f"If run theirs is undone, what run {journal.run_id} wrote is there")
    assert said.endswith(f"undo CONFIG {journal.run_id}.")
    again = Journal(journal.path)
    assert (again.status, again.kept_for) == ("undone", "theirs")
    monkeypatch.setattr(performer, "kept_for", lambda: None)
    assert take_back(again, performer) == []
    assert Journal(journal.path).kept_for is None


def test_nothing_is_done_where_somebody_else_holds_the_platform(tmp_path: Path) -> None:
    journal, performer = Journal.create(tmp_path, PLAN), Told(busy=True)
    with pytest.raises(ConfigError, match="under way"):
        carry_out(PLAN, journal, performer)
    with pytest.raises(ConfigError, match="under way"):
        take_back(journal, performer)
    assert performer.events == []
    assert kinds(journal) == ["plan"]


def test_what_is_held_is_let_go_when_a_step_fails_and_nothing_is_remarked(tmp_path: Path) -> None:
    journal, performer = Journal.create(tmp_path, PLAN), Told(breaks=True)
    with pytest.raises(WriteFailed, match="stopped at step 1 of 2"):
        carry_out(PLAN, journal, performer)
    assert performer.events[-1] == "let go"
    assert kinds(journal) == ["plan", "before"]


def test_server_that_goes_away_after_the_write_costs_the_next_steps_alone(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, PLAN)
    carry_out(PLAN, journal, Told(away=True))
    assert journal.status == "done"
    assert kinds(journal)[-2:] == ["finished", "remarks"]
    assert journal.next_steps == ()


def test_plan_without_steps_has_no_next_steps_of_its_own(tmp_path: Path) -> None:
    plan = Plan("made", "labelnext", "a list", next_steps=("Nothing is left.",))
    journal = Journal.create(tmp_path, plan)
    carry_out(plan, journal, Told())
    assert kinds(journal) == ["plan", "finished", "remarks"]
    assert journal.next_steps == ("Nothing is left.",)


def test_defaults_of_a_performer_leave_the_journal_as_planned(tmp_path: Path) -> None:
    class Silent(Performer):
        def snapshot(self, step: Step) -> Any:
            return []

        def perform(self, step: Step) -> None:
            pass

        def restore(self, step: Step, before: Any) -> list[str]:
            return []

    journal = Journal.create(tmp_path, PLAN)
    carry_out(PLAN, journal, Silent())
    assert kinds(journal) == ["plan", "before", "done", "before", "done", "finished"]


def test_adapter_that_declares_nothing_still_reads_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["labelnext.journal.carry_out"]
    adapter: Any = OldAdapter(tmp_path)
    config = {
        "source": {"adapter": "files", "path": str(tmp_path / "unused.csv")},
        "report": {"path": None},
        "write": {"output": None},
        "state": str(tmp_path / "state"),
    }
    report = labelnext.run(config, adapter=adapter)
    assert (report.adapter, adapter.path.read_text()) == ("old", "b c d a")
    assert adapter.told == ["write: Write order", "write"]
    undo(config, adapter=adapter)
    assert not adapter.path.exists()

    def failing(performer: StepPerformer, step: Step, number: int) -> None:
        raise LabelnextError("the disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(module, "perform_step", failing)
        with pytest.raises(WriteFailed):
            labelnext.run(config, adapter=adapter)
    resume(config, adapter=adapter)
    assert adapter.path.read_text() == "b c d a"
    assert [journal.status for journal in runs(config)] == ["undone", "done"]


def test_adapter_that_declares_nothing_is_asked_for_nothing_more() -> None:
    assert [c for c in Capability if can(OldAdapter, c)] == [Capability.READS, Capability.WRITES]
    files = get_adapter("files")
    assert files.can(Capability.STREAMS)
    assert not files.can(Capability.TAKES_LABELS)


def test_adapter_that_declares_nothing_is_told_what_it_cannot_do(tmp_path: Path) -> None:
    config = {"source": {"adapter": "files", "path": "unused.csv"}, "state": str(tmp_path)}
    adapter: Any = OldAdapter(tmp_path)
    with pytest.raises(ConfigError) as caught:
        labelnext.send(config | {"send": SEND}, adapter=adapter)
    assert str(caught.value) == (
        "source.adapter must be able to give batches to other platforms; 'old' can't. "
        "Hint: adapters that can: fiftyone, files."
    )
    with pytest.raises(ConfigError) as caught:
        labelnext.fetch(config | {"send": SEND}, adapter=adapter)
    assert str(caught.value) == (
        "source.adapter must be able to take labels back; 'old' can't. "
        "Hint: adapters that can: fiftyone."
    )


class Refusing(Told):
    """Refuses one of the steps when it looks at what is there."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step

    def snapshot(self, step: Step) -> Any:
        if step == PLAN.steps[self.step]:
            raise WriteRefused("the title is taken.", hint="choose another.")
        return super().snapshot(step)


def test_a_refusal_before_anything_was_touched_is_no_run_to_finish(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, PLAN)
    with pytest.raises(WriteRefused, match="the title is taken") as refused:
        carry_out(PLAN, journal, Refusing(0))
    assert refused.value.hint == "choose another."
    assert Journal(journal.path).status == "undone"


def test_a_refusal_in_the_middle_leaves_a_run_to_undo(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, PLAN)
    with pytest.raises(
        WriteFailed, match="stopped at step 2 of 2, 'Add b': the title is taken"
    ) as stopped:
        carry_out(PLAN, journal, Refusing(1))
    assert str(stopped.value.hint).endswith("Before that, choose another.")
    assert Journal(journal.path).status == "broken"


class Full(Refusing):
    """Has no room for what is there before one of the steps."""

    def snapshot(self, step: Step) -> Any:
        try:
            return super().snapshot(step)
        except WriteRefused as refused:
            raise WriteFailed("no room.", hint="make room, then try again.") from refused


@pytest.mark.parametrize(("step", "undoes"), [(0, False), (1, True)])
def test_undo_is_offered_only_for_a_run_that_touched_something(
    tmp_path: Path, step: int, undoes: bool
) -> None:
    journal = Journal.create(tmp_path, PLAN)
    with pytest.raises(WriteFailed) as stopped:
        carry_out(PLAN, journal, Full(step))
    hint = str(stopped.value.hint)
    assert ("undo" in hint, "nothing was written yet" in hint) == (undoes, not undoes)
    assert hint.endswith("Before that, make room.")
    assert Journal(journal.path).status == ("broken" if undoes else "planned")


class Stuck(Told):
    """Takes steps back until it is out of breath, and then dies or refuses."""

    def __init__(self, breath: int, end: BaseException) -> None:
        super().__init__()
        self.breath, self.end = breath, end

    def restore(self, step: Step, before: Any) -> list[str]:
        if self.breath == 0:
            raise self.end
        self.breath -= 1
        return super().restore(step, before)


@pytest.mark.parametrize("breath", [0, 1])
def test_a_run_whose_undo_was_killed_can_only_be_undone(tmp_path: Path, breath: int) -> None:
    journal = Journal.create(tmp_path, PLAN)
    carry_out(PLAN, journal, Told())
    with pytest.raises(KeyboardInterrupt):
        take_back(journal, Stuck(breath, KeyboardInterrupt()))
    left = Journal(journal.path)
    assert left.status == "broken"
    told = Told()
    with pytest.raises(ConfigError, match="can't be resumed: its undo was begun"):
        carry_out(left.plan, left, told)
    assert told.events == []
    take_back(left, told)
    assert told.events == ["hold", "take back: Add b", "take back: Add a", "let go"]
    assert Journal(journal.path).status == "undone"


@pytest.mark.parametrize(("breath", "status"), [(0, "done"), (1, "broken")])
def test_an_undo_that_is_refused_at_once_leaves_the_run_as_it_was(
    tmp_path: Path, breath: int, status: str
) -> None:
    journal = Journal.create(tmp_path, PLAN)
    carry_out(PLAN, journal, Told())
    with pytest.raises(WriteRefused):
        take_back(journal, Stuck(breath, WriteRefused("changed since.")))
    assert Journal(journal.path).status == status
