"""Labels that come back from Label Studio, as far as no server is needed."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from labelnext.adapter.batch import Mark, Origin
from labelnext.adapter.protocol import Context
from labelnext_adapters.label_studio import LabelStudioSend
from labelnext_adapters.label_studio.send import labels as module
from labelnext_adapters.label_studio.server.tasks import Task

_LABELS = '<Label value="car"/><Label value="dog"/>'
_BOXES = (
    '<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">'
    f"{_LABELS}</RectangleLabels></View>"
)
_PARSED = {
    "label": {
        "type": "RectangleLabels",
        "to_name": ["image"],
        "inputs": [{"type": "Image", "value": "image"}],
        "labels": ["car", "dog"],
        "labels_attrs": {"car": {"value": "car"}, "dog": {"value": "dog"}},
    }
}


def region(*labels: str) -> dict[str, Any]:
    place = {"x": 0, "y": 0, "width": 50, "height": 100, "rotation": 0}
    return {
        "id": "r",
        "from_name": "label",
        "to_name": "image",
        "type": "rectanglelabels",
        "original_width": 10,
        "original_height": 10,
        "value": {**place, "rectanglelabels": [*labels]},
    }


def test_a_task_with_a_region_of_no_or_several_labels_is_left_out_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = [[["car"]], [[]], [["car", "dog"]], [], [["dog"], []]]
    tasks = [
        labelled(number, [region(*labels) for labels in regions])
        for number, regions in enumerate(said, 1)
    ]
    sent = {str(task.id): type("Sent", (), {"task": task.id}) for task in tasks}
    project = {"id": 1, "title": "t", "label_config": _BOXES, "parsed_label_config": _PARSED}
    monkeypatch.setattr(module, "find_project", lambda client, named: 1)
    monkeypatch.setattr(module, "get_project", lambda client, number: project)
    monkeypatch.setattr(module, "sent_tasks", lambda *given: sent)
    monkeypatch.setattr(module, "labelled_tasks", lambda *given: tasks)
    client: Any = type("Client", (), {"url": "http://localhost"})
    options = LabelStudioSend(project=1)
    found = module.received(client, options, Origin("files", "d", "d"), context=Context())
    assert found.known == {"1": (Mark("car", (0.0, 0.0, 0.5, 1.0), mark_id="r"),), "4": ()}
    assert found.waiting == ("2", "3", "5")
    assert [(notice.code, notice.message) for notice in found.notices] == [
        ("no_single_label", "Left out 3 tasks with regions of no or several labels: 2, 3, 5.")
    ]


def labelled(number: int, result: list[dict[str, Any]]) -> Any:
    annotation = {"id": number, "result": result, "was_cancelled": False}
    task = {"id": number, "annotations": [annotation], "data": {}}
    return msgspec.json.decode(json.dumps(task), type=Task)
