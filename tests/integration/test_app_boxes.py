"""The form that ranks, on samples with boxes, classes and labels of both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.integration.app import choices, execute, form, shown

pytest_plugins = ("tests.integration.mongod",)

BOXES = {"a": [0.9], "b": [0.5], "c": [0.7, 0.6], "d": []}


@pytest.fixture
def street(plugins: Path, dataset: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Four samples with boxes and a class each; a has labels of boxes, b of its class."""
    import fiftyone as fo

    from labelnext_adapters.fiftyone.app import foreseen

    monkeypatch.setattr(foreseen, "PATIENCE", 60)
    dataset.default_classes = ["car", "bus"]
    samples = []
    for name, confidences in BOXES.items():
        boxes = [
            fo.Detection(label="car", bounding_box=[0.1, 0.1, 0.2, 0.2], confidence=c)
            for c in confidences
        ]
        sample = fo.Sample(f"/{name}.png", name=name, boxes=fo.Detections(detections=boxes))
        sample["kind"] = fo.Classification(label="car", logits=np.log([0.6, 0.4]))
        samples.append(sample)
    box = fo.Detection(label="car", bounding_box=[0.1, 0.1, 0.2, 0.2])
    samples[0]["ground_truth"] = fo.Detections(detections=[box])
    samples[1]["true_kind"] = fo.Classification(label="bus")
    dataset.add_samples(samples, progress=False)
    return dataset


def test_every_function_that_can_be_chosen_can_be_used(street: Any) -> None:
    for field in ("boxes", "kind"):
        offered = choices(form("rank_samples", street, pred_field=field)["acquisition"])
        able = [name for name, one in offered.items() if not one["disabled"] and name != "none"]
        assert len(able) > 2
        for name in able:
            asked = {"pred_field": field, "acquisition": name, "reduce": "max"}
            inputs = form("rank_samples", street, **asked, class_weights="counts")
            assert "problem" not in inputs, inputs["problem"]


def test_what_goes_by_embeddings_of_objects_is_grey_where_they_have_none(street: Any) -> None:
    inputs = form("rank_samples", street, pred_field="boxes")
    for prop, name in (("method", "object_diversity"), ("acquisition", "distinct_entropy")):
        choice = choices(inputs[prop])[name]
        assert choice["disabled"]
        assert choice["description"] == "Needs an embedding for each object"


def test_a_function_scores_the_boxes_where_there_are_only_boxes(street: Any) -> None:
    # 1 − confidence, the mean of an image: b 0.5, c (0.3 + 0.4) / 2, a 0.1.
    asked = {"pred_field": "boxes", "acquisition": "least_confidence", "labelled": "nothing"}
    result = execute("rank_samples", street, **asked, no_objects="last", budget=4)
    street.reload()
    assert shown(street, result) == ["b", "c", "a", "d"]


def test_labels_of_the_predictions_kind_are_taken_first(street: Any) -> None:
    for field, labels in (("boxes", "ground_truth"), ("kind", "true_kind")):
        inputs = form("rank_samples", street, pred_field=field, level="rank")
        said = inputs["scope"]["default"]
        assert said.endswith(f"(1 labelled already in {labels})."), said
        review = form("rank_samples", street, pred_field=field, purpose="review")
        assert choices(review["labelled"])[f"field:{labels}"]["label"] == labels
        assert review["scope"]["default"].startswith("Checks **1 of 4** samples")


def test_samples_without_boxes_are_counted_in_the_batch(street: Any) -> None:
    asked = {"pred_field": "boxes", "acquisition": "mean_object_confidence", "budget": 2}
    said = form("rank_samples", street, **asked)["foreseen"]["default"]
    # d comes first, as this function has it; b, then, is the least sure.
    assert said == (
        "The batch: **2 of 3** samples, 1 of them without an object. Predicted objects: car (1)."
    )


def test_what_was_chosen_on_another_level_is_named(street: Any) -> None:
    assert "elsewhere" not in form("rank_samples", street, level="rank", budget=2)
    chosen = {"quota": "uniform", "seed": 3, "run": "mine", "pred_field": "boxes"}
    said = form("rank_samples", street, level="rank", **chosen)["elsewhere"]["view"]["label"]
    assert said == "Chosen on another level, and in force: quota, seed, run name mine"
    assert "elsewhere" not in form("rank_samples", street, level="everything", **chosen)


