"""AdapterContract: what every adapter must do, as a test class to subclass.

    class TestMyAdapter(AdapterContract):
        @pytest.fixture
        def adapter(self):
            return open_adapter("mine", dataset=make_items())

        def state(self, adapter):
            return dump_of_everything_a_user_could_lose()

        def served(self, adapter):
            return ids_in_the_order_the_platform_shows_them()

The fixture gives a new adapter over the same items each time within one test, through
`reopened`; the items must hold at least four that can be scored, one labelled item, and one
without a prediction.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext.adapter import Adapter, Finding, Options, WriteOptions
from labelnext.errors import LabelnextError, WriteFailed
from labelnext.journal import Journal, Performer, Plan, Step
from labelnext.pool import Pool
from labelnext.ranking import Ranking, rank


class AdapterContract:
    """Subclass it, give it the fixture `adapter`, and write `state`, `served` and `reopened`."""

    #: The acquisition function that the items allow.
    acquisition = "entropy"
    #: Another one, for a second run.
    other_acquisition = "least_confidence"

    @pytest.fixture
    def adapter(self) -> Adapter:
        """An open adapter over the items described in the module's docstring."""
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

    def ranking(self, adapter: Adapter) -> tuple[Pool, Ranking]:
        """The pool of the adapter, and a ranking of it."""
        pool = adapter.read()
        return pool, rank(pool, self.acquisition, budget=2)

    def journal(self, tmp_path: Path, plan: Plan) -> Journal:
        """A new journal for the plan."""
        return Journal.create(tmp_path / "state", plan)

    def applied(self, adapter: Adapter, tmp_path: Path) -> tuple[Ranking, Journal]:
        """A ranking, written."""
        _, ranking = self.ranking(adapter)
        plan = adapter.plan(ranking)
        journal = self.journal(tmp_path, plan)
        adapter.apply(plan, journal)
        return ranking, journal

    def test_class_names_itself_and_its_options(self, adapter: Adapter) -> None:
        assert isinstance(adapter, Adapter)
        assert adapter.name
        assert adapter.install.startswith("pip install")
        assert issubclass(adapter.SourceOptions, Options)
        assert issubclass(adapter.WriteOptions, WriteOptions)
        for model in (adapter.SourceOptions, adapter.WriteOptions):
            undescribed = [n for n, f in model.model_fields.items() if not f.description]
            assert not undescribed, f"options without a description: {undescribed}"

    def test_check_finds_nothing_wrong_and_changes_nothing(self, adapter: Adapter) -> None:
        before = self.state(adapter)
        findings = adapter.check()
        assert findings
        assert all(isinstance(finding, Finding) for finding in findings)
        assert not [finding for finding in findings if finding.level == "error"]
        assert self.state(adapter) == before

    def test_read_gives_a_pool_with_labelled_and_missing_items(self, adapter: Adapter) -> None:
        pool = adapter.read()
        assert isinstance(pool, Pool)
        assert pool.labelled.any()
        assert pool.missing.any()
        assert (~pool.labelled & ~pool.missing).sum() >= 4

    def test_read_twice_gives_the_same(self, adapter: Adapter) -> None:
        assert adapter.read().fingerprint() == self.reopened(adapter).read().fingerprint()

    def test_plan_is_data_and_changes_nothing(self, adapter: Adapter) -> None:
        before = self.state(adapter)
        _, ranking = self.ranking(adapter)
        plan = adapter.plan(ranking)
        assert self.state(adapter) == before
        assert plan.adapter == adapter.name
        assert plan.steps
        assert all(step.description for step in plan.steps)
        assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))).to_dict() == plan.to_dict()

    def test_platform_serves_the_order_of_the_ranking(
        self, adapter: Adapter, tmp_path: Path
    ) -> None:
        ranking, journal = self.applied(adapter, tmp_path)
        served = list(self.served(adapter))
        ranked = ranking.pool_order.tolist()
        assert served[: len(ranked)] == ranked
        assert journal.status == "done"

    def test_labelled_items_are_never_served(self, adapter: Adapter, tmp_path: Path) -> None:
        pool, _ = self.ranking(adapter)
        self.applied(adapter, tmp_path)
        assert not set(self.served(adapter)) & set(pool.item_ids[pool.labelled].tolist())

    def test_write_leaves_what_was_read_as_it_was(self, adapter: Adapter, tmp_path: Path) -> None:
        before = adapter.read().fingerprint()
        self.applied(adapter, tmp_path)
        assert self.reopened(adapter).read().fingerprint() == before

    def test_second_run_changes_nothing(self, adapter: Adapter, tmp_path: Path) -> None:
        self.applied(adapter, tmp_path)
        once = self.state(adapter)
        self.applied(self.reopened(adapter), tmp_path)
        assert self.state(adapter) == once

    def test_later_run_replaces_the_earlier_one(self, adapter: Adapter, tmp_path: Path) -> None:
        self.applied(adapter, tmp_path)
        other = self.reopened(adapter)
        pool = other.read()
        # Half of the items are labelled meanwhile: their ranks must go, or stand behind.
        labelled = pool.labelled | (np.arange(len(pool)) % 2 == 0)
        fewer = Pool(
            pool.item_ids,
            probabilities=pool.probabilities,
            objects=pool.objects,
            missing=pool.missing,
            labelled=labelled,
        )
        ranking = rank(fewer, self.acquisition)
        plan = other.plan(ranking)
        other.apply(plan, self.journal(tmp_path, plan))
        ranked = ranking.pool_order.tolist()
        assert list(self.served(other))[: len(ranked)] == ranked

    def test_undo_by_another_process_restores_everything(
        self, adapter: Adapter, tmp_path: Path
    ) -> None:
        before = self.state(adapter)
        _, journal = self.applied(adapter, tmp_path)
        stayed = self.reopened(adapter).undo(Journal(journal.path))
        assert self.without_what_stays(self.state(adapter)) == self.without_what_stays(before)
        assert bool(stayed) == (self.state(adapter) != before)
        assert Journal(journal.path).status == "undone"

    def without_what_stays(self, state: Any) -> Any:
        """The state without what the adapter's plans say an undo cannot take back."""
        return state

    def test_undo_of_a_second_run_restores_the_first(
        self, adapter: Adapter, tmp_path: Path
    ) -> None:
        self.applied(adapter, tmp_path)
        first = self.state(adapter)
        ranking = rank(adapter.read(), self.other_acquisition, budget=1)
        plan = adapter.plan(ranking)
        journal = self.journal(tmp_path, plan)
        adapter.apply(plan, journal)
        self.reopened(adapter).undo(journal)
        assert self.state(adapter) == first

    def test_run_that_broke_off_at_any_step_can_be_finished_or_taken_back(
        self, adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = self.state(adapter)
        _, ranking = self.ranking(adapter)
        n_steps = len(adapter.plan(ranking).steps)
        self.applied(adapter, tmp_path)
        uninterrupted = self.state(adapter)
        journals = sorted((tmp_path / "state").glob("*.jsonl"))
        self.reopened(adapter).undo(Journal(journals[-1]))
        for number in range(n_steps):
            for ending in ("resume", "undo"):
                broken = self.reopened(adapter)
                broken.read()
                plan = broken.plan(ranking)
                if number >= len(plan.steps):
                    continue
                journal = self.journal(tmp_path, plan)
                with monkeypatch.context() as patch:
                    _break_at(patch, number)
                    with pytest.raises(WriteFailed, match="broke off"):
                        broken.apply(plan, journal)
                again = Journal(journal.path)
                assert again.status == "broken"
                if ending == "resume":
                    self.reopened(adapter).apply(again.plan, again)
                    assert self.state(adapter) == uninterrupted
                self.reopened(adapter).undo(Journal(journal.path))
                assert self.without_what_stays(self.state(adapter)) == self.without_what_stays(
                    before
                )

    def test_empty_ranking_touches_no_item(self, adapter: Adapter, tmp_path: Path) -> None:
        pool = adapter.read()
        everything = Pool(
            pool.item_ids,
            probabilities=pool.probabilities,
            objects=pool.objects,
            missing=pool.missing,
            labelled=np.ones(len(pool), dtype=bool),
        )
        plan = adapter.plan(rank(everything, self.acquisition))
        assert sum(step.n_items for step in plan.steps) == 0
        adapter.apply(plan, self.journal(tmp_path, plan))
        assert self.reopened(adapter).read().fingerprint() == pool.fingerprint()


class _Broken(LabelnextError):
    """The server went away."""


def _break_at(patch: pytest.MonkeyPatch, number: int) -> None:
    """Let the step of that number fail right after its work was done, before it is recorded."""
    import labelnext.journal as module

    original = module.perform_step

    def failing(performer: Performer, step: Step, place: int) -> None:
        original(performer, step, place)
        if place == number:
            raise _Broken("the server went away.")

    patch.setattr(module, "perform_step", failing)
