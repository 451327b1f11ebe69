"""What the suites share: the adapter under test, a ranking of its items, and a run that breaks."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter.capabilities import Capability, can
from labelnext.adapter.protocol import Adapter, Target
from labelnext.errors import LabelnextError, WriteFailed
from labelnext.journal.carry_out import Performer, carry_out
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan, Step
from labelnext.pool.pool import Pool
from labelnext.ranking.rank import rank
from labelnext.ranking.ranking import Ranking


class Suite:
    """Base of all suites: give it the fixture `adapter`, and the methods that a suite asks for."""

    #: The acquisition function that the items allow.
    acquisition = "entropy"

    @pytest.fixture
    def adapter(self) -> Adapter:
        """An open adapter over the items that the suite asks for."""
        raise NotImplementedError

    def reopened(self, adapter: Adapter) -> Adapter:
        """A new adapter over the same items, as another process would open it."""
        raise NotImplementedError

    def state(self, adapter: Adapter) -> Any:
        """All that is stored on the platform and that a write could change, for ``==``."""
        raise NotImplementedError

    def served(self, adapter: Adapter) -> Sequence[str]:
        """Ids of the items in the order in which the platform now serves them."""
        raise NotImplementedError

    def without_what_stays(self, state: Any) -> Any:
        """The state without what the plans say an undo cannot take back."""
        return state

    def ranking(self, adapter: Adapter) -> tuple[Pool, Ranking]:
        """The pool of the adapter, and a ranking of it."""
        pool = adapter.read()
        return pool, rank(pool, self.acquisition, budget=2)

    def journal(self, tmp_path: Path, plan: Plan, what: str = "run") -> Journal:
        """A new journal for the plan; `what` is run, send or fetch."""
        return Journal.create(tmp_path / "state", plan, details={"what": what})

    def applied(self, adapter: Adapter, tmp_path: Path) -> tuple[Ranking, Journal]:
        """A ranking, written."""
        _, ranking = self.ranking(adapter)
        plan = adapter.plan(ranking)
        journal = self.journal(tmp_path, plan)
        adapter.apply(plan, journal)
        return ranking, journal


def assert_declared(adapter: Adapter, capability: Capability) -> None:
    """The adapter and its class declare the capability, and have all that it promises."""
    for asked in (adapter, type(adapter)):
        assert can(asked, capability), f"capabilities must hold Capability.{capability.name}"
    missing = missing_members(adapter, capability)
    assert not missing, f"Capability.{capability.name} promises what is missing: {missing}"


def missing_members(adapter: Adapter, capability: Capability) -> list[str]:
    """Names of what a capability promises and the adapter does not have."""
    names = capability.promises
    return [name for name in names if not callable(getattr(adapter, name, None))]


def assert_data(plan: Plan, adapter: Adapter) -> None:
    """The plan has steps that people can read, and says the same after a trip through JSON."""
    assert plan.adapter == adapter.name
    assert plan.steps
    assert all(step.description for step in plan.steps)
    text = json.dumps(plan.to_dict())
    assert json.dumps(Plan.from_dict(json.loads(text)).to_dict()) == text


def break_off_everywhere(
    monkeypatch: pytest.MonkeyPatch,
    opened: Callable[[], Any],
    planned: Callable[[Any], Plan],
    journal: Callable[[Plan], Journal],
    state: Callable[[], Any],
    without_what_stays: Callable[[Any], Any],
) -> None:
    """Break a write off after each of its steps, then finish it, and once more take it back.

    Args:
        monkeypatch: of the test.
        opened: an adapter or target, as a new process would open it.
        planned: the plan that it makes.
        journal: a new journal for a plan.
        state: all that the write could change.
        without_what_stays: a state without what an undo cannot take back.
    """
    before = without_what_stays(state())
    first = opened()
    plan = planned(first)
    whole = journal(plan)
    first.apply(plan, whole)
    uninterrupted = state()
    opened().undo(Journal(whole.path))
    for number in range(len(plan.steps)):
        for ending in ("resume", "undo"):
            broken = opened()
            plan = planned(broken)
            if number >= len(plan.steps):
                continue
            again = _broken_off(monkeypatch, broken, plan, journal(plan), number)
            if ending == "resume":
                opened().apply(again.plan, again)
                assert state() == uninterrupted
            opened().undo(Journal(again.path))
            assert without_what_stays(state()) == before


def _broken_off(
    monkeypatch: pytest.MonkeyPatch,
    writer: Adapter | Target,
    plan: Plan,
    journal: Journal,
    number: int,
) -> Journal:
    """The journal, read again, of a write that broke off at the step of that number."""
    with monkeypatch.context() as patch:
        _break_at(patch, number)
        with pytest.raises(WriteFailed, match="broke off"):
            writer.apply(plan, journal)
    again = Journal(journal.path)
    assert again.status == "broken"
    return again


class _Broken(LabelnextError):
    """The server went away."""


def _break_at(patch: pytest.MonkeyPatch, number: int) -> None:
    """Let the step of that number fail right after its work was done, before it is recorded."""
    module = sys.modules[carry_out.__module__]
    original = module.perform_step

    def failing(performer: Performer, step: Step, place: int) -> None:
        original(performer, step, place)
        if place == number:
            raise _Broken("the server went away.")

    patch.setattr(module, "perform_step", failing)
