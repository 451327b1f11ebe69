"""Labels that stand in each task's data, on a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labelnext.ranking import rank
from tests.integration.label_studio_tasks import text_task

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)

TEXT = '<Text name="text" value="$text"/>'
DYNAMIC = f'<View>{TEXT}<Choices name="quality" toName="text" value="$options"/></View>'


def region(label: str, score: float | None = None) -> dict[str, Any]:
    place = {"from_name": "quality", "to_name": "text", "type": "choices"}
    return {**place, "value": {"choices": [label]}, "score": score}


def dynamic(label: str, score: float) -> dict[str, Any]:
    made = text_task([region(label, score)])
    made["data"]["options"] = [{"value": name} for name in ("bird", "cat", "dog", "eel")]
    return made


def test_labels_from_the_tasks_are_those_that_occur(
    label_studio: LabelStudio, connect: Open
) -> None:
    tasks = [dynamic("dog", 0.97), dynamic("cat", 0.34), dynamic("dog", 0.6), dynamic("cat", 0.9)]
    project = label_studio.create_project(DYNAMIC, tasks)
    sure, unsure, middling, labelled = label_studio.task_ids(project)
    label = {"result": [region("bird")], "lead_time": 1.0}
    label_studio.api("POST", f"/api/tasks/{labelled}/annotations/", label)
    adapter = connect(project)
    pool = adapter.read()
    assert pool.classes == ("bird", "cat", "dog")
    assert [int(i) for i in rank(pool).item_ids] == [unsure, middling, sure]
    assert "The classes come from the data: bird, cat, dog." in [n.message for n in pool.notices]
    assert all(finding.level == "ok" for finding in adapter.check() if "read" in finding.message)
    assert [record.label for record in adapter.label_records().records] == ["bird"]
    later = {"task": sure, "model_version": "m2", "score": 0.2, "result": [region("eel", 0.2)]}
    label_studio.api("POST", "/api/predictions/", later)
    assert connect(project).read().classes == ("bird", "cat", "dog", "eel")
