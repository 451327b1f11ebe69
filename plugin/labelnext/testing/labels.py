"""Suites for adapters that count labels or take them back from another platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter.batch import Labels, Mark
from labelnext.adapter.capabilities import Capability
from labelnext.adapter.protocol import Adapter
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan
from labelnext.testing.base import Suite, assert_data, assert_declared, break_off_everywhere


class CountsLabelsSuite(Suite):
    """`Capability.COUNTS_LABELS`: the adapter counts labels without reading the items.

    Supply the fixture `adapter`, `reopened`, `label_one`, `draft_one` and `skip_one`, and for a
    platform that is asked over a network `n_requests`. At least one item must be labelled, each
    labelled item must have one label, and two must be free to be labelled.
    """

    def label_one(self, adapter: Adapter) -> None:
        """Label one more item, as a person would on the platform."""
        raise NotImplementedError

    def draft_one(self, adapter: Adapter) -> None:
        """Begin to label another item, and do not submit it; nothing where that is not known."""
        raise NotImplementedError

    def skip_one(self, adapter: Adapter) -> None:
        """Skip another item instead of labelling it; nothing where that is not known."""
        raise NotImplementedError

    def n_requests(self, adapter: Adapter) -> int:
        """How many requests the adapter has made until now; 0 where there is no network."""
        return 0

    def test_adapter_declares_that_it_counts_labels(self, adapter: Any) -> None:
        assert_declared(adapter, Capability.COUNTS_LABELS)

    def test_labelled_items_are_counted(self, adapter: Any) -> None:
        n_labelled = int(adapter.read().labelled.sum())
        assert n_labelled >= 1
        assert adapter.count_labels() == n_labelled

    def test_write_and_undo_leave_the_count_as_it_was(self, adapter: Any, tmp_path: Path) -> None:
        before = adapter.count_labels()
        _, journal = self.applied(adapter, tmp_path)
        other: Any = self.reopened(adapter)
        assert other.count_labels() == before
        other.undo(Journal(journal.path))
        assert adapter.count_labels() == before

    def test_one_more_label_is_counted(self, adapter: Any) -> None:
        before = adapter.count_labels()
        self.label_one(adapter)
        assert adapter.count_labels() == before + 1
        other: Any = self.reopened(adapter)
        assert other.count_labels() == before + 1

    def test_drafts_and_skipped_items_are_not_counted(self, adapter: Any) -> None:
        before = adapter.count_labels()
        self.draft_one(adapter)
        assert adapter.count_labels() == before
        self.skip_one(adapter)
        assert adapter.count_labels() == before
        other: Any = self.reopened(adapter)
        assert other.count_labels() == before

    def test_count_takes_one_request_at_most(self, adapter: Any) -> None:
        adapter.count_labels()  # the first may have to connect
        before = self.n_requests(adapter)
        adapter.count_labels()
        assert self.n_requests(adapter) - before <= 1


class TakesLabelsSuite(Suite):
    """`Capability.TAKES_LABELS`: the labels of sent batches come back into a field.

    Supply the fixture `adapter`, `reopened`, `state` and `labels_in`. Open the adapter without a
    key, over at least three unlabelled items; the field must not exist yet.
    """

    #: Field for the labels.
    label_field = "people_said"
    #: Two class names that the field can hold.
    label_names = ("yes", "no")

    def labels_in(self, adapter: Adapter, field: str) -> Mapping[str, Sequence[str]]:
        """The labels now in the field, by item id; {} if there is no such field."""
        raise NotImplementedError

    def _two_said(self, adapter: Adapter) -> tuple[Labels, dict[str, list[str]]]:
        """Labels of two items while a third is waiting, and the field's expected content."""
        first, second, third = _three_unlabelled(adapter)
        yes, no = self.label_names
        expected = {first: [yes], second: [no]}
        return _said({first: yes, second: no}, waiting=[third]), expected

    def _fetched(self, adapter: Any, labels: Labels, tmp_path: Path) -> Journal:
        """Write labels into the field; returns the journal."""
        plan = adapter.plan_labels(labels, self.label_field)
        journal = self.journal(tmp_path, plan, "fetch")
        adapter.apply(plan, journal)
        return journal

    def _held(self, adapter: Adapter) -> dict[str, list[str]]:
        """The field's content, to compare with ``==``."""
        stored = self.labels_in(adapter, self.label_field)
        return {item: list(labels) for item, labels in stored.items()}

    def test_adapter_declares_that_it_takes_labels(self, adapter: Any) -> None:
        assert_declared(adapter, Capability.TAKES_LABELS)

    def test_plan_of_labels_is_data_and_changes_nothing(self, adapter: Any) -> None:
        labels, _ = self._two_said(adapter)
        before = self.state(adapter)
        plan = adapter.plan_labels(labels, self.label_field)
        assert self.state(adapter) == before
        assert_data(plan, adapter)
        assert sum(step.n_items for step in plan.steps) == 2

    def test_labels_land_on_their_items(self, adapter: Adapter, tmp_path: Path) -> None:
        labels, expected = self._two_said(adapter)
        journal = self._fetched(adapter, labels, tmp_path)
        assert self._held(adapter) == expected
        assert journal.status == "done"

    def test_same_labels_again_change_nothing(self, adapter: Adapter, tmp_path: Path) -> None:
        labels, _ = self._two_said(adapter)
        self._fetched(adapter, labels, tmp_path)
        other: Any = self.reopened(adapter)
        assert other.plan_labels(labels, self.label_field).steps == ()

    def test_labels_of_items_that_are_not_there_are_left_out(
        self, adapter: Any, tmp_path: Path
    ) -> None:
        item = _three_unlabelled(adapter)[0]
        yes, no = self.label_names
        assert adapter.plan_labels(_said({"nobody": yes}), self.label_field).steps == ()
        self._fetched(adapter, _said({"nobody": yes, item: no}), tmp_path)
        assert self._held(adapter) == {item: [no]}

    def test_undo_by_another_process_takes_the_labels_back(
        self, adapter: Adapter, tmp_path: Path
    ) -> None:
        labels, _ = self._two_said(adapter)
        before = self.state(adapter)
        journal = self._fetched(adapter, labels, tmp_path)
        assert self.state(adapter) != before
        self.reopened(adapter).undo(Journal(journal.path))
        assert self.without_what_stays(self.state(adapter)) == self.without_what_stays(before)
        assert self._held(adapter) == {}

    def test_labels_that_changed_or_went_follow_and_undo_restores_them(
        self, adapter: Adapter, tmp_path: Path
    ) -> None:
        labels, expected = self._two_said(adapter)
        self._fetched(adapter, labels, tmp_path)
        (first, second), (third,) = labels.known, labels.waiting
        yes, no = self.label_names
        later = _said({first: no, third: yes}, waiting=[second])
        journal = self._fetched(self.reopened(adapter), later, tmp_path)
        assert self._held(adapter) == {first: [no], third: [yes]}
        self.reopened(adapter).undo(Journal(journal.path))
        assert self._held(adapter) == expected

    def test_fetch_that_broke_off_at_any_step_can_be_finished_or_taken_back(
        self, adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        labels, _ = self._two_said(adapter)

        def planned(opened: Any) -> Plan:
            plan: Plan = opened.plan_labels(labels, self.label_field)
            return plan

        break_off_everywhere(
            monkeypatch,
            opened=lambda: self.reopened(adapter),
            planned=planned,
            journal=lambda plan: self.journal(tmp_path, plan, "fetch"),
            state=lambda: self.state(adapter),
            without_what_stays=self.without_what_stays,
        )


def _three_unlabelled(adapter: Adapter) -> list[str]:
    """The ids of three unlabelled items."""
    pool = adapter.read()
    items: list[str] = pool.item_ids[~pool.labelled].tolist()[:3]
    assert len(items) == 3
    return items


def _said(known: Mapping[str, str], waiting: Sequence[str] = ()) -> Labels:
    """Labels with one class per item."""
    marks = {item: (Mark(label),) for item, label in known.items()}
    return Labels("a test", "items", marks, tuple(waiting))
