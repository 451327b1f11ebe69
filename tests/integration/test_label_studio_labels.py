"""Label Studio, on a real server: what people said of tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from labelnext.errors import InvalidInput
from tests.integration.test_label_studio_tags import SHAPES, TEXT, predicted

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)

CHOICES = TEXT + '<Choices name="x" toName="o"><Choice value="a"/><Choice value="b"/></Choices>'


def annotate(label_studio: LabelStudio, task: int, label: str, **more: Any) -> None:
    region = {"from_name": "x", "to_name": "o", "type": "choices", "value": {"choices": [label]}}
    body = {"result": [region], "lead_time": 1.0, **more}
    label_studio.api("POST", f"/api/tasks/{task}/annotations/", body)


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("latest", [0, 1, 0, -1, -1, -1]),
        ("majority", [1, 1, 0, -1, -1, -1]),
        ("ground_truth", [-1, 1, -1, -1, -1, -1]),
    ],
)
def test_labels_are_read_from_annotations(
    label_studio: LabelStudio, connect: Open, which: str, expected: list[int]
) -> None:
    tasks = [{"data": {"o": str(i)}} for i in range(6)]
    project = label_studio.create_project(f"<View>{CHOICES}</View>", tasks, maximum_annotations=3)
    one, two, three, skipped, drafted, _ = label_studio.task_ids(project)
    for label in "bba":  # twice b, at last a
        annotate(label_studio, one, label)
    annotate(label_studio, two, "b", ground_truth=True)
    for label in "ba":  # a tie: the latest counts
        annotate(label_studio, three, label)
    annotate(label_studio, skipped, "a", was_cancelled=True)
    label_studio.api("POST", f"/api/tasks/{drafted}/drafts", {"result": [], "lead_time": 1.0})
    pool = connect(project, labels=which).read()
    assert pool.labelled.tolist() == [True, True, True, False, False, False]
    assert pool.labels is not None
    assert pool.labels.tolist() == expected


def test_boxes_of_people_are_the_truth(label_studio: LabelStudio, connect: Open) -> None:
    config, region, _, box = SHAPES["RectangleLabels"]
    tasks = [{"data": {"o": str(i)}} for i in range(2)]
    project = label_studio.create_project(f"<View>{config}</View>", tasks)
    _, second = label_studio.task_ids(project)
    body = {"result": [region, region], "lead_time": 1.0}
    label_studio.api("POST", f"/api/tasks/{second}/annotations/", body)
    pool = connect(project).read()
    assert pool.labels is None
    assert pool.truth is not None
    assert pool.truth.counts.tolist() == [0, 2]
    assert pool.truth.confidences.tolist() == [1, 1]
    np.testing.assert_allclose(pool.truth.boxes, [box, box], atol=1e-12)
    with pytest.raises(InvalidInput, match="labels must be latest or ground_truth"):
        connect(project, labels="majority").read()
    assert connect(project, labels=None).read().truth is None


def test_predictions_older_than_the_labels_are_said(
    label_studio: LabelStudio, connect: Open
) -> None:
    region = {"from_name": "x", "to_name": "o", "type": "choices", "value": {"choices": ["a"]}}
    tasks = [{"data": {"o": "x"}, "predictions": [predicted({**region, "score": 0.75})]}]
    project = label_studio.create_project(f"<View>{CHOICES}</View>", tasks)
    (task,) = label_studio.task_ids(project)
    assert connect(project).read().notices == ()
    annotate(label_studio, task, "a")
    (notice,) = connect(project).read().notices
    assert notice.code == "old_predictions"
    assert "predictions of m1 are older" in notice.message


def test_accepted_predictions_are_counted(label_studio: LabelStudio, connect: Open) -> None:
    region = {"from_name": "x", "to_name": "o", "type": "choices", "value": {"choices": ["a"]}}
    tasks = [{"data": {"o": "x"}, "predictions": [predicted({**region, "score": 0.75})]}] * 2
    project = label_studio.create_project(f"<View>{CHOICES}</View>", tasks)
    rows = label_studio.api("GET", "/api/predictions/", project=project)
    first, second = sorted(rows, key=lambda row: row["task"])
    for row, result in ((first, first["result"]), (second, [region])):
        body = {"result": result, "parent_prediction": row["id"], "lead_time": 1.0}
        label_studio.api("POST", f"/api/tasks/{row['task']}/annotations/", body)
    notices = {n.code: n.item_ids for n in connect(project).read().notices}
    assert notices["accepted_predictions"] == (str(first["task"]),)


def test_annotations_of_an_earlier_setup_are_counted(
    label_studio: LabelStudio, connect: Open
) -> None:
    project = label_studio.create_project(f"<View>{CHOICES}</View>", [{"data": {"o": "x"}}])
    (task,) = label_studio.task_ids(project)
    annotate(label_studio, task, "gone")
    pool = connect(project).read()
    assert pool.labels is not None
    assert (pool.labelled.tolist(), pool.labels.tolist()) == ([True], [-1])
    assert "broken_labels" in [n.code for n in pool.notices]
