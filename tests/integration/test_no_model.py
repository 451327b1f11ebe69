"""From nothing on real platforms: embeddings of what they show, and a probe on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

import labelnext
from labelnext.adapter import open_adapter
from labelnext.errors import ConfigError
from labelnext.journal import Journal
from labelnext.journal.plan import Plan, Step
from labelnext.pool import Pool
from labelnext.ranking import rank
from labelnext.report import Report
from labelnext.runs.ranked import with_prelabels
from labelnext.runs.undo import undo
from labelnext.testing.base import break_off_everywhere
from labelnext_adapters.fiftyone.app.choices import label_fields, prediction_choices
from labelnext_adapters.label_studio.write.prelabels import PreLabels
from tests.integration.test_fiftyone_read import add

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server", "tests.integration.mongod")

CHOICES = (
    '<View><Text name="text" value="$text"/><Choices name="kind" toName="text">'
    '<Choice value="travel"/><Choice value="sport"/></Choices></View>'
)
WORDS = ("sun sea beach hotel", "goal match team score")


def settings(folder: Path, write: Any = None, **source: Any) -> dict[str, Any]:
    return {
        "source": {"model": "probe", **source},
        "selection": {"budget": 4},
        "write": write or {},
        "report": {"path": None},
        "state": str(folder / "state"),
    }


def ran(folder: Path, write: Any = None, **source: Any) -> Report:
    return labelnext.run(settings(folder, write, **source))


def say(server: LabelStudio, task: int, choice: str) -> None:
    """Label a task."""
    region = {"from_name": "kind", "to_name": "text", "type": "choices"}
    result = [{**region, "value": {"choices": [choice]}}]
    server.api("POST", f"/api/tasks/{task}/annotations/", {"result": result})


def texts(server: LabelStudio, n_labelled: int = 0) -> tuple[dict[str, Any], dict[int, str]]:
    """A project of twelve texts as a source, and the class of each task."""
    tasks = [{"data": {"text": f"{WORDS[i % 2]} {i}"}} for i in range(12)]
    project = server.create_project(CHOICES, tasks)
    source = {"adapter": "label-studio", "url": server.url, "project": project}
    source |= {"api_key": server.token, "embeddings": {"from": "text"}}
    numbers = server.task_ids(project)
    kinds = {task: ["travel", "sport"][place % 2] for place, task in enumerate(numbers)}
    for task in numbers[:n_labelled]:
        say(server, task, kinds[task])
    return source, kinds


def codes(report: Report) -> list[str]:
    return [notice.code for notice in report.notices]


def test_images_of_a_dataset_are_embedded_and_predicted(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    fields: list[dict[str, Any]] = []
    for i in range(12):
        pixels = np.full((8, 8, 3), 15 * i, dtype=np.uint8)
        pixels[..., i % 2] = 250
        path = tmp_path / f"{i}.png"
        Image.fromarray(pixels).save(path)
        label = fo.Classification(label=["red", "green"][i % 2]) if i < 8 else None
        fields.append({"filepath": str(path), "truth": label})
    ids = add(dataset, *fields, classes=["red", "green"])
    (tmp_path / "11.png").write_bytes(b"no image")
    source = {"adapter": "fiftyone", "dataset": dataset.name, "gt_field": "truth"}
    report = ran(tmp_path, **source, embeddings={"from": "images"})
    assert report.counts["predicted"] == 11
    (broken,) = [notice for notice in report.notices if notice.code == "broken_image"]
    assert broken.item_ids == (ids[11],)
    said = {row["item_id"]: row["reason"].split()[0] for row in report.next_items}
    assert said == {ids[8]: "red", ids[9]: "green", ids[10]: "red"}
    schema = {*dataset.get_field_schema()}
    full = settings(tmp_path, {"prelabels": True}, **source, embeddings={"from": "images"})
    report = labelnext.run(full)
    assert report.steps[-1] == "Store the predictions of 3 samples as pre-labels in field " \
        "labelnext_prelabel"  # fmt: skip
    labels = dataset.values("labelnext_prelabel.label")
    assert labels == [None] * 8 + ["red", "green", "red", None]
    assert [choice.name for choice in prediction_choices(dataset)] == []
    assert [*label_fields(dataset)] == ["truth"]
    without = labelnext.run({**full, "write": {}})
    assert without.steps[-1] == "Clear the pre-labels in field labelnext_prelabel"
    assert dataset.count("labelnext_prelabel") == 0
    undo(full)
    assert dataset.values("labelnext_prelabel.label") == labels
    undo(full)
    assert {*dataset.get_field_schema()} == schema


def test_predicted_numbers_become_pre_labels_and_are_taken_back(
    dataset: Any, tmp_path: Path
) -> None:
    import fiftyone as fo

    fields = [
        {"emb": [float(i), 1.0], "age": fo.Regression(value=10.0 * i) if i < 8 else None}
        for i in range(12)
    ]
    add(dataset, *fields)
    source = {"adapter": "fiftyone", "dataset": dataset.name, "gt_field": "age"}
    full = settings(tmp_path, {"prelabels": True}, **source, embeddings="emb")
    labelnext.run(full)
    adapter = open_adapter("fiftyone", dataset=dataset, gt_field="age", embeddings="emb")
    pool = labelnext.probe(adapter.read())
    assert pool.estimates is not None
    assert pool.answer is not None
    said, sure = (dataset.values(f"labelnext_prelabel.{name}") for name in ("value", "confidence"))
    assert said == [None] * 8 + pool.estimates[8:].tolist()
    assert sure == [None] * 8 + pool.answer.confidences[8:].tolist()
    undo(full)
    assert not dataset.has_field("labelnext_prelabel")


def test_texts_of_a_project_start_cold_and_are_predicted(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    source, kinds = texts(label_studio)
    report = ran(tmp_path, **source)
    assert "probe_not_trained" in codes(report)
    assert report.recipe is not None
    assert report.recipe["selection"] == "typiclust"
    assert len(report.ranking) == 4
    for task in [*kinds][:6]:
        say(label_studio, task, kinds[task])
    report = ran(tmp_path, **source)
    assert "probe" in codes(report)
    said = {row["item_id"]: row["reason"].split()[0] for row in report.next_items}
    assert len(said) == 4
    assert said == {item: kinds[int(item)] for item in said}


def shown(server: LabelStudio, project: int) -> dict[int, list[str]]:
    """The predictions that people see: those of the project's model version."""
    version = server.api("GET", f"/api/projects/{project}/")["model_version"]
    rows = server.api("GET", "/api/predictions/", project=project)
    seen = [row for row in rows if version and row["model_version"] == version]
    assert len({row["task"] for row in seen}) == len(seen)
    return {row["task"]: [r["value"]["choices"] for r in row["result"]] for row in seen}


