"""The FiftyOne adapter keeps the contract of all adapters, on a real MongoDB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from labelnext.adapter import Adapter, open_adapter
from labelnext.testing import AdapterContract

pytest_plugins = ("tests.integration.mongod",)


class TestFiftyOneAdapter(AdapterContract):
    @pytest.fixture
    def adapter(self, dataset: Any) -> Adapter:
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
        dataset.save_view("mine", dataset.limit(2))
        self.dataset = dataset
        return self.opened()

    def opened(self) -> Adapter:
        source = {"dataset": self.dataset.name, "pred_field": "pred", "gt_field": "truth"}
        return open_adapter("fiftyone", key="filepath", **source)

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
