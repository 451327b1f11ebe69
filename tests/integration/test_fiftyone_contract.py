"""The FiftyOne adapter keeps the contract of all adapters, on a real MongoDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from labelnext.adapter import Adapter, Context, Target, get_adapter, open_adapter
from labelnext.adapter.batch import Batch, Item, Origin
from labelnext.ranking.ranking import batch_ranking
from labelnext.testing import (
    AdapterContract,
    CountsLabelsSuite,
    GivesBatchesSuite,
    ShowsItemsSuite,
    TakesBatchesSuite,
    TakesLabelsSuite,
    TakesObjectScoresSuite,
    TakesPredictionsSuite,
)

pytest_plugins = ("tests.integration.mongod",)


class Samples:
    """The adapter over six samples of a dataset."""

    key: str | None = "filepath"
    options: ClassVar[Mapping[str, Any]] = {"gt_field": "truth"}

    @pytest.fixture
    def adapter(self, dataset: Any) -> Adapter:
        self.dataset = dataset
        self.fill(dataset)
        dataset.save_view("mine", dataset.limit(2))
        return self.opened()

    def fill(self, dataset: Any) -> None:
        import fiftyone as fo

        rows = ([0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.5, 0.5], [0.8, 0.2], None)
        dataset.default_classes = ["no", "yes"]
        dataset.add_samples(
            [
                fo.Sample(
                    f"/images/{i}.png",
                    pred=None if row is None else fo.Classification(logits=np.log(row)),
                    truth=fo.Classification(label="no") if i == 4 else None,
                )
                for i, row in enumerate(rows)
            ],
            progress=False,
        )

    def opened(self) -> Adapter:
        source = {"dataset": self.dataset.name, "pred_field": "pred", **self.options}
        return open_adapter("fiftyone", key=self.key, **source)

    def reopened(self, adapter: Adapter) -> Adapter:
        return self.opened()

    def state(self, adapter: Adapter) -> Any:
        """All but when something was written, and by which journal."""
        self.dataset.reload()
        documents = list(self.dataset._sample_collection.find().sort("_id"))
        views = self.dataset._doc.get_saved_views()
        configs = [
            self.dataset.get_run_info(key).config.serialize() for key in self.dataset.list_runs()
        ]
        return (
            [{k: v for k, v in row.items() if k != "last_modified_at"} for row in documents],
            [(v.name, v.slug, v.description, v.color, list(v.view_stages)) for v in views],
            [{k: v for k, v in config.items() if k != "journal"} for config in configs],
            self.dataset.get_index_information(),
            {n: str(f) for n, f in self.dataset.get_field_schema(flat=True).items()},
        )

    def served(self, adapter: Adapter) -> Sequence[str]:
        paths: list[str] = self.dataset.load_saved_view("labelnext-all").values("filepath")
        return paths


class TestFiftyOneAdapter(Samples, AdapterContract):
    pass


class TestFiftyOneAdapterCountsLabels(Samples, CountsLabelsSuite):
    def label_one(self, adapter: Adapter) -> None:
        import fiftyone as fo

        self.dataset.limit(1).set_values("truth", [fo.Classification(label="yes")])

    def draft_one(self, adapter: Adapter) -> None:
        import fiftyone as fo

        self.dataset.skip(1).limit(1).set_values("truth", [fo.Classification()])

    def skip_one(self, adapter: Adapter) -> None:
        """FiftyOne knows no skipped samples."""


class TestFiftyOneAdapterGivesBatches(Samples, GivesBatchesSuite):
    key = None


class TestFiftyOneAdapterShowsItems(Samples, ShowsItemsSuite):
    pass


class TestFiftyOneAdapterTakesLabels(Samples, TakesLabelsSuite):
    key = None

    def state(self, adapter: Adapter) -> Any:
        """All but the ids of labels, which FiftyOne makes anew for each."""
        documents, *others = super().state(adapter)
        for row in documents:
            (row.get(self.label_field) or {}).pop("_id", None)
        return documents, *others

    def labels_in(self, adapter: Adapter, field: str) -> Mapping[str, Sequence[str]]:
        self.dataset.reload()
        if not self.dataset.has_sample_field(field):
            return {}
        ids, labels = self.dataset.exists(field).values(["id", f"{field}.label"])
        return {item: [label] for item, label in zip(ids, labels, strict=True)}


class TestFiftyOneAdapterTakesPredictions(Samples, TakesPredictionsSuite):
    class_names = ("yes", "no")

    def state(self, adapter: Adapter) -> Any:
        """With the classes; without the ids of labels, which FiftyOne makes anew for each."""
        documents, *others = super().state(adapter)
        for row in documents:
            (row.get(self.version) or {}).pop("_id", None)
        return documents, dict(self.dataset.classes), *others

    def reading(self, adapter: Adapter, version: str) -> Adapter:
        source = {"dataset": self.dataset.name, "pred_field": version, **self.options}
        return open_adapter("fiftyone", key=self.key, **source)


class TestFiftyOneAdapterTakesBatches(Samples, TakesBatchesSuite):
    returns_labels = False  # people label on the dataset itself

    @pytest.fixture
    def target(self, adapter: Adapter) -> Target:
        return self.reopened_target()

    @pytest.fixture
    def batch(self) -> Batch:
        rows = [{"item_id": f"/images/{n}.png", "score": n / 8} for n in (3, 0, 2)]
        items = tuple(Item(row["item_id"], None) for row in rows)
        ranking = batch_ranking(rows, acquisition="margin", of="items", direction="low")
        origin = Origin("files", "pool", "beef")
        return Batch(origin, "next", "items", ("no", "yes"), "m1", items, ranking)

    def reopened_target(self, target: Target | None = None) -> Target:
        platform: Any = get_adapter("fiftyone")
        options = platform.SendOptions(dataset=self.dataset.name, key="filepath")
        opened: Target = platform.open_target(options, Context())
        return opened

    def target_state(self, target: Target) -> Any:
        return self.state(self.opened())

    def received(self, target: Target) -> Sequence[str]:
        self.dataset.reload()
        paths: list[str] = self.dataset.load_saved_view("next-batch").values("filepath")
        return paths


class TestFiftyOneAdapterTakesObjectScores(Samples, TakesObjectScoresSuite):
    def fill(self, dataset: Any) -> None:
        import fiftyone as fo

        confidences = ([0.5, 0.25], [0.75], [], [0.625, 0.375, 0.875], [0.5], None)
        dataset.default_classes = ["car"]
        dataset.add_samples(
            [
                fo.Sample(
                    f"/images/{i}.png",
                    pred=None if row is None else fo.Detections(detections=[box(p) for p in row]),
                    truth=fo.Detections() if i == 4 else None,
                )
                for i, row in enumerate(confidences)
            ],
            progress=False,
        )

    def opened(self) -> Adapter:
        source = {"dataset": self.dataset.name, "pred_field": "pred", **self.options}
        return open_adapter("fiftyone", key=self.key, write={"objects": True}, **source)

    def object_scores(self, adapter: Adapter) -> Mapping[str, Sequence[float]]:
        self.dataset.reload()
        path = "pred.detections.labelnext"
        if self.dataset.get_field(path) is None:
            return {}
        rows = zip(*self.dataset.values(["filepath", path]), strict=True)
        stored = {item: [x for x in scores or () if x is not None] for item, scores in rows}
        return {item: scores for item, scores in stored.items() if scores}


def box(confidence: float) -> Any:
    import fiftyone as fo

    sides = [0.1, 0.2, 0.3, 0.4]
    return fo.Detection(label="car", confidence=confidence, bounding_box=sides)
