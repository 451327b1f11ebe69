"""Label Studio's uncertainty sampling, by copies of predictions, on a real server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import labelnext
from labelnext.errors import ConfigError, NotFound
from labelnext.journal import Journal
from labelnext.ranking import rank
from labelnext.ranking.ranking import batch_ranking
from labelnext.runs.ranked import with_clusters
from labelnext.runs.undo import undo
from tests.integration.choices import CHOICES, choice_task, sure_to_unsure
from tests.integration.copied import copies, predictions, settings, without_run
from tests.integration.label_studio_tasks import TWO_TAGS, box, image_task
from tests.integration.writing import predict_anew, write, writes

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)


def test_uncertainty_serves_the_order_to_label_all_tasks(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(4))
    ids = label_studio.task_ids(project)
    model = predictions(label_studio, project)
    journal = write(connect(project, write={"mode": "uncertainty"}), tmp_path)
    # Rank 1 to 4 have priority 1, 3/4, 1/2, 1/4.
    scores = {ids[3]: 0.0, ids[2]: 0.25, ids[1]: 0.5, ids[0]: 0.75}
    assert copies(label_studio, project) == scores
    sampling, version = settings(label_studio, project)
    assert sampling == "Uncertainty sampling"
    assert version.startswith("labelnext:labelnext:")
    now = predictions(label_studio, project)
    assert [r for r in now if r[2] == "m1"] == model
    results = {t: result for t, _, _, result in model}
    assert all(result == results[t] for t, _, v, result in now if v != "m1")
    served = []
    while (got := label_studio.next_of_all(project)) is not None:
        served.append(got)
        label_studio.annotate(got)
    assert served == ids[::-1]
    assert journal.next_steps == (
        f'Open {label_studio.url}/projects/{project}/data and press "Label All Tasks".',
    )


def test_uncertainty_copies_the_newest_prediction_of_the_tag_that_is_read(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    choice = {"from_name": "kind", "to_name": "image", "type": "choices", "score": 0.6}
    choice["value"] = {"choices": ["day"]}
    tasks = [image_task(box(score=0.9), version="boxes") for _ in range(2)]
    project = label_studio.create_project(TWO_TAGS, tasks)
    for version, result in (("days", [choice]), ("newer boxes", [box(score=0.8)])):
        rows = [
            {"task": task, "model_version": version, "result": result}
            for task in label_studio.task_ids(project)
        ]
        label_studio.api("POST", f"/api/projects/{project}/import/predictions", rows)
    write(connect(project, from_name="kind", write={"mode": "uncertainty"}), tmp_path)
    made = [r for r in predictions(label_studio, project) if r[2].startswith("labelnext:")]
    assert [[region["from_name"] for region in row[3]] for row in made] == [["kind"], ["kind"]]


def test_uncertainty_copies_each_task_s_newest_prediction(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    first, *others = label_studio.task_ids(project)
    old = {task: result for task, _, _, result in predictions(label_studio, project)}
    result = [{**old[first][0], "value": {**old[first][0]["value"], "note": "newer"}}]
    newer = {"task": first, "model_version": "m2", "result": result}
    label_studio.api("POST", f"/api/projects/{project}/import/predictions", [newer])
    write(connect(project, write={"mode": "uncertainty"}), tmp_path)
    rows = predictions(label_studio, project)
    made = {task: found for task, _, version, found in rows if version.startswith("labelnext:")}
    assert made == {first: result, **{task: old[task] for task in others}}


def test_uncertainty_keeps_what_was_handed_out_and_reranks_the_rest(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(4))
    ids = label_studio.task_ids(project)
    write(connect(project, write={"mode": "uncertainty"}), tmp_path)
    other = label_studio.second_user()
    assert label_studio.next_of_all(project) == ids[3]
    assert other.next_of_all(project) == ids[2]  # never one task to two people
    # A newer model turns the order around; the copies of the first run go.
    rows = [
        {"task": t, "model_version": "m2", "result": choice_task(p)["predictions"][0]["result"]}
        for t, p in zip(ids, (0.6, 0.7, 0.8, 0.9), strict=True)
    ]
    label_studio.api("POST", f"/api/projects/{project}/import/predictions", rows)
    journal = write(connect(project, write={"mode": "uncertainty"}), tmp_path)
    assert [s.kind for s in journal.plan.steps] == ["copies", "sampling", "copies"]
    assert copies(label_studio, project) == {ids[i]: i / 4 for i in range(4)}
    assert label_studio.next_of_all(project) == ids[3]  # still on the first one's screen
    label_studio.annotate(ids[3])
    assert label_studio.next_of_all(project) == ids[0]  # and the new order from there on
    other.close()


def test_uncertainty_is_undone_run_by_run(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, [*sure_to_unsure(3), {"data": {"text": "x"}}])
    ids = label_studio.task_ids(project)
    label_studio.api("PATCH", f"/api/projects/{project}/", {"model_version": "m1"})
    at_first = predictions(label_studio, project), settings(label_studio, project)
    one = write(connect(project, write={"mode": "uncertainty"}), tmp_path)
    after_one = predictions(label_studio, project), settings(label_studio, project)
    label_studio.annotate(ids[2])
    two = write(connect(project, write={"mode": "uncertainty"}), tmp_path)
    # Nothing moved, so nothing is sent; the copy of the labelled task harms nobody.
    assert copies(label_studio, project) == {ids[2]: 0.0, ids[1]: 1 / 3, ids[0]: 2 / 3}
    assert two.plan.stays == ()
    assert connect(project).undo(two) == []
    assert (predictions(label_studio, project), settings(label_studio, project)) == after_one
    assert connect(project).undo(one) == []
    assert (predictions(label_studio, project), settings(label_studio, project)) == at_first


@pytest.mark.parametrize(
    ("change", "kept", "left"),
    [
        ("a task", [], ("Sequential sampling", "m1")),
        (
            "the sampling",
            ["Kept the project's sampling 'Uniform sampling', which someone chose after the run."],
            ("Uniform sampling", "m1"),
        ),
        (
            "the model",
            ["Kept no model version: the earlier one, 'm1', has no predictions any more."],
            ("Sequential sampling", ""),
        ),
        (
            "a newer model",
            ["Kept the project's model version 'm2', which someone chose after the run."],
            ("Sequential sampling", "m2"),
        ),
    ],
)
def test_uncertainty_is_undone_where_others_changed_the_project(
    label_studio: LabelStudio,
    connect: Open,
    tmp_path: Path,
    change: str,
    kept: list[str],
    left: tuple[str, str],
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    label_studio.api("PATCH", f"/api/projects/{project}/", {"model_version": "m1"})
    journal = write(connect(project, write={"mode": "uncertainty"}), tmp_path)
    match change:
        case "a task":  # whose copy carries the id of the run
            task = label_studio.next_of_all(project)
            label_studio.api("DELETE", f"/api/tasks/{task}/")
        case "the sampling":
            uniform = {"sampling": "Uniform sampling"}
            label_studio.api("PATCH", f"/api/projects/{project}/", uniform)
        case "the model":
            path = f"/api/projects/{project}/model-versions/"
            label_studio.api("DELETE", path, {"model_version": "m1"})
        case "a newer model":
            predict_anew(label_studio, project, label_studio.task_ids(project))
            label_studio.api("PATCH", f"/api/projects/{project}/", {"model_version": "m2"})
    assert connect(project).undo(journal) == kept
    assert settings(label_studio, project) == left
    assert copies(label_studio, project) == {}


def test_uncertainty_run_again_sends_no_prediction(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    write(connect(project, write={"mode": "uncertainty"}), tmp_path)
    before = label_studio.dump(project)
    adapter = connect(project, write={"mode": "uncertainty"})
    sent = writes(adapter)
    write(adapter, tmp_path)
    # The copy that carries the run's id, and the project's settings, again.
    assert [(r.method, r.url.path.split("/")[2]) for r in sent] == [
        ("PATCH", "predictions"),
        ("PATCH", "projects"),
    ]
    assert without_run(label_studio.dump(project)) == without_run(before)


def test_uncertainty_run_again_rescores_what_moved_and_sends_what_is_new(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(8))
    ids = label_studio.task_ids(project)

    def written(order: Sequence[int]) -> tuple[Journal, list[str]]:
        adapter = connect(project, write={"mode": "uncertainty"})
        sent = writes(adapter)
        rows = [{"item_id": str(ids[i]), "score": 0.0} for i in order]
        return write(adapter, tmp_path, batch_ranking(rows)), [
            f"{r.method} {r.url.path}" for r in sent
        ]

    one, _ = written(range(7))  # the last task gets no copy
    label_studio.annotate(ids[0])
    before = {row[0]: row for row in predictions(label_studio, project) if row[2] != "m1"}
    ours = label_studio.api("GET", "/api/predictions/", project=project)
    numbers = {r["task"]: r["id"] for r in ours if r["model_version"] != "m1"}
    two, sent = written([1, 5, 2, 3, 7, 4, 6])  # 5 moved up, 7 is new
    version = two.plan.steps[0].payload["versions"][0]
    assert two.plan.steps[0].description == (
        f"Keep the copies {version!r} for 7 tasks, and change 2 scores"
    )
    assert sent == [
        f"PATCH /api/predictions/{numbers[ids[5]]}/",
        f"POST /api/projects/{project}/import/predictions",
        f"PATCH /api/predictions/{numbers[ids[0]]}/",  # which carries the run's id
        f"PATCH /api/projects/{project}/",
    ]
    expected = {i: i / 7 for i in range(7)} | {5: 1.5 / 7, 7: 3.5 / 7}
    assert copies(label_studio, project) == {
        ids[i]: pytest.approx(score) for i, score in expected.items()
    }
    served = []
    while (got := label_studio.next_of_all(project)) is not None:
        served.append(got)
        label_studio.annotate(got)
    assert served == [ids[i] for i in (1, 5, 2, 3, 7, 4, 6)]
    assert connect(project).undo(two) == []
    now = {row[0]: row for row in predictions(label_studio, project) if row[2] != "m1"}
    assert now == before
    assert connect(project).undo(one) == []
    assert all(row[2] == "m1" for row in predictions(label_studio, project))


def test_uncertainty_run_again_removes_the_copy_of_a_task_that_would_still_be_served(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(6))
    ids = label_studio.task_ids(project)

    def written(order: Sequence[int]) -> Journal:
        rows = [{"item_id": str(ids[i]), "score": 0.0} for i in order]
        adapter = connect(project, write={"mode": "uncertainty"})
        return write(adapter, tmp_path, batch_ranking(rows))

    written(range(6))
    before = predictions(label_studio, project)
    journal = written(range(1, 6))  # the first is no longer wanted, as if it had been skipped
    assert journal.plan.steps[0].description.endswith(
        "and change 0 scores; remove the copies of 1 task not ranked any more"
    )
    assert copies(label_studio, project) == {ids[i]: i / 6 for i in range(1, 6)}
    connect(project).undo(journal)
    assert predictions(label_studio, project) == before


def test_uncertainty_says_what_overlap_does(label_studio: LabelStudio, connect: Open) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(2), maximum_annotations=2)
    adapter = connect(project, write={"mode": "uncertainty"})
    assert (
        "requires several annotations" in adapter.plan(rank(adapter.read(), "margin")).next_steps[1]
    )


def clusters(label_studio: LabelStudio, project: int) -> dict[int, int | None]:
    """The cluster of each task's copy."""
    rows = label_studio.api("GET", "/api/predictions/", project=project)
    ours = [r for r in rows if r["model_version"].startswith("labelnext:")]
    return {r["task"]: r["cluster"] for r in ours}


