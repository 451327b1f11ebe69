"""A run, an undo or a resume on FiftyOne that dies at any of its writes can be settled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import labelnext
from tests.fuzz.campaign import Campaign
from tests.integration.dying import ACTIONS, Mortal
from tests.integration.killing import killed

pytest_plugins = ("tests.integration.mongod",)

CONFIDENCES: tuple[list[float], ...] = ([0.9, 0.1], [0.6], [], [0.5, 0.5])


def ranked_boxes(dataset: Any, folder: Path, *, frames: bool) -> Path:
    """A configuration whose run takes all five steps: register, scores, objects, index, views."""
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
    config = folder / "labelnext.yaml"
    source = {"adapter": "fiftyone", "dataset": dataset.name, "pred_field": "pred"}
    settings = {
        "source": {**source, "frames": frames},
        "acquisition": {"name": "mean_object_confidence", "of": "objects"},
        "selection": {"budget": 2},
        "write": {"objects": True, "prelabels": not frames},
        "report": {"path": None},
    }
    config.write_text(yaml.safe_dump(settings), "utf-8")
    return config


def mortal_run(dataset: Any, folder: Path, *, frames: bool) -> Mortal:
    """A run that can die, and what is stored afterwards."""
    from tests.integration.killed_runs import forget, state

    def dump() -> Any:
        return state(dataset.name)

    config = ranked_boxes(dataset, folder, frames=frames)
    return Mortal(config, labelnext.run, dump, dump, forget)


@pytest.mark.parametrize("frames", [False, True], ids=["samples", "frames"])
def test_a_death_at_any_write_is_settled_by_resume_and_undo(
    dataset: Any, tmp_path: Path, campaign: Campaign, frames: bool
) -> None:
    mortal = mortal_run(dataset, tmp_path, frames=frames)
    points = mortal.points(["run"], "database")
    assert len(points) > (10 if frames else 20)
    campaign.each(points, 8, mortal.trial)


@pytest.mark.parametrize("frames", [False, True], ids=["samples", "frames"])
def test_a_death_in_an_undo_or_a_resume_is_settled_by_the_next(
    dataset: Any, tmp_path: Path, campaign: Campaign, frames: bool
) -> None:
    mortal = mortal_run(dataset, tmp_path, frames=frames)
    campaign.each([*mortal.points(ACTIONS), *mortal.full_disks()], 8, mortal.trial)


def test_sigkill_leaves_what_a_death_in_the_process_leaves(dataset: Any, tmp_path: Path) -> None:
    deaths = killed(ranked_boxes(dataset, tmp_path, frames=False), every=15)
    assert sum(d["touched"] for d in deaths) >= 1
