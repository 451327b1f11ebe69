"""Wrong labels planted in real projects and datasets come first, in a queue of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import labelnext
from labelnext.errors import ConfigError
from labelnext.runs.undo import undo

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server", "tests.integration.mongod")
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")

CLASSES = ("cat", "dog", "cow")
CHOICES = (
    '<View><Text name="text" value="$text"/><Choices name="kind" toName="text">'
    '<Choice value="cat"/><Choice value="dog"/><Choice value="cow"/></Choices></View>'
)
BOXES = (
    '<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image">'
    '<Label value="car"/><Label value="bus"/></RectangleLabels></View>'
)
WRONG = {3: 2, 7: 0, 11: 1}  # item: the class that somebody said of it by mistake


def predictions(n: int = 16) -> np.ndarray:
    """Mostly sure of class i % 3, more so from item to item."""
    rows = np.full((n, 3), 0.1)
    rows[np.arange(n), np.arange(n) % 3] = 0.8
    rows[:, 0] += 0.001 * np.arange(n)
    return rows / rows.sum(axis=1, keepdims=True)


def said(item: int) -> int:
    return WRONG.get(item, item % 3)


def choice(label: str, **value: Any) -> dict[str, Any]:
    region = {"from_name": "kind", "to_name": "text", "type": "choices"}
    return {**region, "value": {"choices": [label], **value}}


def annotate(server: LabelStudio, task: int, *regions: dict[str, Any]) -> None:
    body = {"result": list(regions), "lead_time": 1.0}
    server.api("POST", f"/api/tasks/{task}/annotations/", body)


@pytest.fixture
def project(label_studio: LabelStudio) -> int:
    """Sixteen tasks with predictions, the first twelve labelled, three of them wrongly."""
    tasks = [
        {
            "data": {"text": f"{i}"},
            "predictions": [
                {"model_version": "m1", "result": [choice(CLASSES[i % 3], probs=row.tolist())]}
            ],
        }
        for i, row in enumerate(predictions())
    ]
    made = label_studio.create_project(CHOICES, tasks)
    for item, task in enumerate(label_studio.task_ids(made)[:12]):
        annotate(label_studio, task, choice(CLASSES[said(item)]))
    return made


@pytest.fixture
def settings(label_studio: LabelStudio, project: int, tmp_path: Path) -> dict[str, Any]:
    return {
        "source": {
            "adapter": "label-studio",
            "url": label_studio.url,
            "api_key": label_studio.token,
            "project": project,
        },
        "selection": {"budget": 3},
        "report": {"path": None},
        "state": str(tmp_path / "state"),
    }


def test_planted_wrong_labels_are_the_review_tab_of_label_studio(
    label_studio: LabelStudio, project: int, settings: dict[str, Any]
) -> None:
    ids = label_studio.task_ids(project)
    labelnext.run(settings)
    queue = label_studio.listing(project)
    tabs = label_studio.tabs(project)
    before = {t: json.loads(d) for t, d in label_studio.stored_data(project).items()}
    report = labelnext.run({**settings, "purpose": "review"})
    assert {*report.ranking.item_ids} == {str(ids[i]) for i in WRONG}
    assert label_studio.listing(project, "Review next") == [*map(int, report.ranking.item_ids)]
    assert label_studio.listing(project) == queue  # what is to be labelled stays as it was
    assert {*queue} == {*ids[12:]}
    data = {t: json.loads(d) for t, d in label_studio.stored_data(project).items()}
    assert all(data[t].get("labelnext_review_priority") for t in ids[:12])
    assert not any("labelnext_review_priority" in data[t] for t in ids[12:])
    assert any("open the first task" in line.lower() for line in report.next_steps)

    undo({**settings, "purpose": "review"})
    after = {t: json.loads(d) for t, d in label_studio.stored_data(project).items()}
    for row in after.values():  # Label Studio removes no single key, so an empty text stays
        assert row.pop("labelnext_review_priority", "") == ""
        assert row.pop("labelnext_review_batch", "") == ""
    assert after == before
    assert label_studio.tabs(project) == tabs


def test_mended_label_leaves_the_review(
    label_studio: LabelStudio, project: int, settings: dict[str, Any]
) -> None:
    first = labelnext.run({**settings, "purpose": "review"}).ranking.item_ids[0]
    (annotation,) = label_studio.api("GET", f"/api/tasks/{first}/annotations/")
    item = label_studio.task_ids(project).index(int(first))
    body = {"result": [choice(CLASSES[item % 3])]}
    label_studio.api("PATCH", f"/api/annotations/{annotation['id']}/", body)
    settings["selection"]["budget"] = 2
    again = labelnext.run({**settings, "purpose": "review"})
    assert first not in again.ranking.item_ids
    assert int(first) not in label_studio.listing(project, "Review next")


def test_task_on_which_people_disagree_is_first(
    label_studio: LabelStudio, project: int, settings: dict[str, Any]
) -> None:
    second = label_studio.second_user()
    ids = label_studio.task_ids(project)
    for item, task in enumerate(ids[:12]):
        annotate(second, task, choice(CLASSES[item % 3]))
    second.close()
    report = labelnext.run({**settings, "purpose": "review"})
    assert report.ranking.acquisition == "active_lab"
    assert {*report.ranking.item_ids} == {str(ids[i]) for i in WRONG}


def test_review_by_uncertainty_sampling_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="queue or batch for label review"):
        labelnext.run({**settings, "purpose": "review", "write": {"mode": "uncertainty"}})


def box(label: str, x: float, **more: Any) -> dict[str, Any]:
    value = {"x": x, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": [label]}
    region = {"from_name": "box", "to_name": "image", "type": "rectanglelabels"}
    return {**region, "value": value, **more}


def test_planted_wrong_boxes_are_the_review_tab_of_label_studio(
    label_studio: LabelStudio, settings: dict[str, Any]
) -> None:
    sure = [box("car", 10, score=0.98), box("bus", 60, score=0.97)]
    task = {"data": {"image": "http://localhost/a.jpg"}}
    tasks = [{**task, "predictions": [{"model_version": "m1", "result": sure}]}] * 8
    made = label_studio.create_project(BOXES, tasks)
    ids = label_studio.task_ids(made)
    overlooked, swapped = ids[2], ids[5]
    for each in ids:
        drawn = [box("car", 10), box("car" if each == swapped else "bus", 60)]
        annotate(label_studio, each, *drawn[: 1 if each == overlooked else 2])
    settings["source"]["project"] = made
    settings["selection"]["budget"] = 2
    labelnext.run({**settings, "purpose": "review"})
    assert {*label_studio.listing(made, "Review next")} == {overlooked, swapped}


def test_planted_wrong_labels_are_a_view_of_fiftyone(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    dataset.default_classes = [*CLASSES]
    dataset.add_samples(
        [
            fo.Sample(
                f"/images/{i}.png",
                name=f"{i}",
                pred=fo.Classification(label=CLASSES[i % 3], logits=np.log(row)),
                truth=fo.Classification(label=CLASSES[said(i)]) if i < 12 else None,
            )
            for i, row in enumerate(predictions())
        ],
        progress=False,
    )
    config = {
        "source": {
            "adapter": "fiftyone",
            "dataset": dataset.name,
            "pred_field": "pred",
            "gt_field": "truth",
        },
        "selection": {"budget": 3},
        "report": {"path": None},
        "state": str(tmp_path / "state"),
    }
    labelnext.run(config)
    labelnext.run({**config, "purpose": "review"})
    dataset.reload()
    view = dataset.load_saved_view("labelnext_review-batch")
    assert {*view.values("name")} == {str(i) for i in WRONG}
    assert dataset.load_saved_view("labelnext_review-all").count() == 12
    assert {*dataset.load_saved_view("labelnext-all").values("name")} == {"12", "13", "14", "15"}
    undo({**config, "purpose": "review"})
    dataset.reload()
    assert not dataset.has_sample_field("labelnext_review")
    assert dataset.has_sample_field("labelnext")
