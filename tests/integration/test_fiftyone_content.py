"""A field is judged by what all its samples hold; further fields are metadata."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput, NotFound
from labelnext.ranking import rank
from labelnext_adapters.fiftyone.app.choices import Choice, looked_at, prediction_choices, preview
from labelnext_adapters.fiftyone.options import FiftyOneSource
from tests.integration.test_fiftyone_read import add, box, boxes, logits, read

pytest_plugins = ("tests.integration.mongod",)


def keypoints(*confidences: float) -> Any:
    import fiftyone as fo

    point = fo.Keypoint(label="a", points=[(0.5, 0.5)] * 2, confidence=list(confidences) or None)
    return fo.Keypoints(keypoints=[point])


def regression(confidence: float | None) -> Any:
    import fiftyone as fo

    return fo.Regression(value=1.0, confidence=confidence)


def classifications(**whole: Any) -> Any:
    import fiftyone as fo

    return fo.Classifications(classifications=[fo.Classification(label="a")], **whole)


CASES = [
    (lambda: boxes(), lambda: boxes(box(confidence=None), box()), "Detections", "confidence"),
    (lambda: boxes(box(confidence=None)), lambda: boxes(box()), "Detections", "confidence"),
    (lambda: keypoints(), lambda: keypoints(float("nan"), 0.5), "Keypoints", "confidence"),
    (classifications, lambda: classifications(logits=[0.0, 1.0]), "Classifications", "logits"),
]


@pytest.mark.parametrize(("first", "last", "kind", "part"), CASES)
def test_a_field_is_offered_for_its_last_sample(
    dataset: Any, first: Any, last: Any, kind: str, part: str
) -> None:
    add(dataset, *({"pred": first()} for _ in range(120)), classes=["a", "car"])
    adapter = open_adapter("fiftyone", dataset=dataset.name, pred_field="pred")
    assert prediction_choices(dataset) == []
    told = "pred holds no confidence, logits or probabilities."
    assert told in [finding.message for finding in adapter.check()]
    add(dataset, {"pred": last()})
    assert prediction_choices(dataset) == [Choice("pred", kind)]
    assert f"pred holds {part}." in [finding.message for finding in adapter.check()]
    source = FiftyOneSource(dataset=dataset.name, pred_field="pred")
    assert len(preview(dataset, source)) == 1


def test_a_regression_is_offered_for_its_last_confidence(dataset: Any) -> None:
    add(dataset, {"age": regression(None)}, {"age": regression(0.5)})
    assert prediction_choices(dataset) == [Choice("age", "a confidence beside a number")]


def test_a_number_field_is_judged_by_its_last_number(dataset: Any) -> None:
    add(dataset, *({"size": 0.5} for _ in range(120)), classes=["a"])
    assert prediction_choices(dataset) == [Choice("size", "a number in [0, 1]")]
    add(dataset, {"size": 7.0})
    assert prediction_choices(dataset) == []


def test_a_field_of_frames_is_offered_for_its_last_video(dataset: Any) -> None:
    import fiftyone as fo

    def video(name: str, confidence: float | None) -> Any:
        sample = fo.Sample(f"/videos/{name}.mp4")
        found = [] if confidence is None else [box(confidence=confidence)]
        sample.frames[1] = fo.Frame(pred=fo.Detections(detections=found))
        return sample

    known = set(fo.list_datasets())
    dataset.add_samples([video(str(i), None) for i in range(8)], progress=False)
    source = FiftyOneSource(dataset=dataset.name, pred_field="pred", frames=True)
    with looked_at(dataset, source) as frames:
        assert prediction_choices(frames) == []
    dataset.add_samples([video("last", 0.5)], progress=False)
    with looked_at(dataset, source) as frames:
        assert prediction_choices(frames) == [Choice("pred", "Detections")]
    adapter = open_adapter("fiftyone", dataset=dataset.name, pred_field="pred", frames=True)
    assert "pred holds confidence." in [finding.message for finding in adapter.check()]
    assert set(fo.list_datasets()) == known, "copies of frames are gone again"


def test_a_field_of_a_slice_is_judged_by_that_slice(dataset: Any) -> None:
    import fiftyone as fo

    dataset.add_group_field("group", default="left")
    for confidence in (None, 0.5):
        group = fo.Group()
        found = fo.Detections(detections=[box(confidence=confidence)])
        sides = {"left": fo.Detections(), "right": found}
        dataset.add_samples(
            [
                fo.Sample(f"/{confidence}{side}.png", group=group.element(side), pred=pred)
                for side, pred in sides.items()
            ],
            progress=False,
        )
    for side, offered in (("left", []), ("right", [Choice("pred", "Detections")])):
        with looked_at(dataset, FiftyOneSource(dataset=dataset, slice=side)) as samples:
            assert prediction_choices(samples) == offered


def test_fields_of_samples_are_read_as_metadata(dataset: Any) -> None:
    some = {"pred": logits(0.5, 0.5), "city": "Oslo", "night": True, "speed": 1.5, "tags": ["x"]}
    add(dataset, some, {"pred": logits(0.9, 0.1, label="b"), "speed": 2.0}, classes=["a", "b"])
    names = ["city", "night", "speed", "pred.label", "tags"]
    pool = read(dataset, pred_field="pred", metadata=names)
    assert {name: column.tolist() for name, column in (pool.metadata or {}).items()} == {
        "city": ["Oslo", ""],
        "night": ["true", ""],
        "speed": ["1.5", "2"],
        "pred.label": ["a", "b"],
        "tags": ['["x"]', "[]"],
    }
    alike = rank(pool, None, similar_to={"tags": "x"})  # the first, which is like itself
    assert alike.scores[0] == pytest.approx(1)
    assert alike.item_ids[0] == pool.item_ids[0]
    with pytest.raises(NotFound, match=r"source.metadata must be a field of .*city.*; got 'town'"):
        read(dataset, pred_field="pred", metadata=["town"])
    with pytest.raises(InvalidInput, match=r"source.metadata must be fields of .*; got 'pred'"):
        read(dataset, pred_field="pred", metadata=["pred"])


def test_classes_that_nothing_names_are_numbered_and_the_notices_say_so(dataset: Any) -> None:
    import fiftyone as fo

    listed = [fo.Classification(label="cat")]
    guess = fo.Classifications(classifications=listed, logits=np.array([0.5, -1.0]))
    add(dataset, {"pred": guess}, classes=[])
    pool = open_adapter("fiftyone", dataset=dataset.name, pred_field="pred").read()
    assert pool.classes == ("class 0", "class 1")
    said = {notice.code: notice.message for notice in pool.notices}
    assert said["derived_classes"].startswith(
        "the dataset declares no classes, so its 2 classes are numbered; set dataset.classes"
    )
    assert said["unknown_class"] == (
        "1 item has labels that belong to no column of the vectors, as the dataset declares no "
        "classes: cat."
    )
