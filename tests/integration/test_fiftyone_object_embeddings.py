"""Embeddings of detections, as compute_patch_embeddings stores them, on a real MongoDB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import labelnext
from labelnext.adapter import open_adapter
from labelnext.config import load_config
from labelnext.config.opened import opened, read_pool
from labelnext.errors import InvalidInput
from tests.integration.app import choices, execute, form
from tests.integration.test_fiftyone_read import add, box, boxes

pytest_plugins = ("tests.integration.mongod",)

HALF = float(np.log(2))  # binary entropy of a confidence of 0.5


def looking(confidence: float, vector: list[float] | None) -> Any:
    label = box("car", confidence)
    if vector is not None:
        label["looks"] = np.array(vector)
    return label


@pytest.fixture
def herd(dataset: Any) -> Any:
    """Two boxes that look alike, two that do not, and two of which one has no embedding."""
    add(
        dataset,
        {"pred": boxes(looking(0.5, [1, 0]), looking(0.5, [2, 0])), "name": "alike"},
        {"pred": boxes(looking(0.5, [1, 0]), looking(0.5, [0, 1])), "name": "unlike"},
        {"pred": boxes(looking(0.5, [1, 0]), looking(0.5, None)), "name": "half"},
        {"pred": boxes(), "name": "none"},
        classes=["car"],
    )
    return dataset


def run(dataset: Any, folder: Path, attribute: str, **selection: Any) -> Any:
    config = {
        "source": {
            "adapter": "fiftyone",
            "dataset": dataset.name,
            "key": "name",
            "pred_field": "pred",
            "object_embeddings": attribute,
        },
        "acquisition": {"name": "distinct_entropy", "no_objects": "last"},
        "selection": selection,
        "report": {"path": None},
        "state": str(folder / "state"),
    }
    return labelnext.run(load_config(config))


def test_objects_that_look_alike_count_once(herd: Any, tmp_path: Path) -> None:
    report = run(herd, tmp_path, "looks")
    found = dict(zip(report.ranking.item_ids.tolist(), report.ranking.scores.tolist(), strict=True))
    expected = {"alike": HALF, "unlike": 2 * HALF, "half": 2 * HALF, "none": 0}
    assert found == pytest.approx(expected)
    assert any("1 item has objects without one" in n.message for n in report.notices)


def test_images_are_chosen_by_the_looks_of_their_objects(herd: Any, tmp_path: Path) -> None:
    batch = run(herd, tmp_path, "looks", method="object_diversity", budget=2).ranking.item_ids
    assert "half" not in batch, "one of its objects has no embedding"
    assert "unlike" in batch


def test_the_form_offers_embeddings_of_objects(plugins: Path, herd: Any) -> None:
    asked = {"pred_field": "pred", "labelled": "nothing", "acquisition": "distinct_entropy"}
    without = form("rank_samples", herd, **asked)
    assert [*choices(without["object_embeddings"])] == ["nothing", "looks"]
    assert choices(without["acquisition"])["distinct_entropy"]["disabled"]
    assert "object_embeddings" not in form("rank_samples", herd, **asked, level="rank")
    chosen = {**asked, "object_embeddings": "looks"}
    inputs = form("rank_samples", herd, **chosen)
    for prop, name in (("acquisition", "distinct_entropy"), ("method", "object_diversity")):
        assert not choices(inputs[prop])[name]["disabled"]
    execute("rank_samples", herd, **chosen, no_objects="last")
    herd.reload()
    found = dict(zip(*herd.values(["name", "labelnext.score"]), strict=True))
    assert found == pytest.approx({"alike": HALF, "unlike": 2 * HALF, "half": 2 * HALF, "none": 0})


def test_an_attribute_without_vectors_is_refused(herd: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="object_embeddings must be an attribute of pred"):
        run(herd, tmp_path, "looked")


def test_a_probe_gives_boxes_class_vectors_by_their_looks(dataset: Any) -> None:
    fields = [
        {
            "pred": boxes(looking(0.5, [row % 2, row / 100])),
            "truth": boxes(box(["car", "bus"][row % 2], 1)) if row < 8 else None,
        }
        for row in range(10)
    ]
    add(dataset, *fields, classes=["car", "bus"])
    source = {"adapter": "fiftyone", "dataset": dataset.name, "pred_field": "pred"}
    source |= {"object_embeddings": "looks", "gt_field": "truth", "model": "probe"}
    settings = load_config({"source": source})
    with opened(settings, None, None) as adapter:
        pool = read_pool(settings, adapter)
    (objects,) = pool.object_sets
    assert objects.probabilities is not None
    assert objects.probabilities.argmax(axis=1).tolist() == [0, 1] * 5
    assert objects.confidences.tolist() == [0.5] * 10


def test_check_tells_an_attribute_that_no_object_has(herd: Any) -> None:
    for name, expected in {
        "looks": [],
        "lokos": ["No object of pred has an embedding in its attribute lokos."],
    }.items():
        adapter = open_adapter(
            "fiftyone", dataset=herd.name, pred_field="pred", object_embeddings=name
        )
        assert [f.message for f in adapter.check() if "attribute" in f.message] == expected