def test_clusters_get_new_numbers_in_each_run_and_are_taken_back(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(8))
    ids = label_studio.task_ids(project)
    places = [[0.0], [9.0]] * 4

    def written() -> Journal:
        adapter = connect(project, write={"mode": "uncertainty", "clusters": 2})
        pool = replace(adapter.read(), embeddings=np.array(places))
        ranking = with_clusters(pool, rank(pool, "margin", budget=2), adapter.wants_clusters())
        return write(adapter, tmp_path, ranking)

    before = predictions(label_studio, project)
    one = written()
    assert "of 8 tasks as" in one.plan.steps[0].description
    assert "4 tasks in 2 clusters" in one.plan.steps[0].description
    now = {ids[7]: 0, ids[6]: 1, ids[5]: 0, ids[4]: 1}
    assert clusters(label_studio, project) == {**dict.fromkeys(ids), **now}
    stored = label_studio.dump(project)
    same = written()
    assert without_run(label_studio.dump(project)[3]) == without_run(
        stored[3]
    )  # the same copies: nothing was sent
    label_studio.annotate(ids[7])
    two = written()
    # The copy that somebody labelled by is gone; no later task counts as one of its cluster.
    numbered = {ids[6]: 2, ids[5]: 3, ids[4]: 2, ids[3]: 3}
    assert clusters(label_studio, project) == {**dict.fromkeys(ids[:7]), **numbered}
    assert connect(project).undo(two) == []
    assert clusters(label_studio, project) == {**dict.fromkeys(ids), **now}
    for journal in (same, one):
        connect(project).undo(journal)
    assert predictions(label_studio, project) == before


