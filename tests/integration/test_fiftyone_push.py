"""Predictions pushed into a field of a FiftyOne dataset are ranked by, replaced and taken back."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import labelnext
from labelnext.errors import InvalidInput, WriteRefused
from labelnext.pool import Objects, Pool
from labelnext.runs.labelled_file import labels
from labelnext.runs.push import push
from labelnext.runs.undo import undo, undo_all
from tests.fuzz.campaign import Campaign
from tests.integration.dying import ACTIONS, Mortal

pytest_plugins = ("tests.integration.mongod",)

NAMES = ("a", "b", "c", "d")


@pytest.fixture
def config(dataset: Any, tmp_path: Path) -> Path:
    import fiftyone as fo

    samples = [fo.Sample(f"/images/{name}.png", name=name) for name in NAMES]
    samples[3]["truth"] = fo.Classification(label="cat")
    dataset.add_samples(samples, progress=False)
    path = tmp_path / "labelnext.yaml"
    source = {"adapter": "fiftyone", "dataset": dataset.name, "gt_field": "truth", "key": "name"}
    path.write_text(yaml.safe_dump({"source": source, "report": {"path": None}}))
    return path


def reading(config: Path, field: str) -> Path:
    """The configuration whose runs read that field; it has the same journals."""
    data = yaml.safe_load(config.read_text())
    data["source"]["pred_field"] = field
    config.write_text(yaml.safe_dump(data))
    return config


def probabilities(*cats: float) -> Pool:
    rows = [[p, 1 - p] for p in cats]
    return Pool(NAMES[: len(cats)], probabilities=rows, classes=["cat", "dog"])


def state(dataset: Any) -> Any:
    dataset.reload()
    documents = copy.deepcopy(list(dataset._sample_collection.find().sort("_id")))
    for document in documents:
        document.pop("last_modified_at")
        for name in [name for name, value in document.items() if value is None]:
            del document[name]  # FiftyOne takes both for no value
        for value in document.values():
            if isinstance(value, dict):
                value.pop("_id", None)  # FiftyOne makes it anew for each label
    schema = {n: str(f) for n, f in dataset.get_field_schema(flat=True).items()}
    return documents, schema, dict(dataset.classes), dataset.list_saved_views()


def test_run_ranks_by_pushed_predictions_and_undo_all_leaves_the_dataset_as_it_was(
    dataset: Any, config: Path, tmp_path: Path
) -> None:
    before = state(dataset)
    lines = ["item_id,cat,dog", "a,0.75,0.25", "b,0.5,0.5", "c,1,0", "stranger,0.5,0.5", ""]
    (tmp_path / "new.csv").write_text("\n".join(lines))
    result = push(config, tmp_path / "new.csv", "v8")
    assert result.counts == {"in the file": 4, "stored": 3}
    assert result.next_steps == ("source.pred_field: v8 makes the next run rank by these "
                                 "predictions.",)  # fmt: skip
    dataset.reload()
    assert dataset.classes["v8"] == ["cat", "dog"]
    assert dataset.values("v8.label") == ["cat", "cat", "cat", None]
    assert dataset.values("v8.confidence") == [0.75, 0.5, 1.0, None]
    report = labelnext.run(reading(config, "v8"))
    assert report.ranking is not None
    assert report.ranking.item_ids.tolist() == ["b", "a", "c"]  # d is labelled
    np.testing.assert_allclose(report.ranking.scores, [0.0, 0.5, 1.0], atol=1e-12)
    assert len(list(undo_all(config))) == 2
    after = state(dataset)
    assert after == before


def test_later_push_into_the_field_replaces_it_and_undo_restores_it(
    dataset: Any, config: Path
) -> None:
    push(config, probabilities(0.75, 0.5), "model")
    first = state(dataset)
    push(
        config, Pool(["b", "c"], probabilities=[[0.25, 0.75]] * 2, classes=["dog", "cat"]), "model"
    )
    dataset.reload()
    assert dataset.values("model.label") == [None, "cat", "cat", None]
    undo(config)
    assert state(dataset) == first


@pytest.mark.parametrize("boxes", [False, True])
def test_undo_keeps_predictions_that_people_corrected(
    dataset: Any, config: Path, boxes: bool
) -> None:
    place = [[0.1, 0.2, 0.3, 0.7]] * 3
    objects = Objects([0, 1, 2, 3], [0.75] * 3, class_ids=[0] * 3, boxes=place)
    rows = {"objects": objects} if boxes else {"probabilities": [[0.75, 0.25]] * 3}
    push(config, Pool(["a", "b", "c"], classes=["cat", "dog"], **rows), "v8")
    dataset.reload()
    corrected, _, deleted, _ = dataset.sort_by("name")
    label = corrected.v8.detections[0] if boxes else corrected.v8
    label.label = "dog"
    deleted["v8"] = None
    corrected.save()
    deleted.save()
    dataset.delete_samples(dataset.match({"name": "d"}))
    stayed = undo(config)[1]
    assert stayed == ["Kept field v8 on 1 sample, where somebody changed it since."]
    said = dataset.values("v8.detections.label" if boxes else "v8.label")
    assert said == [["dog"] if boxes else "dog", None, None]


def test_boxes_are_read_back_with_their_vectors(dataset: Any, config: Path) -> None:
    objects = Objects(
        [0, 2, 2],
        [0.75, 0.5],
        class_ids=[0, 1],
        boxes=[[0.1, 0.2, 0.3, 0.7], [0, 0, 1, 1]],
        probabilities=[[0.75, 0.25], [0.125, 0.5]],
    )
    push(config, Pool(["a", "b"], objects=objects, classes=["cat", "dog"]), "boxes")
    settings = labelnext.load_config(reading(config, "boxes"))
    adapter = settings.open_adapter()
    back = adapter.read()
    adapter.close()
    (stored,) = back.object_sets
    assert stored.offsets.tolist() == [0, 2, 2, 2, 2]
    np.testing.assert_allclose(stored.boxes, objects.boxes, atol=1e-12)
    np.testing.assert_allclose(stored.probabilities, objects.probabilities)
    assert back.missing.tolist() == [False, False, True, True]


def test_independent_classes_and_lone_confidences_are_read_back(dataset: Any, config: Path) -> None:
    rows = [[0.75, 0.5], [0.125, 0.25]]
    push(
        config,
        Pool(["a", "b"], probabilities=rows, classes=["cat", "dog"], multilabel=True),
        "kinds",
    )
    answers = Objects([0, 1, 2], [0.5, 0.75], class_ids=[1, 2], whole_items=True)
    push(config, Pool(["a", "b"], objects=answers, classes=["cat", "dog", "cow"]), "sure")
    dataset.reload()
    tags = dataset.values("kinds.classifications.label")
    assert tags == [["cat", "dog"], ["dog"], None, None]
    for field, expected in (("kinds", rows), ("sure", [0.5, 0.75])):
        adapter = labelnext.load_config(reading(config, field)).open_adapter()
        back = adapter.read()
        adapter.close()
        stored = back.probabilities[:2] if field == "kinds" else back.answer.confidences  # type: ignore[index, union-attr]  # they are there
        np.testing.assert_allclose(stored, expected)
    assert len(list(undo_all(config))) == 2
    assert "kinds" not in dataset.classes


def test_fields_that_push_did_not_make_and_bad_names_are_refused(
    dataset: Any, config: Path
) -> None:
    before = state(dataset)
    with pytest.raises(WriteRefused, match="field truth of .* must be one that labelnext push"):
        push(config, probabilities(0.5), "truth")
    with pytest.raises(InvalidInput, match="the version must be a name for a field"):
        push(config, probabilities(0.5), "round-1")
    with pytest.raises(InvalidInput, match="must name their classes"):
        push(config, Pool(["a"], probabilities=[[0.5, 0.5]]), "v8")
    assert state(dataset) == before


def test_labels_are_those_of_the_field(dataset: Any, config: Path, tmp_path: Path) -> None:
    written = labels(config, tmp_path / "labels.jsonl")
    (row,) = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert (row["item_id"], row["label"], row["labelled_by"]) == ("d", "cat", None)
    assert [n.code for n in written.notices] == ["derived_classes", "no_labelled_by"]


def test_a_death_at_any_write_of_a_push_is_settled_by_resume_and_undo(
    dataset: Any, config: Path, campaign: Campaign
) -> None:
    from tests.integration.killed_runs import forget

    def dump() -> Any:
        import fiftyone as fo

        return state(fo.load_dataset(dataset.name))

    pool = probabilities(0.75, 0.5, 1.0)
    mortal = Mortal(config, lambda one: push(one, pool, "v8"), dump, dump, forget)
    points = mortal.points(["run"], "database")
    assert len(points) >= 2  # the schema, and the values
    campaign.each(points, len(points), mortal.trial)
    campaign.each(mortal.points(ACTIONS), 6, mortal.trial)