def kept(config: dict[str, Any]) -> list[str]:
    """Take back the newest run; what it had to keep but for empty data keys."""
    return [line for line in undo(config)[1] if not line.startswith("The data key")]


def without_keys(server: LabelStudio, project: int) -> Any:
    """All of the project but data keys that stay, and numbers and times that are made anew."""
    now, tabs, tasks, rows = server.dump(project)
    data = [{k: v for k, v in t["data"].items() if v != ""} for t in tasks["tasks"]]
    told = sorted((row["task"], row["model_version"], str(row["result"])) for row in rows)
    said = [len(task["annotations"]) for task in tasks["tasks"]]
    names = ("model_version", "sampling", "show_collab_predictions")
    return {name: now[name] for name in names}, [t["data"]["title"] for t in tabs], data, told, said


@pytest.mark.parametrize("mode", ["queue", "uncertainty"])
def test_batch_gets_pre_labels_that_follow_the_probe_and_are_taken_back(
    label_studio: LabelStudio, tmp_path: Path, mode: str
) -> None:
    source, kinds = texts(label_studio, n_labelled=6)
    project = source["project"]
    before = without_keys(label_studio, project)
    write = {"prelabels": True, "mode": mode}
    report = ran(tmp_path, write, **source)
    batch = [int(item) for item in report.ranking.item_ids]
    seen = shown(label_studio, project)
    assert {t: seen[t] for t in batch} == {t: [[kinds[t]]] for t in batch}
    asked = {}  # of "Label All Tasks"; "As Displayed" sends the order and filters of the tab
    if mode == "queue":
        tab = label_studio.tab(project)["data"]
        asked = {"ordering": tab["ordering"], "filters": tab["filters"]}
    body = label_studio.api("POST", "/api/dm/actions", asked, id="next_task", project=project)
    (prelabel,) = body["predictions"]
    assert (body["id"], prelabel["result"][0]["value"]["choices"]) == (batch[0], [kinds[batch[0]]])
    after_one = without_keys(label_studio, project)

    say(label_studio, batch[0], kinds[batch[0]])
    used = label_studio.api("GET", f"/api/tasks/{batch[0]}/")["predictions"]
    second = ran(tmp_path, write, **source)
    assert batch[0] not in second.ranking.item_ids.astype(int)
    now = shown(label_studio, project)
    assert {*now} >= {int(item) for item in second.ranking.item_ids}
    # What the run stored is no model's prediction: the probe is all that is read.
    assert "probe_replaces" not in codes(second)
    if mode == "queue":  # the pre-label that somebody saw when labelling stays with the label
        assert label_studio.api("GET", f"/api/tasks/{batch[0]}/")["predictions"] == used
        assert {*now} == {batch[0], *(int(item) for item in second.ranking.item_ids)}
    assert kept(settings(tmp_path, write, **source)) == []
    for annotation in label_studio.api("GET", f"/api/tasks/{batch[0]}/")["annotations"]:
        label_studio.api("DELETE", f"/api/annotations/{annotation['id']}/")
    assert without_keys(label_studio, project) == after_one
    assert kept(settings(tmp_path, write, **source)) == []
    assert without_keys(label_studio, project) == before