def test_only_what_says_how_sure_the_model_is_counts_as_ranked(
    street: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fiftyone as fo

    from labelnext_adapters.fiftyone.app import foreseen

    # a's box has no confidence; d has no box, which is a prediction, too.
    street.match({"name": "a"}).set_field("boxes.detections.confidence", None).save()
    ranked = {"pred_field": "boxes", "labelled": "nothing"}
    wanted = "Ranks **3 of 4** samples of {} (1 without a prediction that can be ranked)."
    assert form("rank_samples", street, **ranked)["scope"]["default"] == wanted.format(street.name)
    monkeypatch.setattr(foreseen, "MOST", 2)  # now it is looked up, not read
    street.add_sample_field("other", fo.StringField)
    assert form("rank_samples", street, **ranked)["scope"]["default"] == wanted.format(street.name)


def test_the_batch_of_another_slice_is_foreseen(
    plugins: Path, dataset: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fiftyone as fo

    from labelnext_adapters.fiftyone.app import foreseen

    monkeypatch.setattr(foreseen, "PATIENCE", 60)
    dataset.default_classes = ["car", "bus"]
    dataset.add_group_field("group", default="left")
    pair = fo.Group()
    pred = fo.Classification(label="car", logits=np.log([0.6, 0.4]))
    dataset.add_samples(
        [
            fo.Sample("/left.png", group=pair.element("left")),
            fo.Sample("/right.png", group=pair.element("right"), pred=pred),
        ],
        progress=False,
    )
    nothing = form("rank_samples", dataset)["nothing"]["view"]["description"]
    assert "Choose another slice above" in nothing
    said = form("rank_samples", dataset, slice="right")["foreseen"]["default"]
    assert said == "The batch: **1 of 1** samples. Predicted: car (1)."


def test_lists_of_labels_beside_numbers_for_all_classes_are_no_objects(street: Any) -> None:
    import fiftyone as fo

    # The entropies of d are the lowest; the lists hold what is above 0.5.
    for sample, chances in zip(
        street.iter_samples(autosave=True),
        ([0.9, 0.4], [0.6, 0.7], [0.4, 0.3], [0.2, 0.1]),
        strict=True,
    ):
        labels = [
            fo.Classification(label=name, confidence=p)
            for name, p in zip(["car", "bus"], chances, strict=True)
            if p > 0.5
        ]
        logits = np.log(chances) - np.log1p(-np.array(chances))
        sample["kinds"] = fo.Classifications(classifications=labels, logits=logits)
    inputs = form("rank_samples", street, pred_field="kinds", labelled="nothing", budget=3)
    said = inputs["foreseen"]["default"]
    assert said == "The batch: **3 of 4** samples. Predicted: car (2), bus (1)."


def test_behind_patches_the_samples_of_the_dataset_are_ranked(street: Any) -> None:
    patches = street.to_patches("boxes")
    asked = {"pred_field": "boxes", "acquisition": "least_confidence", "labelled": "nothing"}
    inputs = form("rank_samples", street, patches, selected=patches.values("id")[:1], **asked)
    assert "view_target" not in inputs
    said = "The grid shows parts of samples; this would rank the whole dataset"
    assert inputs["parts"]["view"]["label"] == said
    assert inputs["scope"]["default"].startswith("Ranks **4 of 4** samples")
    result = execute("rank_samples", street, view=patches, **asked, no_objects="last", budget=4)
    street.reload()
    assert shown(street, result) == ["b", "c", "a", "d"]


def test_where_predictions_cannot_be_read_others_can_be_chosen(street: Any) -> None:
    import fiftyone as fo

    street.add_sample_field("able", fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification)
    for sample in street.view():
        label = fo.Classification(label="car", probabilities={"car": 0.5})
        sample["able"] = label  # of two classes
        sample.save()
    inputs = form("rank_samples", street, pred_field="able")
    said = inputs["problem"]["view"]["description"]
    assert "able.probabilities must hold a number for each of its 2 classes" in said
    assert "name each of them, also with 0" in said
    assert {"boxes", "kind"} <= {*choices(inputs["pred_field"])}
    assert "problem" not in form("rank_samples", street, pred_field="kind")
