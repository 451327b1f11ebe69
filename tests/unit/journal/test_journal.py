from __future__ import annotations

import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from labelnext.errors import ConfigError, LabelnextError, NotFound, WriteFailed
from labelnext.journal import Journal, Performer, Plan, Step
from labelnext.journal.carry_out import carry_out, take_back
from labelnext.journal.journal import find_journal, journals
from labelnext.journal.lock import hold, only_run
from tests.waiting import PATIENCE

PLAN = Plan(
    "made", "labelnext", "a list", tuple(Step("add", f"Add {n}", 1, {"n": n}) for n in "abc")
)


class Lists(Performer):
    """Steps that put a letter into a list; `fails` names the one that does not work."""

    def __init__(self, content: list[str], fails: str = "") -> None:
        self.content, self.fails = content, fails

    def snapshot(self, step: Step) -> Any:
        return list(self.content)

    def perform(self, step: Step) -> None:
        if step.payload["n"] == self.fails:
            raise LabelnextError("no.", hint="try later.")
        if step.payload["n"] not in self.content:
            self.content.append(step.payload["n"])

    def restore(self, step: Step, before: Any) -> list[str]:
        self.content[:] = before
        return [f"{step.payload['n']} leaves a trace."]


def test_new_journal_holds_the_plan_before_anything_is_done(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "deep" / "state", PLAN, details={"seed": 3})
    first = json.loads(journal.path.read_text())
    assert first["seed"] == 3
    assert Plan.from_dict(first["plan"]) == PLAN
    assert journal.status == "planned"


def test_steps_are_done_in_order_and_recorded(tmp_path: Path) -> None:
    journal, content = Journal.create(tmp_path, PLAN), []
    carry_out(PLAN, journal, Lists(content))
    assert content == ["a", "b", "c"]
    again = Journal(journal.path)
    assert again.status == "done"
    assert again.befores == {0: [], 1: ["a"], 2: ["a", "b"]}


def test_broken_run_is_finished_from_where_it_broke(tmp_path: Path) -> None:
    journal, content = Journal.create(tmp_path, PLAN), []
    with pytest.raises(WriteFailed, match="step 2 of 3, 'Add b': no") as caught:
        carry_out(PLAN, journal, Lists(content, fails="b"))
    assert "labelnext resume" in caught.value.hint
    assert "try later" in caught.value.hint
    again = Journal(journal.path)
    assert again.status == "broken"
    carry_out(again.plan, again, Lists(content))
    assert content == ["a", "b", "c"]


def test_undo_takes_back_the_last_step_first(tmp_path: Path) -> None:
    journal, content = Journal.create(tmp_path, PLAN), ["z"]
    carry_out(PLAN, journal, Lists(content))
    stayed = take_back(Journal(journal.path), Lists(content))
    assert content == ["z"]
    assert stayed == [f"{n} leaves a trace." for n in "cba"]
    assert Journal(journal.path).status == "undone"


def test_first_snapshot_of_a_step_is_the_one_that_counts(tmp_path: Path) -> None:
    journal, content = Journal.create(tmp_path, PLAN), []
    journal.record("before", step=0, state=["true"])
    journal.record("before", step=0, state=["half done"])
    carry_out(PLAN, journal, Lists(content))
    take_back(Journal(journal.path), Lists(content))
    assert content == ["true"]


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_line_cut_off_by_the_death_of_the_process_is_passed_over(tmp_path: Path, cut: int) -> None:
    journal = Journal.create(tmp_path, PLAN)
    journal.record("before", step=0, state=[])
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + b'{"kind":"done","step":0,"more":"........."}'[:cut])
    again = Journal(journal.path)
    assert again.status == "broken"
    assert not again.done
    again.record("done", step=0)
    assert Journal(journal.path).done == {0}


def test_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("{}")
    with pytest.raises(ConfigError, match="isn't a journal: it doesn't start with a plan"):
        Journal(tmp_path / "x.jsonl")
    with pytest.raises(NotFound):
        Journal(tmp_path / "y.jsonl")


def test_state_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="state must be a writable folder"):
        Journal.create(tmp_path / "file" / "state", PLAN)
    with (
        pytest.raises(ConfigError, match="state must be a writable folder"),
        only_run(tmp_path / "file" / "state"),
    ):
        pass


def test_newest_journal_of_a_status_is_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="this configuration has no run to undo"):
        find_journal(tmp_path, None, ("done",))
    journal = Journal.create(tmp_path, PLAN)
    assert find_journal(tmp_path, None, ("planned",)).run_id == journal.run_id
    assert find_journal(tmp_path, journal.run_id, ("done",)).run_id == journal.run_id
    with pytest.raises(NotFound, match=f"one of {journal.run_id}; got 'x'"):
        find_journal(tmp_path, "x", ("done",))
    assert [j.run_id for j in journals(tmp_path)] == [journal.run_id]


def test_names_tell_the_order_even_when_the_clock_is_set_back(tmp_path: Path) -> None:
    (tmp_path / "29990101T000000-000000.jsonl").write_text(
        Journal.create(tmp_path / "other", PLAN).path.read_text()
    )
    first, second = (Journal.create(tmp_path, PLAN).run_id for _ in range(2))
    assert "29990101T000000-000000" < first < second


def _hold(folder: Path, begun: Any, end: Any) -> None:
    with only_run(folder):
        begun.set()
        end.wait(PATIENCE)


def test_second_run_at_the_same_time_is_refused(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    begun, end = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(tmp_path, begun, end))
    process.start()
    try:
        assert begun.wait(PATIENCE)
        with (
            pytest.raises(ConfigError, match=f"another run is in progress in .*{process.pid}"),
            only_run(tmp_path),
        ):
            pass
    finally:
        end.set()
        process.join(PATIENCE)
    with only_run(tmp_path):
        pass


def test_a_lock_of_one_run_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with hold(path, "a", "in progress:", leave=False):
        assert path.read_text() == "a"
        with pytest.raises(ConfigError, match="in progress: a"), hold(path, "b", "in progress:"):
            pass
    assert not path.exists()
    with hold(path, "c", "in progress:"):
        pass
    assert path.exists()