def test_whole_batch_that_is_labelled_while_a_run_writes_gets_no_pre_labels(
    label_studio: LabelStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, kinds = texts(label_studio, n_labelled=6)
    perform = PreLabels.perform

    def after_people(self: PreLabels, step: Step) -> None:
        for task in step.payload["task_ids"]:
            say(label_studio, task, kinds[task])
        perform(self, step)

    monkeypatch.setattr(PreLabels, "perform", after_people)
    report = ran(tmp_path, {"prelabels": True}, **source)
    said = [notice.message for notice in report.notices]
    assert "Skipped 4 pre-labels of tasks labelled since." in said
    assert shown(label_studio, source["project"]) == {}
    monkeypatch.undo()
    ran(tmp_path, {"prelabels": True}, **source)  # the two that are left
    assert len(shown(label_studio, source["project"])) == 2


def test_pre_labels_of_labelled_tasks_stay_and_the_others_go_when_switched_off(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    source, kinds = texts(label_studio, n_labelled=6)
    project = source["project"]
    first = [int(i) for i in ran(tmp_path, {"prelabels": True}, **source).ranking.item_ids]
    say(label_studio, first[0], kinds[first[0]])
    report = ran(tmp_path, **source)
    assert any(step.startswith("Remove the earlier run's pre-labels") for step in report.steps)
    rows = label_studio.api("GET", "/api/predictions/", project=project)
    assert [row["task"] for row in rows] == [first[0]]
    assert label_studio.api("GET", f"/api/projects/{project}/")["model_version"] == ""
    undo(settings(tmp_path, **source))
    assert {*shown(label_studio, project)} == {*first}
    assert kept(settings(tmp_path, **source)) == ["Kept the pre-labels of 1 task labelled since."]
    with pytest.raises(ConfigError, match="prelabels must be left out for label review"):
        labelnext.run({**settings(tmp_path, {"prelabels": True}, **source), "purpose": "review"})


def test_pre_labels_that_broke_off_at_any_step_can_be_finished_or_taken_back(
    label_studio: LabelStudio,
    connect: Open,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, _ = texts(label_studio)
    project, tasks = source["project"], label_studio.task_ids(source["project"])
    pool = Pool(tasks, probabilities=[[0.75, 0.25]] * 12, classes=["travel", "sport"])
    ranking = with_prelabels(pool, rank(pool, "margin", budget=3))

    def planned(adapter: Any) -> Plan:
        plan = adapter.plan(ranking)
        assert [step.kind for step in plan.steps[-2:]] == ["pre-labels", "sampling"]
        return replace(plan, steps=plan.steps[-2:])

    break_off_everywhere(
        monkeypatch,
        opened=lambda: connect(project, write={"prelabels": True}),
        planned=planned,
        journal=lambda plan: Journal.create(tmp_path, plan),
        state=lambda: without_keys(label_studio, project),
        without_what_stays=lambda state: state,
    )
