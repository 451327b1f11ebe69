"""A dataset for the App: a pytest plug-in of its own, as fixtures are never imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.integration.app import ROWS


@pytest.fixture
def filled(plugins: Path, dataset: Any) -> Any:
    """Five samples, of which nothing is labelled yet."""
    import fiftyone as fo

    dataset.default_classes = ["no", "yes"]
    fields: list[dict[str, Any]] = [
        {"pred": fo.Classification(label="no", logits=np.log(row))} for row in ROWS
    ]
    dataset.add_samples(
        [
            fo.Sample(f"/images/{n}.png", name=n, **f)
            for n, f in zip("abcde", [*fields, {}], strict=True)
        ],
        progress=False,
    )
    dataset.add_sample_field("truth", fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification)
    return dataset
