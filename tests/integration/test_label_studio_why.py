"""A second ranking, and the reasons beside it: what is written, what stays, and the way back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from labelnext import run
from labelnext.errors import ConfigError
from labelnext.runs.check import check
from labelnext.runs.undo import runs, undo
from tests.integration.test_label_studio import CHOICES, choice_task, sure_to_unsure

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)

CLOSE = "The model can hardly tell good (45%) from bad (40%)."
LEANS = "The model leans to good (60%), but it may be bad (30%)."


def settings(server: LabelStudio, project: int, folder: Path, **write: Any) -> dict[str, Any]:
    source = {"adapter": "label-studio", "url": server.url, "api_key": server.token}
    return {
        "source": {**source, "project": project},
        "acquisition": {"name": "margin"},
        "selection": {"budget": 2},
        "write": write,
        "state": str(folder),
        "report": {"path": None},
    }


def told(server: LabelStudio, project: int, key: str = "labelnext_why") -> dict[int, Any]:
    rows = {t: json.loads(d) for t, d in server.stored_data(project).items()}
    return {t: d[key] for t, d in rows.items() if key in d}


def three(server: LabelStudio) -> tuple[int, list[int]]:
    tasks = [
        choice_task("sure", [0.9, 0.05, 0.05]),
        choice_task("leans", [0.6, 0.3, 0.1]),
        choice_task("close", [0.45, 0.4, 0.15]),
    ]
    project = server.create_project(CHOICES, tasks)
    return project, server.task_ids(project)


@pytest.mark.parametrize("mode", ["queue", "batch"])
def test_reasons_are_written_shown_moved_and_taken_back(
    label_studio: LabelStudio, tmp_path: Path, mode: str
) -> None:
    project, (sure, leans, close) = three(label_studio)
    config = settings(label_studio, project, tmp_path, why=True, mode=mode)
    report = run(config)
    assert told(label_studio, project) == {leans: LEANS, close: CLOSE}
    assert "set labelnext_why on 2 tasks" in report.steps[0]
    assert "labelnext_batch and labelnext_why stay" in report.stays[0]
    hidden = label_studio.tab(project)["data"]["hiddenColumns"]["explore"]
    assert "tasks:data.labelnext_why" not in hidden
    assert "tasks:data.labelnext_batch" in hidden

    label_studio.annotate(close)
    sent: list[dict[str, Any]] = []
    second = run(config, adapter=listening(config, sent))
    # The labelled task keeps its text; the one that stays in the batch is not written again.
    assert told(label_studio, project) == {
        leans: LEANS,
        close: CLOSE,
        sure: "The model says good (90%).",
    }
    written = {(body["value_name"], *body["selectedItems"]["included"]) for body in sent}
    assert written == {("labelnext_batch", sure), ("labelnext_why", sure)}

    label_studio.api("PATCH", f"/api/tasks/{sure}/", {"data": {"text": "x", "labelnext_why": "!"}})
    _, stayed = undo(config, run_id=second.run_id)
    assert any("Kept labelnext_why on 1 task" in line and str(sure) in line for line in stayed)
    assert told(label_studio, project)[sure] == "!"
    undo(config, run_id=report.run_id)
    assert {task: text for task, text in told(label_studio, project).items() if text} == {sure: "!"}


def listening(config: dict[str, Any], sent: list[dict[str, Any]]) -> Any:
    from labelnext.adapter import open_adapter

    source = {name: value for name, value in config["source"].items() if name != "adapter"}
    adapter: Any = open_adapter("label-studio", write=config["write"], **source)

    def hear(request: Any) -> None:
        if "add_data_field" in str(request.url):
            sent.append(json.loads(request.content))

    adapter.client._http.event_hooks["request"].append(hear)
    return adapter


def test_reasons_go_when_they_are_switched_off(label_studio: LabelStudio, tmp_path: Path) -> None:
    project, (_, leans, close) = three(label_studio)
    run(settings(label_studio, project, tmp_path, why=True))
    report = run(settings(label_studio, project, tmp_path))
    assert told(label_studio, project) == {leans: "", close: ""}
    undo(settings(label_studio, project, tmp_path), run_id=report.run_id)
    assert told(label_studio, project) == {leans: LEANS, close: CLOSE}


def test_reasons_of_a_review_have_a_key_of_their_own(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    project, (sure, leans, _) = three(label_studio)
    for task, said in ((sure, "bad"), (leans, "good")):
        value = {"choices": [said]}
        region = {"from_name": "kind", "to_name": "text", "type": "choices", "value": value}
        label_studio.api("POST", f"/api/tasks/{task}/annotations/", {"result": [region]})
    config = settings(label_studio, project, tmp_path, why=True)
    run({**config, "purpose": "review"})
    assert told(label_studio, project, "labelnext_review_why") == {
        sure: "The label says bad. The model says good (90%).",
        leans: f"The label says good. {LEANS}",
    }
    assert told(label_studio, project) == {}


def test_check_says_that_reasons_are_written(label_studio: LabelStudio, tmp_path: Path) -> None:
    project, _ = three(label_studio)
    said = [f.message for f in check(settings(label_studio, project, tmp_path, why=True)).findings]
    assert "write.why is on: tasks of the batch get a reason under labelnext_why." in said
    off = [f.message for f in check(settings(label_studio, project, tmp_path)).findings]
    assert not any("write.why" in message for message in off)
    with pytest.raises(ConfigError, match=r"write\.why must be left out with mode uncertainty"):
        run(settings(label_studio, project, tmp_path, why=True, mode="uncertainty"))


def test_a_ranking_after_labels_writes_only_what_moved(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(8))
    ids = label_studio.task_ids(project)
    config = settings(label_studio, project, tmp_path)
    run(config)
    first = label_studio.priorities(project)
    for task in ids[-3:]:
        label_studio.annotate(task)
    before = label_studio.dump(project)
    sent: list[dict[str, Any]] = []
    report = run(config, adapter=listening(config, sent))
    assert label_studio.priorities(project) == first
    assert [body["value_name"] for body in sent] == ["labelnext_batch"] * 2  # a trial, and the rest
    assert report.steps[0].startswith("Keep labelnext_priority on 5 tasks, and set labelnext_batch")
    assert label_studio.listing(project) == ids[4::-1]
    assert label_studio.next_task(project) == ids[4]
    undo(config, run_id=report.run_id)
    emptied = json.dumps(label_studio.dump(project)).replace('"labelnext_batch": "", ', "")
    assert emptied.count("labelnext_batch") >= 3
    assert label_studio.priorities(project) == first
    assert json.dumps(before).count('"labelnext_priority"') == emptied.count('"labelnext_priority"')

    # The least doubtful task becomes the most doubtful: it alone gets another priority.
    prediction = choice_task("now close", [0.4, 0.39, 0.21])["predictions"][0]
    label_studio.api("POST", "/api/predictions/", {**prediction, "task": ids[0]})
    run(config)
    after = label_studio.priorities(project)
    assert {task for task in ids if after[task] != first[task]} == {ids[0]}
    assert label_studio.listing(project) == [ids[0], *ids[4:0:-1]]


def test_an_undo_in_a_deleted_project_says_so(label_studio: LabelStudio, tmp_path: Path) -> None:
    project, _ = three(label_studio)
    config = settings(label_studio, project, tmp_path)
    run(config)
    label_studio.api("DELETE", f"/api/projects/{project}/")
    with pytest.raises(ConfigError, match=f"project must be the number .* got {project}") as error:
        undo(config)
    assert "others may be of another organization" in str(error.value.hint)
    assert [journal.status for journal in runs(config)] == ["done"]  # as before


@pytest.mark.parametrize("key", [None, "text"])
def test_a_task_is_explained_by_its_number_or_the_address_of_its_page(
    label_studio: LabelStudio, connect: Open, key: str | None
) -> None:
    tasks = [{**task, "data": {"text": f"t{n}"}} for n, task in enumerate(sure_to_unsure(2))]
    project = label_studio.create_project(CHOICES, tasks)
    first, second = label_studio.task_ids(project)
    adapter = connect(project, key=key)
    adapter.read()
    page = f"{label_studio.url}/projects/{project}/data?tab=3&task={second}"
    item = str(second) if key is None else "t1"
    assert [adapter.item_of(name) for name in (str(second), page)] == [item, item]
    elsewhere = page.replace(f"projects/{project}/", f"projects/{project + 1}/")
    assert adapter.item_of(elsewhere) in (None, elsewhere)  # which no item is called
    assert first != second
