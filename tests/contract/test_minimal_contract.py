"""A minimal adapter of somebody else's passes every suite."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter import Adapter, Context, Part, Target
from labelnext.adapter.batch import Batch, Item, Origin
from labelnext.ranking.ranking import batch_ranking
from labelnext.testing import (
    AdapterContract,
    CountsLabelsSuite,
    GivesBatchesSuite,
    ShowsItemsSuite,
    StreamsSuite,
    TakesBatchesSuite,
    TakesLabelsSuite,
    TakesObjectScoresSuite,
    TakesPredictionsSuite,
    TellsWorkSuite,
)
from tests.contract.minimal_adapter import (
    MinimalAdapter,
    MinimalSend,
    MinimalSource,
    MinimalWrite,
    load,
)

WRITTEN = ("runs", "object_scores", "labels", "tasks", "queues", "versions")
PREDICTIONS: Mapping[str, Mapping[str, Any]] = {
    "a": {"probabilities": [0.9, 0.1]},
    "b": {"probabilities": [0.5, 0.5]},
    "c": {"probabilities": [0.6, 0.4]},
    "d": {"probabilities": [0.7, 0.3]},
    "e": {"probabilities": [0.8, 0.2], "label": 1},
    "f": {},
}
DETECTIONS: Mapping[str, Mapping[str, Any]] = {
    "a": {"objects": [[0, 0.5], [1, 0.25]]},
    "b": {"objects": [[1, 0.75]]},
    "c": {"objects": []},
    "d": {"objects": [[0, 0.625], [0, 0.375], [1, 0.875]]},
    "e": {"objects": [[0, 0.5]], "label": 0},
    "f": {},
}


class JsonFile:
    """The adapter over a file of six items."""

    items = PREDICTIONS
    objects = False

    @pytest.fixture
    def adapter(self, tmp_path: Path) -> Adapter:
        self.path = tmp_path / "platform.json"
        rows = {
            item: {"embedding": [float(number), 1.0], "group": f"video {number // 3}", **row}
            for number, (item, row) in enumerate(self.items.items())
        }
        empty: dict[str, Any] = {kind: {} for kind in WRITTEN}
        data = {"id": "f00d", "classes": ["yes", "no"], "items": rows, **empty}
        self.path.write_text(json.dumps(data))
        return self.reopened()

    def reopened(self, adapter: Adapter | None = None) -> Adapter:
        write = MinimalWrite(objects=self.objects)
        return MinimalAdapter(MinimalSource(path=self.path), write, Context())

    def state(self, adapter: Adapter) -> Any:
        return load(self.path)

    def served(self, adapter: Adapter) -> Sequence[str]:
        return [row["item_id"] for row in load(self.path)["runs"]["labelnext"]["rows"]]


class TestMinimalAdapter(JsonFile, AdapterContract):
    pass


class TestMinimalAdapterStreams(JsonFile, StreamsSuite):
    def break_part(self, adapter: Adapter, part: Part) -> None:
        data = load(self.path)
        data["items"][part.payload["ids"][0]]["probabilities"] = [2.0, -1.0]
        self.path.write_text(json.dumps(data))


class TestMinimalAdapterCountsLabels(JsonFile, CountsLabelsSuite):
    def label_one(self, adapter: Adapter) -> None:
        data = load(self.path)
        data["items"]["a"]["label"] = 0
        self.path.write_text(json.dumps(data))

    def draft_one(self, adapter: Adapter) -> None:
        """The file knows no drafts."""

    def skip_one(self, adapter: Adapter) -> None:
        data = load(self.path)
        data["items"]["b"]["skipped"] = True
        self.path.write_text(json.dumps(data))


class TestMinimalAdapterGivesBatches(JsonFile, GivesBatchesSuite):
    pass


class TestMinimalAdapterTakesBatches(JsonFile, TakesBatchesSuite):
    @pytest.fixture
    def target(self, adapter: MinimalAdapter) -> Target:
        return self.reopened_target()

    @pytest.fixture
    def batch(self) -> Batch:
        rows = [{"item_id": item, "score": None} for item in ("z", "x", "y")]
        items = tuple(Item(row["item_id"], None) for row in rows)
        origin = Origin("files", "pool", "beef")
        return Batch(origin, "next", "items", ("yes", "no"), "m1", items, batch_ranking(rows))

    def reopened_target(self, target: Target | None = None) -> Target:
        return MinimalAdapter.open_target(MinimalSend(path=self.path), Context())

    def target_state(self, target: Target) -> Any:
        return load(self.path)

    def received(self, target: Target) -> Sequence[str]:
        ids: list[str] = load(self.path)["queues"]["next"]
        return ids

    def label(self, target: Target, item_id: str, name: str) -> None:
        data = load(self.path)
        data["tasks"]["files_id"][item_id] = name
        self.path.write_text(json.dumps(data))


class TestMinimalAdapterTakesLabels(JsonFile, TakesLabelsSuite):
    def labels_in(self, adapter: Adapter, field: str) -> Mapping[str, Sequence[str]]:
        stored = load(self.path)["labels"].get(field, {})
        return {item: [label for label, _, _ in rows] for item, rows in stored.items()}


class TestMinimalAdapterTakesPredictions(JsonFile, TakesPredictionsSuite):
    def reading(self, adapter: Adapter, version: str) -> Adapter:
        source = MinimalSource(path=self.path, version=version)
        return MinimalAdapter(source, MinimalWrite(), Context())


class TestMinimalAdapterTellsWork(JsonFile, TellsWorkSuite):
    pass


class TestMinimalAdapterShowsItems(JsonFile, ShowsItemsSuite):
    pass


class TestMinimalAdapterTakesObjectScores(JsonFile, TakesObjectScoresSuite):
    items = DETECTIONS
    objects = True

    def object_scores(self, adapter: Adapter) -> Mapping[str, Sequence[float]]:
        stored = load(self.path)["object_scores"].get("labelnext", {})
        return {item: scores for item, scores in stored.items() if scores}
