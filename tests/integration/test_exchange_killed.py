"""A sending or a fetch that is killed at any of its writes can be finished or taken back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import labelnext
from tests.integration.killing import killed

if TYPE_CHECKING:  # pytest itself imports the plugins, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.mongod", "tests.integration.label_studio_server")

# label-studio-sdk 2.1 exchanges a Personal Access Token by a call that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")


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
