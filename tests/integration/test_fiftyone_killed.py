"""A run, a sending or a fetch that is killed at any of its writes can be finished or taken back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import labelnext

if TYPE_CHECKING:  # pytest itself imports the plugins, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.mongod", "tests.integration.label_studio_server")

# label-studio-sdk 2.1 exchanges a Personal Access Token by a call that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")

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


def killed(config: Path, what: str, every: int = 1) -> list[dict[str, Any]]:
    """What was seen at each death; all of them were settled by resume, and by undo."""
    command = [sys.executable, "-m", "tests.integration.killed_runs", str(config), what, str(every)]
    answer = subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=500)
    assert answer.returncode == 0, answer.stderr[-2000:]
    *deaths, end = [json.loads(line) for line in answer.stdout.splitlines() if line[:1] == "{"]
    assert end == {"end": True}
    assert [d for d in deaths if not (d["resume"] and d["then undo"] and d["undo"])] == []
    return deaths


@pytest.fixture
def exchanged(label_studio: LabelStudio, dataset: Any, tmp_path: Path) -> Path:
    """The configuration of three ranked pictures, of which the first two are to be sent."""
    import fiftyone as fo
    from PIL import Image

    dataset.default_classes = ["cat", "dog"]
    samples = []
    for name, sure in (("a", 0.9), ("b", 0.6), ("c", 0.7)):
        path = tmp_path / f"{name}.png"
        Image.new("RGB", (8, 8)).save(path)
        pred = fo.Classification(label="cat", confidence=sure)
        samples.append(fo.Sample(str(path), name=name, pred=pred))
    dataset.add_samples(samples, progress=False)
    config = tmp_path / "labelnext.yaml"
    settings = {
        "source": {"adapter": "fiftyone", "dataset": dataset.name, "pred_field": "pred"},
        "selection": {"budget": 2},
        "send": {"url": label_studio.url, "api_key": label_studio.token},
        "report": {"path": None},
    }
    config.write_text(yaml.safe_dump(settings), "utf-8")
    labelnext.run(config)
    return config


def test_sigkill_at_any_write_leaves_a_sending_that_resume_and_undo_settle(exchanged: Path) -> None:
    deaths = killed(exchanged, "send")
    # A project, its setup, two images, two tasks, their predictions, a tab.
    assert sum(d["touched"] for d in deaths) >= 5


def test_sigkill_at_any_write_leaves_a_fetch_that_resume_and_undo_settle(
    label_studio: LabelStudio, dataset: Any, exchanged: Path
) -> None:
    labelnext.send(exchanged)
    found = label_studio.api("GET", "/api/projects/", page_size=1000)["results"]
    (project,) = [p["id"] for p in found if str(dataset._doc.id) in (p["description"] or "")]
    page = label_studio.api("GET", "/api/tasks", project=project, fields="all", page_size=100)
    for task in page["tasks"]:
        value = {"choices": ["dog"]}
        region = {"from_name": "label", "to_name": "image", "type": "choices", "value": value}
        label_studio.api("POST", f"/api/tasks/{task['id']}/annotations/", {"result": [region]})
    deaths = killed(exchanged, "fetch")
    assert sum(d["touched"] for d in deaths) >= 2  # the schema, and the values
