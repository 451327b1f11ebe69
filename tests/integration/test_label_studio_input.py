"""Label Studio, on a real server: projects, ids, model versions, and what a check says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

from labelnext.errors import ConfigError, InvalidInput, NotFound
from labelnext.ranking import rank
from labelnext.runs.run import run
from tests.integration.label_studio_tasks import (
    CHOICES,
    TWO_TAGS,
    box,
    choice,
    codes,
    image_task,
    text_task,
)

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)


# ---- the project


def test_a_missing_project_is_named(connect: Open) -> None:
    with pytest.raises(NotFound, match=r"project must be the number of a project.*got 99999"):
        connect(99999).read()


def test_an_empty_project_is_an_empty_pool_with_its_classes(
    label_studio: LabelStudio, connect: Open
) -> None:
    project = label_studio.create_project(CHOICES.format(more=""))
    adapter = connect(project)
    pool = adapter.read()
    assert len(pool) == 0
    assert pool.classes == ("good", "bad", "odd")
    assert codes(pool) == ["no_predictions"]
    assert "error" not in [f.level for f in adapter.check()]


def test_a_project_without_predictions_is_all_missing(
    label_studio: LabelStudio, connect: Open
) -> None:
    tasks = [{"data": {"text": "a"}}, {"data": {"text": "b"}}]
    project = label_studio.create_project(CHOICES.format(more=""), tasks)
    adapter = connect(project)
    pool = adapter.read()
    assert pool.missing.tolist() == [True, True]
    assert codes(pool) == ["no_predictions"]
    with pytest.raises(InvalidInput, match="needs class probabilities"):
        rank(pool, "margin")
    assert "The project has no predictions." in [f.message for f in adapter.check()]


def test_a_project_without_tasks_is_no_project_without_predictions(
    label_studio: LabelStudio, connect: Open
) -> None:
    project = label_studio.create_project(CHOICES.format(more=""))
    pool = connect(project).read()
    said = f"Project {project} has no tasks. Hint: add items first"
    with pytest.raises(InvalidInput, match=said):
        rank(pool)


def test_one_task_is_a_pool(label_studio: LabelStudio, connect: Open) -> None:
    project = label_studio.create_project(
        CHOICES.format(more=""), [text_task([choice("good", probs=[0.5, 0.25, 0.25])])]
    )
    pool = connect(project).read()
    assert pool.item_ids.tolist() == [str(t) for t in label_studio.task_ids(project)]
    assert rank(pool, "margin").scores.tolist() == [0.25]


def test_several_control_tags_need_a_name(label_studio: LabelStudio, connect: Open) -> None:
    both = image_task(box(score=0.5), {**choice("day", score=0.6), "to_name": "image"})
    with pytest.raises(InvalidInput, match=r"box \(RectangleLabels\), kind \(Choices\)"):
        connect(label_studio.create_project(TWO_TAGS, [both])).read()
    project = label_studio.create_project(TWO_TAGS, [image_task(box(score=0.5))])
    with pytest.raises(NotFound, match="from_name must be a supported control tag"):
        connect(project, from_name="image").read()
    assert connect(project, from_name="box").read().classes == ("car", "bus")
    other = connect(project, from_name="kind").read()
    assert other.missing.tolist() == [True]
    assert codes(other) == ["other_control"]
    assert other.notices[0].message == (
        "1 item with predictions of control tags other than 'kind' only; treated as missing: box."
    )


def test_a_setup_that_cannot_be_read_is_named(label_studio: LabelStudio, connect: Open) -> None:
    config = '<View><Text name="text" value="$text"/><Shortcut name="say" value="x"/></View>'
    with pytest.raises(NotFound, match="the labelling setup must have a control tag"):
        connect(label_studio.create_project(config)).read()


def test_aliases_are_the_names_of_classes(label_studio: LabelStudio, connect: Open) -> None:
    config = TWO_TAGS.replace('value="bus"', 'value="bus" alias="big"')
    project = label_studio.create_project(config, [image_task(box("big", score=0.5))])
    pool = connect(project, from_name="box").read()
    assert pool.classes == ("car", "big")
    assert pool.objects.class_ids.tolist() == [1]


# ---- the key


def keyed(label_studio: LabelStudio, values: list[Any]) -> int:
    tasks = [text_task([choice("good", probs=[0.5, 0.3, 0.2])]) for _ in values]
    for task, value in zip(tasks, values, strict=True):
        task["data"]["name"] = value
    return label_studio.create_project(CHOICES.format(more=""), tasks)


def test_ids_are_the_values_of_the_key(label_studio: LabelStudio, connect: Open) -> None:
    project = keyed(label_studio, ["b", 'ä "quoted"', 7])
    assert connect(project, key="name").read().item_ids.tolist() == ["b", 'ä "quoted"', "7"]


def test_a_key_that_some_tasks_lack_names_them(label_studio: LabelStudio, connect: Open) -> None:
    project = keyed(label_studio, ["a", None, "c"])
    second = label_studio.task_ids(project)[1]
    with pytest.raises(InvalidInput, match=f"'name', missing from 1 task: {second}"):
        connect(project, key="name").read()


def test_a_key_that_repeats_names_the_tasks(label_studio: LabelStudio, connect: Open) -> None:
    project = keyed(label_studio, ["a", "b", "a"])
    first, _, third = label_studio.task_ids(project)
    with pytest.raises(InvalidInput, match=f"'a' \\(tasks {first} and {third}\\)"):
        connect(project, key="name").read()


def test_a_project_that_asks_its_backend_when_it_is_listed_is_said(
    label_studio: LabelStudio, connect: Open
) -> None:
    project = label_studio.create_project(
        CHOICES.format(more=""), [text_task([])], evaluate_predictions_automatically=True
    )
    adapter = connect(project)
    assert "live_predictions" in codes(adapter.read())
    assert "turn this off in the project's settings while labelnext reads." in [
        finding.hint for finding in adapter.check()
    ]


@pytest.mark.parametrize("key", [None, "name"], ids=["by task", "by a data key"])
def test_embeddings_come_from_a_side_file(
    label_studio: LabelStudio, tmp_path: Path, key: str | None
) -> None:
    tasks = [text_task([choice("good", probs=[0.5, 0.3, 0.2])]) for _ in range(3)]
    for number, task in enumerate(tasks):
        task["data"]["name"] = f"item-{number}"
    project = label_studio.create_project(CHOICES.format(more=""), tasks)
    ids = [str(t) for t in label_studio.task_ids(project)]
    names = ids if key is None else ["item-0", "item-1", "item-2"]
    np.savez(
        tmp_path / "side.npz",
        item_ids=np.array(names[::-1]),
        embeddings=np.array([[0.0, 1.0], [9.0, 9.0], [0.0, 0.0]]),
    )
    source = {"url": label_studio.url, "api_key": label_studio.token, "project": project}
    report = run(
        {
            "source": {"adapter": "label-studio", "key": key, **source}
            | {"predictions": {"file": str(tmp_path / "side.npz")}},
            "selection": {"method": "k_center", "budget": 2},
            "report": {"path": None},
            "state": str(tmp_path),
        },
        dry_run=True,
    )
    # (0, 1) is the nearest to the mean, and (9, 9) the farthest from it.
    assert {*report.ranking.item_ids} == {names[1], names[2]}


# ---- model versions


@pytest.fixture(scope="module")
def two_versions(label_studio: LabelStudio) -> int:
    """m2 is newer, and on the first of two tasks only."""
    tasks = [text_task([choice("good", probs=[0.6, 0.2, 0.2])]) for _ in range(2)]
    project = label_studio.create_project(CHOICES.format(more=""), tasks)
    first = label_studio.task_ids(project)[0]
    newer = {"task": first, "model_version": "m2", "result": [choice("bad", probs=[0, 1, 0])]}
    label_studio.api("POST", f"/api/projects/{project}/import/predictions", [newer])
    return project


def test_the_newest_prediction_of_each_task_is_used_and_said(
    connect: Open, two_versions: int
) -> None:
    adapter = connect(two_versions)
    pool = adapter.read()
    assert pool.missing.tolist() == [False, False]
    assert pool.probabilities.tolist() == [[0, 1, 0], [0.6, 0.2, 0.2]]
    (notice,) = pool.notices
    assert notice.code == "mixed_model_versions"
    assert notice.message == (
        "The project has predictions of 2 model versions; using each task's newest: m2 (1 task), "
        "m1 (1 task)."
    )
    assert "Model versions, newest first: 'm2' (1), 'm1' (2)." in [
        f.message for f in adapter.check() if f.level == "warning"
    ]


def test_a_named_model_version_is_used(connect: Open, two_versions: int) -> None:
    pool = connect(two_versions, model_version="m1").read()
    assert pool.probabilities.tolist() == [[0.6, 0.2, 0.2]] * 2


def test_a_model_version_that_is_not_there_lists_those_that_are(
    connect: Open, two_versions: int
) -> None:
    adapter = connect(two_versions, model_version="m3")
    with pytest.raises(NotFound, match=r"got 'm3'.*available versions: 'm2', 'm1'"):
        adapter.read()
    assert adapter.check()[-1].level == "error"


def test_several_model_versions_are_a_committee(connect: Open, two_versions: int) -> None:
    adapter = connect(two_versions, model_version=["m1", "m2"])
    pool = adapter.read()
    assert pool.probabilities.shape == (2, 2, 3)
    assert pool.versions == ("m1", "m2")
    assert pool.probabilities[:, 0].tolist() == [[0.6, 0.2, 0.2], [0, 1, 0]]
    assert pool.probabilities[0, 1].tolist() == [0.6, 0.2, 0.2]
    assert np.isnan(pool.probabilities[1, 1]).all()
    assert not pool.missing.any()
    assert codes(pool) == ["missing_members"]
    # The members differ on the first task; on the second there is only one, whose own entropy,
    # 0.9503, says how unsure it is.
    assert rank(pool, "vote_entropy").scores.round(4).tolist() == [0.0, 0.6931]
    assert "error" not in [f.level for f in adapter.check()]


def test_a_committee_of_detectors_is_a_set_of_objects_each(
    label_studio: LabelStudio, connect: Open
) -> None:
    both = image_task(box(score=0.5))
    both["predictions"] += image_task(box(score=0.75), box("bus", score=1), version="m2")[
        "predictions"
    ]
    project = label_studio.create_project(TWO_TAGS, [both, image_task()])
    pool = connect(project, from_name="box", model_version=["m1", "m2"]).read()
    assert [o.confidences.tolist() for o in pool.objects] == [[0.5], [0.75, 1]]
    assert [o.counts.tolist() for o in pool.objects] == [[1, 0], [2, 0]]


def test_a_committee_may_mix_probabilities_with_one_confidence(
    label_studio: LabelStudio, connect: Open
) -> None:
    task = text_task([choice("good", probs=[0.5, 0.3, 0.2])])
    task["predictions"] += text_task([choice("good", score=0.5)], version="m2")["predictions"]
    project = label_studio.create_project(CHOICES.format(more=""), [task])
    pool = connect(project, model_version=["m1", "m2"]).read()
    assert pool.probabilities.tolist() == [[[0.5, 0.3, 0.2]], [[0.5, 0.25, 0.25]]]


@pytest.mark.parametrize("names", [[], ["m1", "m1"]])
def test_a_list_of_versions_holds_different_names(connect: Open, names: list[str]) -> None:
    with pytest.raises(ConfigError, match="a list of different names"):
        connect(1, model_version=names)


def test_the_newest_of_repeated_predictions_is_used(
    label_studio: LabelStudio, connect: Open
) -> None:
    task = text_task([choice("good", probs=[0.6, 0.2, 0.2])], [choice("bad", probs=[0, 1, 0])])
    project = label_studio.create_project(CHOICES.format(more=""), [task])
    pool = connect(project).read()
    assert pool.probabilities.tolist() == [[0, 1, 0]]
    assert codes(pool) == ["repeated_predictions"]


def test_the_paged_way_reads_the_same(
    connect: Open, two_versions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = connect(two_versions).read()
    from labelnext_adapters.label_studio.read import read

    monkeypatch.setattr(read, "MOST_IN_ONE_LIST", 1)
    monkeypatch.setattr(read, "PAGE_SIZE_WITH_PREDICTIONS", 1)
    paged = connect(two_versions).read()
    assert paged.fingerprint() == joined.fingerprint()
    assert paged.notices == joined.notices


# ---- check


def test_check_says_what_the_predictions_hold(label_studio: LabelStudio, connect: Open) -> None:
    tasks = [image_task(box(score=0.5)), image_task(box(score=0.25))]
    project = label_studio.create_project(TWO_TAGS, tasks)
    before = label_studio.dump(project)
    findings = connect(project, from_name="box").check()
    assert label_studio.dump(project) == before
    assert {f.level for f in findings} == {"ok"}
    assert findings[-1].message == (
        "Predictions of 'm1' on 2 of the first 2 tasks: objects with confidences; usable "
        "acquisition functions: least_confidence, entropy, mean_object_confidence."
    )
    assert label_studio.token not in json.dumps([f.message for f in findings])


def test_predictions_that_take_too_long_are_read_in_pages(
    label_studio: LabelStudio, connect: Open, two_versions: int
) -> None:
    whole = connect(two_versions).read()
    adapter = connect(two_versions)
    cut = []

    def time_out(request: httpx.Request) -> None:
        if request.url.path == "/api/predictions/":
            cut.append(request)
            raise httpx.ReadTimeout("too long", request=request)

    adapter.client._http.event_hooks["request"].append(time_out)
    assert adapter.read().fingerprint() == whole.fingerprint()
    assert len(cut) == 1
