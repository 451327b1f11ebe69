"""The suite for adapters on whose platform a model's predictions can be stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext.adapter.capabilities import Capability
from labelnext.adapter.protocol import Adapter
from labelnext.errors import InvalidInput
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan
from labelnext.pool.pool import Pool
from labelnext.testing.base import Suite, assert_data, assert_declared, break_off_everywhere


class TakesPredictionsSuite(Suite):
    """`Capability.TAKES_PREDICTIONS`: a model's predictions are stored, read and taken back.

    Supply the fixture `adapter`, `reopened`, `state` and `reading`. At least three items; no
    predictions of the version must be there yet.
    """

    #: Name of the model version.
    version = "pushed_v8"
    #: The two classes of the items.
    class_names = ("yes", "no")

    def reading(self, adapter: Adapter, version: str) -> Adapter:
        """A new adapter over the same items that reads the predictions of a version."""
        raise NotImplementedError

    def _predicted(self, adapter: Adapter) -> Pool:
        """New predictions of three items."""
        items = adapter.read().item_ids.tolist()[:3]
        rows = [[0.125, 0.875], [0.75, 0.25], [0.5, 0.5]]
        return Pool(items, probabilities=rows, classes=self.class_names)

    def _pushed(self, adapter: Any, pool: Pool, tmp_path: Path) -> Journal:
        plan = adapter.plan_predictions(pool, self.version)
        journal = self.journal(tmp_path, plan, "push")
        adapter.apply(plan, journal)
        return journal

    def test_adapter_declares_that_it_takes_predictions(self, adapter: Any) -> None:
        assert_declared(adapter, Capability.TAKES_PREDICTIONS)

    def test_plan_of_predictions_is_data_and_changes_nothing(self, adapter: Any) -> None:
        pool, before = self._predicted(adapter), self.state(adapter)
        plan = adapter.plan_predictions(pool, self.version)
        assert self.state(adapter) == before
        assert_data(plan, adapter)
        assert sum(step.n_items for step in plan.steps) == 3

    def test_predictions_are_read_as_they_were_pushed(self, adapter: Any, tmp_path: Path) -> None:
        pool = self._predicted(adapter)
        journal = self._pushed(adapter, pool, tmp_path)
        assert journal.status == "done"
        back = self.reading(adapter, self.version).read()
        rows = {item: row for row, item in enumerate(back.item_ids.tolist())}
        order = [rows[item] for item in pool.item_ids.tolist()]
        assert back.classes is not None
        columns = [back.classes.index(name) for name in self.class_names]
        assert back.probabilities is not None
        stored = back.probabilities[order][:, columns]
        np.testing.assert_allclose(stored, pool.probabilities, atol=1e-9)  # type: ignore[arg-type]  # it has some
        others = np.delete(np.arange(len(back)), order)
        assert back.missing[others].all()

    def test_predictions_of_items_that_are_not_there_are_named(self, adapter: Any) -> None:
        item = adapter.read().item_ids.tolist()[0]
        rows, names = [[0.5, 0.5], [0.5, 0.5]], self.class_names
        pool = Pool(["nobody", item], probabilities=rows, classes=names)
        plan = adapter.plan_predictions(pool, self.version)
        assert sum(step.n_items for step in plan.steps) == 1
        assert any("nobody" in said for said in plan.left_out)
        alone = Pool(["nobody"], probabilities=rows[:1], classes=names)
        with pytest.raises(InvalidInput, match="nobody"):
            adapter.plan_predictions(alone, self.version)

    def test_classes_that_are_not_there_are_refused(self, adapter: Any) -> None:
        items = adapter.read().item_ids.tolist()[:1]
        pool = Pool(items, probabilities=[[0.5, 0.5]], classes=["never", "heard"])
        with pytest.raises(InvalidInput, match="never"):
            adapter.plan_predictions(pool, self.version)

    def test_undo_by_another_process_takes_the_predictions_back(
        self, adapter: Any, tmp_path: Path
    ) -> None:
        before = self.state(adapter)
        journal = self._pushed(adapter, self._predicted(adapter), tmp_path)
        assert self.state(adapter) != before
        assert self.reopened(adapter).undo(Journal(journal.path)) == []
        assert self.state(adapter) == before

    def test_push_that_broke_off_at_any_step_can_be_finished_or_taken_back(
        self, adapter: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pool = self._predicted(adapter)

        def planned(opened: Any) -> Plan:
            plan: Plan = opened.plan_predictions(pool, self.version)
            return plan

        break_off_everywhere(
            monkeypatch,
            opened=lambda: self.reopened(adapter),
            planned=planned,
            journal=lambda plan: self.journal(tmp_path, plan, "push"),
            state=lambda: self.comparable(self.state(adapter)),
            without_what_stays=self.without_what_stays,
        )

    def comparable(self, state: Any) -> Any:
        """The state without numbers that the platform gives anew whenever something is stored."""
        return state
