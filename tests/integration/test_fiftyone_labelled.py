"""Which samples count as labelled: reading, counting, checking and the App say the same."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from labelnext.adapter import open_adapter
from labelnext_adapters.fiftyone.app.own_views import scope_of
from tests.integration.test_fiftyone_read import add

pytest_plugins = ("tests.integration.mongod",)


def truths() -> dict[str, tuple[list[Any], list[bool]]]:
    """By the kind of field: its values, and whether each is a label."""
    import fiftyone as fo

    box = fo.Detection(label="cat", bounding_box=[0, 0, 1, 1])
    nan, inf = float("nan"), float("inf")
    return {
        "text": (["cat", "", None], [True, False, False]),
        "class": (
            [fo.Classification(label="cat"), fo.Classification(), fo.Classification(label="")],
            [True, False, False],
        ),
        "classes": ([fo.Classifications(), None, None], [True, False, False]),
        "boxes": ([fo.Detections(detections=[box]), fo.Detections(), None], [True, True, False]),
        "box": ([box, None, None], [True, False, False]),
        "number": ([0.0, nan, inf], [True, False, False]),
        "whole number": ([0, 3, None], [True, True, False]),
        "regression": ([fo.Regression(value=1.0), fo.Regression(), None], [True, False, False]),
        "truth": ([True, False, None], [True, True, False]),
        "day": ([date(2026, 1, 1), None, None], [True, False, False]),
        "texts": ([["cat"], [], None], [True, False, False]),
        "vector": ([np.zeros(3), None, None], [True, False, False]),
        "mask": ([fo.Segmentation(mask=np.zeros((2, 2), np.uint8)), None, None],
                 [True, False, False]),
        "document": ([fo.DynamicEmbeddedDocument(by="me"), None, None], [True, False, False]),
    }  # fmt: skip


KINDS = [
    "whole number",
    "text",
    "class",
    "classes",
    "boxes",
    "box",
    "number",
    "regression",
    "truth",
    "day",
    "texts",
    "vector",
    "mask",
    "document",
]


@pytest.mark.parametrize("kind", KINDS)
def test_labelled_samples_are_the_same_wherever_they_are_counted(dataset: Any, kind: str) -> None:
    import fiftyone as fo

    values, labelled = truths()[kind]
    guess = fo.Classification(label="cat", confidence=0.5)
    add(dataset, *({"pred": guess, "said": value} for value in values), classes=["cat", "dog"])
    adapter: Any = open_adapter(
        "fiftyone", dataset=dataset.name, pred_field="pred", gt_field="said"
    )
    assert adapter.read().labelled.tolist() == labelled
    assert adapter.count_labels() == sum(labelled)
    assert scope_of(dataset, dataset, gt_field="said").n_labelled == sum(labelled)
    text = f"{sum(labelled)} sample"
    (finding,) = [f for f in adapter.check() if "labelled in said" in f.message]
    assert finding.message.startswith(text)


def test_texts_are_the_classes_of_samples(dataset: Any) -> None:
    import fiftyone as fo

    guess = fo.Classification(label="cat", confidence=0.5)
    said = ["dog", "cat", "cow", None]
    add(dataset, *({"pred": guess, "said": text} for text in said), classes=["cat", "dog"])
    pool = open_adapter("fiftyone", dataset=dataset.name, pred_field="pred", gt_field="said").read()
    assert pool.labels is not None
    assert pool.labels.tolist() == [1, 0, -1, -1]
    assert pool.labelled.tolist() == [True, True, True, False]
    (unknown,) = [notice for notice in pool.notices if notice.code == "unknown_class"]
    assert "cow" in unknown.message


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("labeled", "No sample has the tag 'labeled': did you mean 'labelled'?"),
        (["labelled", "label"], None),  # what is there is wanted, too
        ("checked", None),  # perhaps nothing is yet
    ],
)
def test_a_mistyped_tag_is_told(dataset: Any, wanted: Any, told: str | None) -> None:
    import fiftyone as fo

    guess = fo.Classification(label="cat", confidence=0.5)
    add(dataset, {"pred": guess, "tags": ["labelled"]}, {"pred": guess}, classes=["cat", "dog"])
    adapter: Any = open_adapter(
        "fiftyone", dataset=dataset.name, pred_field="pred", label_tag=wanted
    )
    expected = [] if told is None else [told]
    assert [n.message for n in adapter.read().notices if n.code == "unknown_tag"] == expected
    assert [f.message for f in adapter.check() if f.message.startswith("No sample")] == expected
