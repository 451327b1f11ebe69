"""A run that is killed at any of its writes can be finished or taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.killing import killed

pytest_plugins = ("tests.integration.mongod",)

CONFIDENCES: tuple[list[float], ...] = ([0.9, 0.1], [0.6], [], [0.5, 0.5])


@pytest.mark.parametrize("frames", [False, True])
def test_sigkill_at_any_write_leaves_a_run_that_resume_and_undo_settle(
    dataset: Any, tmp_path: Path, frames: bool
) -> None:
    import fiftyone as fo

    def boxes(confidences: list[float]) -> Any:
        return fo.Detections(
            detections=[
                fo.Detection(label="car", confidence=c, bounding_box=[0, 0, 1, 1])
                for c in confidences
            ]
        )

    dataset.default_classes = ["car"]
    if frames:
        sample = fo.Sample("/a.mp4")
        for number, confidences in enumerate(CONFIDENCES, 1):
            sample.frames[number] = fo.Frame(pred=boxes(confidences))
        samples = [sample]
    else:
        samples = [fo.Sample(f"/{i}.png", pred=boxes(c)) for i, c in enumerate(CONFIDENCES)]
    dataset.add_samples(samples, progress=False)
    dataset.save_view("mine", dataset.limit(2))
    config = tmp_path / "labelnext.yaml"
    source = {"adapter": "fiftyone", "dataset": dataset.name, "pred_field": "pred"}
    settings = {
        "source": {**source, "frames": frames},
        "acquisition": {"name": "mean_object_confidence", "of": "objects"},
        "selection": {"budget": 2},
        "write": {"objects": True},
        "report": {"path": None},
    }
    config.write_text(yaml.safe_dump(settings), "utf-8")
    deaths = killed(config, "run", every=6 if frames else 1)
    # The five steps: register, scores, objects, index, views; each is more than one write.
    assert sum(d["touched"] for d in deaths) > (5 if frames else 10)
