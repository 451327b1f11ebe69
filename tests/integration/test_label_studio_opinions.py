"""`write.overlap: disagreement` on a real server: a third person gets what two disagree on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import labelnext
from labelnext.runs.undo import undo
from tests.integration.choices import CHOICES, choice_task

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)


def say(server: LabelStudio, task: int, choice: str) -> None:
    value = {"choices": [choice]}
    region = {"from_name": "kind", "to_name": "text", "type": "choices", "value": value}
    server.api("POST", f"/api/tasks/{task}/annotations/", {"result": [region]})


def test_one_more_person_gets_the_task_on_which_two_disagree(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    rows = [choice_task(p, name=f"item-{i}") for i, p in enumerate((0.9, 0.6, 0.7))]
    project = label_studio.create_project(CHOICES, rows, maximum_annotations=2)
    disputed, agreed, fresh = label_studio.task_ids(project)
    second, third = label_studio.second_user(), label_studio.second_user()
    for server, choice in ((label_studio, "good"), (second, "bad")):
        say(server, disputed, choice)
        say(server, agreed, "good")
    config = tmp_path / "labelnext.yaml"
    config.write_text(
        f"source: {{adapter: label-studio, url: '{label_studio.url}', project: {project}, "
        f"api_key: '{label_studio.token}', key: name, labels: latest}}\nreport: {{path: null}}\n"
        "write: {overlap: disagreement}\n"
    )

    def state(task: int) -> tuple[int, bool]:
        row = label_studio.api("GET", f"/api/tasks/{task}/")
        return row["overlap"], row["is_labeled"]

    data = label_studio.stored_data(project)[disputed]
    report = labelnext.run(config)
    (named,) = [n for n in report.notices if n.code == "undecided"]
    assert named.item_ids == ("item-0",)
    assert [state(t) for t in (disputed, agreed, fresh)] == [(3, False), (2, True), (2, False)]
    assert label_studio.stored_data(project)[disputed] == data
    labelnext.run(config)  # it is asked for already, and is in the queue
    assert state(disputed) == (3, False)
    assert disputed in label_studio.listing(project)
    assert third.next_task(project) in (disputed, fresh)
    undo(config)
    undo(config)
    assert [state(t) for t in (disputed, agreed, fresh)] == [(2, True), (2, True), (2, False)]
    for server in (second, third):
        server.close()


def test_a_project_that_wants_one_annotation_of_each_task_is_left_alone(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    # With a task that needs several, the server would set a higher number on that task alone.
    rows = [choice_task(p, name=f"item-{i}") for i, p in enumerate((0.9, 0.6))]
    project = label_studio.create_project(CHOICES, rows)
    disputed, fresh = label_studio.task_ids(project)
    second = label_studio.second_user()
    say(label_studio, disputed, "good")
    say(second, disputed, "bad")
    second.close()
    config = tmp_path / "labelnext.yaml"
    config.write_text(
        f"source: {{adapter: label-studio, url: '{label_studio.url}', project: {project}, "
        f"api_key: '{label_studio.token}', key: name, labels: latest}}\nreport: {{path: null}}\n"
        "write: {overlap: disagreement}\n"
    )
    report = labelnext.run(config)
    assert any("requires one annotation per task" in line for line in report.next_steps)
    label_studio.api("PATCH", f"/api/projects/{project}/", {"maximum_annotations": 3})
    rows = [label_studio.api("GET", f"/api/tasks/{task}/") for task in (disputed, fresh)]
    assert [row["overlap"] for row in rows] == [3, 3]
