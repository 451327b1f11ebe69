"""A dataset with things of its user's, runs on it, and all that a run touches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from labelnext.adapter import Adapter, open_adapter
from labelnext.journal import Journal
from labelnext.ranking import Ranking, rank

# Margins .8, .2, .4, .0: the order of labelling is d, b, c, a; the fifth has no prediction.
ROWS = ([0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.5, 0.5])
ORDER = ["d", "b", "c", "a"]


def fill(dataset: Any) -> Any:
    """Five samples with a user's field, view, index and evaluation-like run beside ours."""
    import fiftyone as fo

    dataset.default_classes = ["no", "yes"]
    samples = [
        fo.Sample(f"/images/{name}.png", name=name, pred=fo.Classification(logits=np.log(row)))
        for name, row in zip("abcd", ROWS, strict=True)
    ]
    dataset.add_samples([*samples, fo.Sample("/images/e.png", name="e")], progress=False)
    dataset.save_view("mine", dataset.limit(2))
    dataset.create_index("name")
    dataset.register_run("other", dataset.init_run(method="something"))
    dataset.save()
    return dataset


def opened(dataset: Any, run: str = "next", key: str | None = "name", **source: Any) -> Adapter:
    options = {"dataset": dataset.name, "pred_field": "pred", **source}
    return open_adapter("fiftyone", write={"run": run}, key=key, **options)


def write(dataset: Any, folder: Path, *, budget: int | None = 2, **options: Any) -> Journal:
    adapter = opened(dataset, **options)
    ranking = rank(adapter.read(), "margin", budget=budget)
    return write_ranking(adapter, ranking, folder)


def write_ranking(adapter: Adapter, ranking: Ranking, folder: Path) -> Journal:
    plan = adapter.plan(ranking)
    journal = Journal.create(folder, plan)
    adapter.apply(plan, journal)
    return journal


def documents(dataset: Any) -> list[dict[str, Any]]:
    """The samples as MongoDB holds them, but for when they were modified."""
    rows = list(dataset._sample_collection.find().sort("_id"))
    for row in rows:
        del row["last_modified_at"]
    return rows


def state(dataset: Any) -> dict[str, Any]:
    """Everything that a run touches."""
    dataset.reload()
    views = {
        v.name: (v.slug, v.description, v.color, list(v.view_stages))
        for v in dataset._doc.get_saved_views()
    }
    runs = {key: dataset.get_run_info(key).serialize() for key in dataset.list_runs()}
    return {
        "documents": documents(dataset),
        "schema": {n: str(f) for n, f in dataset.get_field_schema(flat=True).items()},
        "views": views,
        "indexes": dataset.get_index_information(),
        "runs": runs,
    }


def names(view: Any) -> list[str]:
    return list(view.values("name"))
