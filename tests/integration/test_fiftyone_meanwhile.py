"""Labels are sent and fetched while another process changes the dataset."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import labelnext
from labelnext.adapter import open_adapter
from labelnext.adapter.batch import Labels
from labelnext.journal import Journal
from labelnext_adapters.fiftyone.read import batch as module

pytest_plugins = ("tests.integration.mongod",)

NAMES = "abcd"
SIZE = (40, 20)
SQUARE = [(0.25, 0.25), (0.75, 0.25), (0.75, 0.75)]
KINDS = ("items", "classes", "number", "box", "polygon", "keypoint", "mask", "segmentation")


def label(kind: str, name: str) -> Any:
    """A label of a kind that tells of which sample it is: by its class, or its number."""
    import fiftyone as fo

    corner = np.zeros(SIZE[::-1], dtype=np.uint8)
    corner[: 4 + NAMES.index(name), :10] = 1
    whole = fo.Detection.from_mask(corner > 0, label=name, confidence=0.5)
    box = fo.Detection(label=name, bounding_box=[0.25, 0.25, 0.5, 0.5], confidence=0.5, age=3)
    line = fo.Polyline(label=name, points=[SQUARE], closed=True, confidence=0.5)
    points = fo.Keypoint(label=name, points=SQUARE, confidence=[0.5] * 3)
    one = fo.Classification(label=name, confidence=0.5)
    return {
        "items": one,
        "classes": fo.Classifications(classifications=[one]),
        "number": fo.Regression(value=NAMES.index(name)),
        "box": fo.Detections(detections=[box]),
        "polygon": fo.Polylines(polylines=[line]),
        "keypoint": fo.Keypoints(keypoints=[points]),
        "mask": fo.Detections(detections=[whole]),
        "segmentation": fo.Segmentation(mask=corner * (1 + NAMES.index(name))),
    }[kind]


@pytest.fixture
def ranked(dataset: Any, tmp_path: Path) -> Any:
    """Four pictures, ranked by a number in the order of their names, each with every kind."""
    import fiftyone as fo

    samples = []
    for at, name in enumerate(NAMES):
        path = tmp_path / f"{name}.png"
        Image.new("RGB", SIZE).save(path)
        kinds = {kind: label(kind, name) for kind in KINDS}
        samples.append(fo.Sample(str(path), name=name, sure=at / 10, **kinds))
    dataset.default_classes = [*NAMES]
    dataset.default_mask_targets = {at + 1: name for at, name in enumerate(NAMES)}
    dataset.add_samples(samples, dynamic=True, progress=False)
    source = {"adapter": "fiftyone", "dataset": dataset.name, "pred_field": "sure"}
    labelnext.run({"source": source, "report": {"path": None}, "state": str(tmp_path / "state")})
    run = dataset.get_run_info("labelnext")
    run.config.pred_field = "items"
    dataset.update_run_config("labelnext", run.config)
    dataset.reload()
    return dataset


def shown(kind: str, marks: Any) -> str | None:
    """Of which sample the labels are."""
    if not marks:
        return None
    (mark,) = marks
    return NAMES[int(mark.number)] if kind == "number" else mark.label


@pytest.mark.parametrize("change", ["deletes a sample", "ranks the other way round"])
def test_what_is_sent_of_each_field_belongs_to_its_sample(
    ranked: Any, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    read, collection = module.read_held, ranked._sample_collection
    done: list[str] = []

    def late(*of: Any) -> Any:
        if not done:
            done.append(change)
            if change == "deletes a sample":
                collection.delete_one({"name": "b"})
            else:
                turned = [{"$set": {"labelnext.rank": {"$subtract": [5, "$labelnext.rank"]}}}]
                collection.update_many({}, turned)
        return read(*of)

    names = dict(zip(*ranked.values(["id", "name"]), strict=True))
    monkeypatch.setattr(module, "read_held", late)
    sent = open_adapter("fiftyone", dataset=ranked.name).batch(
        "labelnext", fields=KINDS[1:], attributes=("age",)
    )
    order = [names[item.item_id] for item in sent.items]
    assert order == [*NAMES]
    left = [None if done == ["deletes a sample"] and n == "b" else n for n in order]
    assert [shown("items", item.marks) for item in sent.items] == left
    assert [further.name for further in sent.further] == [*KINDS[1:]]
    for further in sent.further:
        assert [shown(further.name, marks) for marks in further.marks] == left, further.name
    (boxes,) = [further for further in sent.further if further.name == "box"]
    assert boxes.marks[0][0].attributes == {"age": 3}


def fetched(ranked: Any, kind: str) -> Labels:
    """All that the samples hold of that kind, as people would have said it."""
    fields = () if kind == "items" else (kind,)
    sent = open_adapter("fiftyone", dataset=ranked.name).batch("labelnext", fields=fields)
    rows: Any = [item.marks for item in sent.items]
    shape: Any = "box"
    if kind != "items":
        (further,) = sent.further
        rows, shape = further.marks, further.kind
    rows = [tuple(replace(mark, confidence=None) for mark in row) for row in rows]
    said = dict(zip([item.item_id for item in sent.items], rows, strict=True))
    unit: Any = "items" if kind in ("items", "classes", "number") else "objects"
    labels = Labels("a test", unit, said, shape=shape)
    if kind != "segmentation":
        return labels
    return Labels("a test", "items", {}, further={kind: labels})


@pytest.mark.parametrize("kind", KINDS)
def test_labels_that_another_process_touches_meanwhile_stay(
    ranked: Any, tmp_path: Path, kind: str
) -> None:
    labels = fetched(ranked, kind)
    field = "labels_segmentation" if kind == "segmentation" else "labels"
    adapter: Any = open_adapter("fiftyone", dataset=ranked.name)
    plan = adapter.plan_labels(labels, "labels")
    ranked._sample_collection.delete_one({"name": "b"})
    journal = Journal.create(tmp_path / "fetches", plan, details={"what": "fetch"})
    adapter.apply(plan, journal)
    ranked.reload()
    assert adapter.plan_labels(labels, "labels").steps == ()
    theirs = label(kind, "d")
    ranked.set_values(field, {ranked.match({"name": "c"}).first().id: theirs}, key_field="id")
    (again,) = adapter.plan_labels(labels, "labels").steps
    assert again.description == f"Change {field} on 1 sample"
    assert adapter.undo(journal) == [
        f"Kept field {field} on 1 sample, where somebody changed it since."
    ]
    ranked.reload()
    held = ranked.exists(field)
    assert held.values("name") == ["c"]
    assert held.first()[field] == theirs


def test_a_mask_whose_class_somebody_took_away_is_compared(ranked: Any, tmp_path: Path) -> None:
    labels = fetched(ranked, "mask")
    adapter: Any = open_adapter("fiftyone", dataset=ranked.name)
    plan = adapter.plan_labels(labels, "labels")
    adapter.apply(plan, Journal.create(tmp_path / "fetches", plan, details={"what": "fetch"}))
    nameless = {"$set": {"labels.detections.0.label": None}}
    ranked._sample_collection.update_one({"name": "a"}, nameless)
    (again,) = adapter.plan_labels(labels, "labels").steps
    assert again.description == "Change labels on 1 sample"
