"""Shared by all suites: the adapter under test, a ranking of its items, and interrupted runs."""

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
    """Base of all suites: supply the fixture `adapter` and the methods that each suite needs."""

    #: An acquisition function that works on the items.
    acquisition = "entropy"

    @pytest.fixture
    def adapter(self) -> Adapter:
        """An open adapter over the items that the suite needs."""
        raise NotImplementedError

    def reopened(self, adapter: Adapter) -> Adapter:
        """A new adapter over the same items, as another process would open it."""
        raise NotImplementedError

    def state(self, adapter: Adapter) -> Any:
        """Everything on the platform that a write could change, to compare with ``==``."""
        raise NotImplementedError

    def served(self, adapter: Adapter) -> Sequence[str]:
        """Ids of the items, in the order in which the platform serves them now."""
        raise NotImplementedError

    def without_what_stays(self, state: Any) -> Any:
        """The state without what an undo can't remove, according to the plans."""
        return state

    def ranking(self, adapter: Adapter) -> tuple[Pool, Ranking]:
        """The adapter's pool and its ranking."""
        pool = adapter.read()
        return pool, rank(pool, self.acquisition, budget=2)

    def journal(self, tmp_path: Path, plan: Plan, what: str = "run") -> Journal:
        """A new journal for the plan; `what` is run, send, fetch or push."""
        return Journal.create(tmp_path / "state", plan, details={"what": what})

    def applied(self, adapter: Adapter, tmp_path: Path) -> tuple[Ranking, Journal]:
        """Write a ranking; returns it and its journal."""
        _, ranking = self.ranking(adapter)
        plan = adapter.plan(ranking)
        journal = self.journal(tmp_path, plan)
        adapter.apply(plan, journal)
        return ranking, journal


def assert_declared(adapter: Adapter, capability: Capability) -> None:
    """Assert that the adapter and its class declare the capability and have all its members."""
    for asked in (adapter, type(adapter)):
        assert can(asked, capability), f"capabilities must hold Capability.{capability.name}"
    missing = missing_members(adapter, capability)
    assert not missing, f"Capability.{capability.name} promises what is missing: {missing}"


def missing_members(adapter: Adapter, capability: Capability) -> list[str]:
    """Names of the members that a capability requires and the adapter lacks."""
    names = capability.promises
    return [name for name in names if not callable(getattr(adapter, name, None))]


def assert_data(plan: Plan, adapter: Adapter) -> None:
    """Assert that the plan has described steps and survives a round trip through JSON."""
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
    """Interrupt a write after each of its steps; once resume it, once undo it.

    Args:
        monkeypatch: the test's fixture.
        opened: opens an adapter or target, as a new process would.
        planned: makes the plan.
        journal: makes a new journal for a plan.
        state: returns everything that the write could change.
        without_what_stays: removes from a state what an undo can't remove.
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
    """Interrupt a write at a step; returns its journal, read again."""
    with monkeypatch.context() as patch:
        _break_at(patch, number)
        with pytest.raises(WriteFailed, match="stopped at step"):
            writer.apply(plan, journal)
    again = Journal(journal.path)
    assert again.status == "broken"
    return again


class _Broken(LabelnextError):
    """The server went away."""


def _break_at(patch: pytest.MonkeyPatch, number: int) -> None:
    """Make a step fail after it is done but before it is recorded."""
    module = sys.modules[carry_out.__module__]
    original = module.perform_step

    def failing(performer: Performer, step: Step, index: int) -> None:
        original(performer, step, index)
        if index == number:
            raise _Broken("the server went away.")

    patch.setattr(module, "perform_step", failing)
