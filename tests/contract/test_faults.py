"""Each suite notices an adapter that declares a capability and gets it wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest

from labelnext.adapter import Plan
from labelnext.adapter.capabilities import Capability
from labelnext.pool import Pool
from tests.contract.minimal_adapter import (
    FilePerformer,
    MinimalAdapter,
    MinimalTarget,
    load,
    setting,
)
from tests.contract.test_every_capability import n_failed

pytest_plugins = ("pytester",)

Method = Callable[..., Any]


def shuffled_rows(read: Method) -> Method:
    seen: list[int] = []

    def wrong(self: Any) -> Pool:
        seen.append(1)
        pool: Pool = read(self)
        flipped = None if pool.probabilities is None else pool.probabilities[:, ::-1]
        return pool if len(seen) % 2 else Pool(pool.item_ids, probabilities=flipped)

    return wrong


def nothing_taken_back(restore: Method) -> Method:
    return lambda self, step, before: []


def kept_in_silence(restore: Method) -> Method:
    return lambda self, step, before: ["All stays.", *restore(self, step, before)]


def parts_turned(parts: Method) -> Method:
    return lambda self: [*reversed(parts(self))]


def ids_of_the_platform(read_part: Method) -> Method:
    def wrong(self: Any, part: Any, more: Any = ()) -> Any:
        pool, ids = read_part(self, part, more)
        return Pool(ids.to_pylist(), probabilities=pool.probabilities, missing=pool.missing), ids

    return wrong


def broken_rows_passed_over(read_part: Method) -> Method:
    def wrong(self: Any, part: Any, more: Any = ()) -> Any:
        try:
            return read_part(self, part, more)
        except ValueError:
            ids = part.payload["ids"]
            return Pool(range(len(ids))), pa.array(ids, pa.string())

    return wrong


def skipped_are_counted(count: Method) -> Method:
    def wrong(self: Any) -> int:
        rows = load(self._path)["items"].values()
        return sum("label" in row or "skipped" in row for row in rows)

    return wrong


def another_each_time(origin: Method) -> Method:
    return lambda self: replace(origin(self), dataset_id=uuid4().hex)


def worst_first(batch: Method) -> Method:
    def wrong(self: Any, run: str) -> Any:
        made = batch(self, run)
        return replace(made, items=made.items[::-1])

    return wrong


def one_more_each_time(plan: Method) -> Method:
    def wrong(self: Any, batch: Any) -> Plan:
        made: Plan = plan(self, batch)
        first = made.steps[0]
        value = {**first.payload["value"], uuid4().hex: None}
        return replace(made, steps=(replace(first, payload={**first.payload, "value": value}),))

    return wrong


def nobody_said_anything(labels: Method) -> Method:
    def wrong(self: Any, origin: Any) -> Any:
        said = labels(self, origin)
        return replace(said, known={}, waiting=(*said.known, *said.waiting))

    return wrong


def always_a_step(plan_labels: Method) -> Method:
    def wrong(self: Any, labels: Any, field: str) -> Plan:
        made: Plan = plan_labels(self, labels, field)
        now = load(self._path)["labels"].get(field)
        return replace(
            made, steps=made.steps or (setting(self._path, "labels", field, now, "", 0),)
        )

    return wrong


def last_object_first(plan: Method) -> Method:
    def wrong(self: Any, ranking: Any) -> Plan:
        scores = {item: row[::-1] for item, row in (ranking.object_scores or {}).items()}
        made: Plan = plan(self, replace(ranking, object_scores=scores))
        return made

    return wrong


FAULTS: list[tuple[Capability, type, str, Callable[[Method], Method]]] = [
    (Capability.READS, MinimalAdapter, "read", shuffled_rows),
    (Capability.WRITES, FilePerformer, "restore", nothing_taken_back),
    (Capability.WRITES, FilePerformer, "restore", kept_in_silence),
    (Capability.STREAMS, MinimalAdapter, "parts", parts_turned),
    (Capability.STREAMS, MinimalAdapter, "read_part", ids_of_the_platform),
    (Capability.STREAMS, MinimalAdapter, "read_part", broken_rows_passed_over),
    (Capability.COUNTS_LABELS, MinimalAdapter, "count_labels", skipped_are_counted),
    (Capability.GIVES_BATCHES, MinimalAdapter, "origin", another_each_time),
    (Capability.GIVES_BATCHES, MinimalAdapter, "batch", worst_first),
    (Capability.TAKES_BATCHES, MinimalTarget, "plan", one_more_each_time),
    (Capability.TAKES_BATCHES, MinimalTarget, "labels", nobody_said_anything),
    (Capability.TAKES_BATCHES, FilePerformer, "restore", nothing_taken_back),
    (Capability.TAKES_LABELS, MinimalAdapter, "plan_labels", always_a_step),
    (Capability.TAKES_LABELS, FilePerformer, "restore", nothing_taken_back),
    (Capability.TAKES_OBJECT_SCORES, MinimalAdapter, "plan", last_object_first),
    (Capability.TAKES_OBJECT_SCORES, FilePerformer, "restore", nothing_taken_back),
]


@pytest.mark.parametrize(("capability", "of", "method", "fault"), FAULTS)
def test_fault_fails_the_suite_of_its_capability(
    capability: Capability,
    of: type,
    method: str,
    fault: Callable[[Method], Method],
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(of, method, fault(getattr(of, method)))
    assert n_failed(pytester, capability) == 1
