"""Datasets whose batches go to Label Studio; a plugin of pytest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.integration.exchange import ROWS, image


@pytest.fixture
def animals(dataset: Any, tmp_path: Path) -> Any:
    """Four pictures with a Classification each."""
    import fiftyone as fo

    dataset.default_classes = ["cat", "dog"]
    samples = [
        fo.Sample(
            image(tmp_path, name),
            name=name,
            pred=fo.Classification(label="cat", confidence=row[0], logits=np.log(row)),
        )
        for name, row in ROWS.items()
    ]
    dataset.add_samples(samples, progress=False)
    return dataset


@pytest.fixture
def street(dataset: Any, tmp_path: Path) -> Any:
    """Three pictures with boxes; the second has none, and one label is unknown to the classes."""
    import fiftyone as fo

    def box(label: str, *sides: float, confidence: float) -> Any:
        return fo.Detection(label=label, bounding_box=list(sides), confidence=confidence)

    dataset.default_classes = ["car", "bike"]
    boxes = {
        "a": [box("car", 0.1, 0.2, 0.4, 0.2, confidence=0.9)],
        "b": [],
        "c": [
            box("bike", 0.5, 0.5, 0.25, 0.5, confidence=0.5),
            box("cow", 0.0, 0.0, 0.1, 0.1, confidence=0.3),
        ],
    }
    samples = [
        fo.Sample(image(tmp_path, n), name=n, pred=fo.Detections(detections=found))
        for n, found in boxes.items()
    ]
    dataset.add_samples(samples, progress=False)
    dataset.compute_metadata()
    return dataset
