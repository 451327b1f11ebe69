"""Suites for adapters that give batches and for platforms that take them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter.batch import Batch, Labels, Mark
from labelnext.adapter.capabilities import Capability
from labelnext.adapter.options import SendOptions, described
from labelnext.adapter.protocol import Adapter, Target
from labelnext.errors import ConfigError, NotFound
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan
from labelnext.testing.base import Suite, assert_data, assert_declared, break_off_everywhere


class GivesBatchesSuite(Suite):
    """`Capability.GIVES_BATCHES`: people can label a run's batch on another platform.

    Supply the fixture `adapter` and `reopened`. There must be no earlier run. Open the adapter
    without a key, so that its item ids are the platform's own.
    """

    def test_adapter_declares_that_it_gives_batches(self, adapter: Any) -> None:
        assert_declared(adapter, Capability.GIVES_BATCHES)

    def test_origin_is_the_same_in_another_process(self, adapter: Any) -> None:
        origin = adapter.origin()
        other: Any = self.reopened(adapter)
        assert other.origin() == origin
        assert origin.platform == adapter.name
        assert origin.dataset
        assert origin.dataset_id

    def test_batch_of_a_run_is_in_the_order_of_its_ranks(
        self, adapter: Any, tmp_path: Path
    ) -> None:
        ranking, journal = self.applied(adapter, tmp_path)
        other: Any = self.reopened(adapter)
        batch = other.batch(journal.plan.run)
        ranked = ranking.item_ids.tolist()
        assert isinstance(batch, Batch)
        assert [item.item_id for item in batch.items] == ranked
        assert len(ranked) == 2
        assert batch.run == journal.plan.run
        assert batch.origin == adapter.origin()
        assert batch.model_version
        assert batch.ranking is None or batch.ranking.item_ids.tolist() == ranked

    def test_run_that_was_not_written_has_no_batch(self, adapter: Any, tmp_path: Path) -> None:
        _, ranking = self.ranking(adapter)
        run = adapter.plan(ranking).run
        with pytest.raises(NotFound):
            adapter.batch(run)
        _, journal = self.applied(adapter, tmp_path)
        assert adapter.batch(run).items
        self.reopened(adapter).undo(Journal(journal.path))
        with pytest.raises(NotFound):
            adapter.batch(run)


class TakesBatchesSuite(Suite):
    """`Capability.TAKES_BATCHES`: people can label other platforms' batches on this one.

    Supply the fixtures `adapter`, `target` and `batch`, and the methods `reopened_target`,
    `target_state`, `received` and, unless labels are never returned, `label`; if an undo has to
    leave something behind, `without_what_stays` too. Nothing of the batch's run may have been sent
    before.
    """

    #: Whether the target can return labels; if not, asking for them raises ConfigError.
    returns_labels = True

    @pytest.fixture
    def target(self) -> Target:
        """The target that the adapter's `open_target` returns."""
        raise NotImplementedError

    @pytest.fixture
    def batch(self) -> Batch:
        """At least two items that the target can take."""
        raise NotImplementedError

    def reopened_target(self, target: Target) -> Target:
        """A new target with the same options, as another process would open it."""
        raise NotImplementedError

    def target_state(self, target: Target) -> Any:
        """Everything there that sending could change, to compare with ``==``."""
        raise NotImplementedError

    def received(self, target: Target) -> Sequence[str]:
        """Ids of the sent items, in the order in which people get them now."""
        raise NotImplementedError

    def label(self, target: Target, item_id: str, name: str) -> None:
        """Label an item that was sent as that class, as people do it there."""
        raise NotImplementedError

    def _sent(self, target: Target, batch: Batch, tmp_path: Path) -> Journal:
        """Send a batch; returns its journal."""
        plan = target.plan(batch)
        journal = self.journal(tmp_path, plan, "send")
        target.apply(plan, journal)
        return journal

    def test_adapter_declares_that_it_takes_batches(self, adapter: Any, target: Any) -> None:
        assert_declared(adapter, Capability.TAKES_BATCHES)
        options = adapter.SendOptions
        assert issubclass(options, SendOptions)
        undescribed = [n for n, f in described(options).items() if not f.description]
        assert not undescribed, f"options without a description: {undescribed}"
        for name in ("plan", "performer", "labels", "apply", "undo", "close"):
            assert callable(getattr(target, name, None)), f"the target must have {name}"

    def test_plan_of_a_batch_is_data_and_changes_nothing(
        self, adapter: Adapter, target: Target, batch: Batch
    ) -> None:
        before = self.target_state(target)
        plan = target.plan(batch)
        assert self.target_state(target) == before
        assert_data(plan, adapter)

    def test_items_that_were_sent_stand_in_the_order_of_the_batch(
        self, target: Target, batch: Batch, tmp_path: Path
    ) -> None:
        journal = self._sent(target, batch, tmp_path)
        wanted = [item.item_id for item in batch.items]
        assert len(wanted) >= 2
        assert list(self.received(target)) == wanted
        assert journal.status == "done"

    def test_labels_are_waited_for_until_somebody_gives_them(
        self, target: Target, batch: Batch, tmp_path: Path
    ) -> None:
        self._sent(target, batch, tmp_path)
        other = self.reopened_target(target)
        if not self.returns_labels:
            with pytest.raises(ConfigError):
                other.labels(batch.origin)
            return
        labels = other.labels(batch.origin)
        assert isinstance(labels, Labels)
        assert dict(labels.known) == {}
        assert sorted(labels.waiting) == sorted(item.item_id for item in batch.items)

    def test_label_that_somebody_gives_comes_back(
        self, target: Target, batch: Batch, tmp_path: Path
    ) -> None:
        if not self.returns_labels:
            return
        self._sent(target, batch, tmp_path)
        first, second, *others = (item.item_id for item in batch.items)
        self.label(target, second, batch.classes[0])
        labels = self.reopened_target(target).labels(batch.origin)
        assert labels.unit == batch.unit
        assert dict(labels.known) == {second: (Mark(batch.classes[0]),)}
        assert sorted(labels.waiting) == sorted([first, *others])

    def test_sending_twice_makes_nothing_twice(
        self, target: Target, batch: Batch, tmp_path: Path
    ) -> None:
        self._sent(target, batch, tmp_path)
        once = self.target_state(target)
        self._sent(self.reopened_target(target), batch, tmp_path)
        assert self.target_state(target) == once

    def test_undo_by_another_process_takes_the_batch_back(
        self, target: Target, batch: Batch, tmp_path: Path
    ) -> None:
        before = self.target_state(target)
        journal = self._sent(target, batch, tmp_path)
        assert self.target_state(target) != before
        stayed = self.reopened_target(target).undo(Journal(journal.path))
        after = self.target_state(target)
        assert self.without_what_stays(after) == self.without_what_stays(before)
        assert bool(stayed) == (after != before)
        assert Journal(journal.path).status == "undone"

    def test_sending_that_broke_off_at_any_step_can_be_finished_or_taken_back(
        self, target: Target, batch: Batch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def planned(opened: Target) -> Plan:
            return opened.plan(batch)

        break_off_everywhere(
            monkeypatch,
            opened=lambda: self.reopened_target(target),
            planned=planned,
            journal=lambda plan: self.journal(tmp_path, plan, "send"),
            state=lambda: self.target_state(target),
            without_what_stays=self.without_what_stays,
        )
