"""A field is judged by what all its samples hold, wherever the first with a confidence is."""

from __future__ import annotations

from typing import Any

import pytest

from labelnext.adapter import open_adapter
from labelnext_adapters.fiftyone.app.choices import Choice, prediction_choices, preview
from labelnext_adapters.fiftyone.options import FiftyOneSource
from tests.integration.test_fiftyone_read import add, box, boxes

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