def test_uncertainty_needs_no_annotators(connect: Open) -> None:
    with pytest.raises(ConfigError, match="annotators must be left out with mode uncertainty"):
        connect(1, write={"mode": "uncertainty", "annotators": 2})


def test_two_machines_that_undo_in_the_wrong_order_end_as_they_began(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(4))
    ids, before = label_studio.task_ids(project), settings(label_studio, project)
    ours, theirs = (tmp_path / name / "c.yaml" for name in ("a", "b"))
    for path in (ours, theirs):
        path.parent.mkdir()
        source = f"url: '{label_studio.url}', api_key: {label_studio.token}, project: {project}"
        path.write_text(
            f"source: {{adapter: label-studio, {source}}}\nacquisition: {{name: margin}}\n"
            "write: {mode: uncertainty}\nreport: {path: null}\n"
        )
    first = labelnext.run(ours).run_id
    predict_anew(label_studio, project, ids)  # so the copies of the first run are replaced
    second = labelnext.run(theirs).run_id
    there = settings(label_studio, project)
    _, (kept, advice) = undo(ours)
    assert kept.endswith(f"{there[1]!r}, which run {second} chose after the run.")
    assert settings(label_studio, project) == there
    undo(theirs)
    with pytest.raises(NotFound, match="no run to undo") as caught:
        undo(ours)
    assert f"undo {ours} {first}" in advice
    assert first in str(caught.value.hint)
    journal, stayed = undo(ours, first)
    assert (journal.kept_for, stayed) == (None, [])
    assert settings(label_studio, project) == before
    assert copies(label_studio, project) == {}


@pytest.mark.parametrize("mode", ["queue", "batch"])
def test_another_mode_says_what_still_serves_people_until_that_run_is_undone(
    label_studio: LabelStudio, connect: Open, tmp_path: Path, mode: str
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    before = label_studio.dump(project)[0]
    said = '"Label All Tasks" still follows an earlier run in mode uncertainty'

    def warned(name: str, **write_options: Any) -> tuple[Journal, bool]:
        adapter = connect(project, write=write_options)
        journal = write(adapter, tmp_path / name)
        lines = adapter.plan(rank(adapter.read(), "margin")).next_steps
        return journal, any(line.startswith(said) for line in lines)

    earlier, says = warned("1", mode="uncertainty")
    assert not says
    assert warned("2", mode=mode)[1]
    assert not warned("3", mode=mode, run="other", tab="Other")[1]
    connect(project).undo(Journal(earlier.path))
    after = label_studio.dump(project)[0]
    for name in ("sampling", "model_version", "total_predictions_number"):
        assert after[name] == before[name]
    assert not warned("4", mode=mode)[1]
