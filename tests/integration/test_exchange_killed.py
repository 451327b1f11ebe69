"""A sending or a fetch that dies at any of its writes can be finished or taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import labelnext
from labelnext.config import load_config
from tests.fuzz.campaign import Campaign
from tests.integration.dying import ACTIONS, Mortal

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


def mortal_of(config: Path, act: Callable[[Path], Any]) -> Mortal:
    """A sending or a fetch, with all that it changes in both places."""
    from tests.integration.killed_runs import forget, projects, sent, state

    settings = load_config(config)
    # The newest may be that of an earlier sending; those before it are other tests'.
    others = {project["id"] for project in projects(settings)[:-1]}
    name = str(settings.source_options.dataset)  # type: ignore[attr-defined]  # of FiftyOne

    def dump() -> Any:
        return {"dataset": state(name), "sent": sent(settings, others)}

    return Mortal(config, act, dump, dump, forget)


def test_a_death_at_any_write_of_a_sending_is_settled_by_resume_and_undo(
    exchanged: Path, campaign: Campaign
) -> None:
    mortal = mortal_of(exchanged, labelnext.send)
    points = mortal.points(["run"], "server") + mortal.points(["run"], "database")
    # A project, its setup, two images, two tasks, their predictions, a tab.
    assert len(points) >= 5
    campaign.each(points, 6, mortal.trial)


def test_a_death_in_the_undo_or_resume_of_a_sending_is_settled_by_the_next(
    exchanged: Path, campaign: Campaign
) -> None:
    mortal = mortal_of(exchanged, labelnext.send)
    campaign.each(mortal.points(ACTIONS), 3, mortal.trial)


@pytest.mark.parametrize(
    ("actions", "quick"), [(["run"], 4), (["undo", "resume"], 3)], ids=["fetch", "back"]
)
def test_a_death_at_any_write_of_a_fetch_is_settled_by_resume_and_undo(
    label_studio: LabelStudio,
    dataset: Any,
    exchanged: Path,
    campaign: Campaign,
    actions: list[str],
    quick: int,
) -> None:
    labelnext.send(exchanged)
    found = label_studio.api("GET", "/api/projects/", page_size=1000)["results"]
    (project,) = [p["id"] for p in found if str(dataset._doc.id) in (p["description"] or "")]
    page = label_studio.api("GET", "/api/tasks", project=project, fields="all", page_size=100)
    for task in page["tasks"]:
        value = {"choices": ["dog"]}
        region = {"from_name": "label", "to_name": "image", "type": "choices", "value": value}
        label_studio.api("POST", f"/api/tasks/{task['id']}/annotations/", {"result": [region]})
    mortal = mortal_of(exchanged, labelnext.fetch)
    points = mortal.points(actions, "database")
    assert len(points) >= 2  # the schema, and the values
    campaign.each(points, quick, mortal.trial)
