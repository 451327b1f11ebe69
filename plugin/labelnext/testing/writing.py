"""Suites for writing: a ranking, and a score for each object."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext.adapter.capabilities import Capability
from labelnext.adapter.protocol import Adapter
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan
from labelnext.pool.pool import Pool
from labelnext.ranking.rank import rank
from labelnext.ranking.ranking import Ranking
from labelnext.testing.base import Suite, assert_data, assert_declared, break_off_everywhere


class WritesSuite(Suite):
    """`Capability.WRITES`: the adapter writes a ranking and undoes it.

    Supply the fixture `adapter`, `reopened`, `state` and `served`; if an undo has to leave
    something behind, `without_what_stays` too. The items must be as for `ReadsSuite`.
    """

    #: Another acquisition function, for a second run.
    other_acquisition = "least_confidence"

    def test_adapter_declares_that_it_writes(self, adapter: Adapter) -> None:
        assert_declared(adapter, Capability.WRITES)

    def test_plan_is_data_and_changes_nothing(self, adapter: Adapter) -> None:
        before = self.state(adapter)
        _, ranking = self.ranking(adapter)
        plan = adapter.plan(ranking)
        assert self.state(adapter) == before
        assert_data(plan, adapter)
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
        # Half of the items are labelled meanwhile: their ranks must vanish or sort last.
        labelled = pool.labelled | (np.arange(len(pool)) % 2 == 0)
        ranking = rank(_labelled(pool, labelled), self.acquisition)
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
        _, ranking = self.ranking(adapter)

        def planned(opened: Adapter) -> Plan:
            opened.read()
            return opened.plan(ranking)

        break_off_everywhere(
            monkeypatch,
            opened=lambda: self.reopened(adapter),
            planned=planned,
            journal=lambda plan: self.journal(tmp_path, plan),
            state=lambda: self.state(adapter),
            without_what_stays=self.without_what_stays,
        )

    def test_empty_ranking_touches_no_item(self, adapter: Adapter, tmp_path: Path) -> None:
        pool = adapter.read()
        everything = _labelled(pool, np.ones(len(pool), dtype=bool))
        plan = adapter.plan(rank(everything, self.acquisition))
        assert sum(step.n_items for step in plan.steps) == 0
        adapter.apply(plan, self.journal(tmp_path, plan))
        assert self.reopened(adapter).read().fingerprint() == pool.fingerprint()


class TakesObjectScoresSuite(Suite):
    """`Capability.TAKES_OBJECT_SCORES`: the adapter writes a score for each object of an item.

    Supply the fixture `adapter`, with options that ask for object scores, `reopened`, `state` and
    `object_scores`. At least one item must have two or more objects, and another one none.
    """

    acquisition = "mean_object_confidence"

    def object_scores(self, adapter: Adapter) -> Mapping[str, Sequence[float]]:
        """The stored scores of each item's objects, in order, by item id; omit empty ones."""
        raise NotImplementedError

    def _scored(self, adapter: Adapter) -> tuple[Ranking, dict[str, list[float]]]:
        """A ranking with distinct scores for all objects, and the scores expected to be stored."""
        pool, ranking = self.ranking(adapter)
        objects = pool.newest_objects
        assert objects is not None
        assert objects.counts.max() >= 2
        assert (objects.counts == 0).any()
        marks = (np.arange(objects.offsets[-1]) + 1) / 64  # exact, also in single precision
        bounds = zip(objects.offsets[:-1].tolist(), objects.offsets[1:].tolist(), strict=True)
        scores = {
            item: marks[start:stop]
            for item, (start, stop) in zip(pool.item_ids.tolist(), bounds, strict=True)
        }
        expected = {item: scores[item].tolist() for item in ranking.pool_order.tolist()}
        expected = {item: row for item, row in expected.items() if row}
        return replace(ranking, object_scores=scores), expected

    def _written(self, adapter: Adapter, ranking: Ranking, tmp_path: Path) -> Journal:
        """Write a ranking; returns its journal."""
        plan = adapter.plan(ranking)
        journal = self.journal(tmp_path, plan)
        adapter.apply(plan, journal)
        return journal

    def test_adapter_declares_that_it_takes_object_scores(self, adapter: Any) -> None:
        assert_declared(adapter, Capability.TAKES_OBJECT_SCORES)
        assert adapter.wants_object_scores() is True

    def test_scores_land_on_their_objects_in_order(self, adapter: Adapter, tmp_path: Path) -> None:
        ranking, expected = self._scored(adapter)
        self._written(adapter, ranking, tmp_path)
        assert {i: list(row) for i, row in self.object_scores(adapter).items()} == expected

    def test_undo_takes_scores_of_objects_back(self, adapter: Adapter, tmp_path: Path) -> None:
        before = self.state(adapter)
        ranking, _ = self._scored(adapter)
        journal = self._written(adapter, ranking, tmp_path)
        assert self.state(adapter) != before
        self.reopened(adapter).undo(Journal(journal.path))
        assert self.without_what_stays(self.state(adapter)) == self.without_what_stays(before)
        assert not self.object_scores(adapter)

    def test_undo_of_a_second_run_brings_the_earlier_scores_of_objects_back(
        self, adapter: Adapter, tmp_path: Path
    ) -> None:
        ranking, expected = self._scored(adapter)
        self._written(adapter, ranking, tmp_path)
        assert ranking.object_scores is not None
        halved = {item: scores / 2 for item, scores in ranking.object_scores.items()}
        other = self.reopened(adapter)
        journal = self._written(other, replace(ranking, object_scores=halved), tmp_path)
        stored = {i: list(row) for i, row in self.object_scores(adapter).items()}
        assert stored == {item: [x / 2 for x in row] for item, row in expected.items()}
        self.reopened(adapter).undo(Journal(journal.path))
        assert {i: list(row) for i, row in self.object_scores(adapter).items()} == expected


def _labelled(pool: Pool, labelled: np.typing.NDArray[np.bool_]) -> Pool:
    """The pool with the flagged items labelled; flags of shape (n_items,)."""
    return Pool(
        pool.item_ids,
        probabilities=pool.probabilities,
        objects=pool.objects,
        missing=pool.missing,
        labelled=labelled,
    )
