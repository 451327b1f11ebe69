"""Label Studio, on a real server: what is read, what is written, what a person is served."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from labelnext.errors import WriteFailed, WriteRefused
from labelnext.journal import Journal
from labelnext.pool import Pool
from labelnext.ranking import Ranking, rank
from tests.integration.cars import LABEL_CONFIG, car_task, cars

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)

CHOICES = (
    '<View><Text name="text" value="$text"/><Choices name="kind" toName="text">'
    '<Choice value="good"/><Choice value="bad"/><Choice value="odd"/></Choices></View>'
)


def write(adapter: Any, ranking: Ranking, folder: Path) -> Journal:
    plan = adapter.plan(ranking)
    journal = Journal.create(folder, plan)
    adapter.apply(plan, journal)
    return journal


def choice_task(text: str, probabilities: list[float], **data: Any) -> dict[str, Any]:
    value = {
        "choices": ["good"],
        "probs": dict(zip(["good", "bad", "odd"], probabilities, strict=True)),
    }
    region = {"from_name": "kind", "to_name": "text", "type": "choices", "value": value}
    return {
        "data": {"text": text, **data},
        "predictions": [{"model_version": "m1", "score": 0.5, "result": [region]}],
    }


def sure_to_unsure(n: int) -> list[dict[str, Any]]:
    """Tasks whose margin falls from task to task, so that the last is labelled first."""
    rest = [0.3 * (i + 1) / n for i in range(n)]
    return [choice_task(f"text {i}", [1 - 1.5 * r, r, 0.5 * r]) for i, r in enumerate(rest)]


# ---- the cars: 355 images with boxes, through the label stream


def of_image(detections: list[dict[str, Any]], image: dict[str, Any]) -> list[dict[str, Any]]:
    return [d for d in detections if d["image_id"] == image["id"]]


@pytest.fixture(scope="module")
def car_project(label_studio: LabelStudio) -> int:
    images, detections = cars()
    return label_studio.create_project(
        LABEL_CONFIG, [car_task(image, of_image(detections, image)) for image in images]
    )


def test_boxes_come_back_as_they_were_imported(car_project: int, connect: Open) -> None:
    images, detections = cars()
    pool: Pool = connect(car_project, key="name").read()
    rows = {str(image["file_name"]): image for image in images}
    assert sorted(pool.item_ids.tolist()) == sorted(rows)
    assert pool.classes == ("Car",)
    assert not pool.missing.any()
    assert not pool.labelled.any()
    assert pool.objects is not None
    assert not isinstance(pool.objects, tuple)
    assert pool.objects.boxes is not None
    assert pool.objects.class_ids is not None
    assert (pool.objects.class_ids == 0).all()
    for position, name in enumerate(pool.item_ids.tolist()):
        image = rows[name]
        own = of_image(detections, image)
        part = slice(pool.objects.offsets[position], pool.objects.offsets[position + 1])
        assert pool.objects.confidences[part].tolist() == [d["score"] for d in own]
        size = [image["width"], image["height"]] * 2
        corners = [[x, y, x + w, y + h] for x, y, w, h in (d["bbox"] for d in own)]
        expected = np.clip(np.array(corners).reshape(-1, 4) / size, 0, 1)
        np.testing.assert_allclose(pool.objects.boxes[part], expected, atol=1e-12)


def test_the_label_stream_serves_the_order_of_the_ranking(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    images, detections = cars()
    project = label_studio.create_project(
        LABEL_CONFIG, [car_task(image, of_image(detections, image)) for image in images]
    )
    adapter = connect(project)
    ranking = rank(adapter.read(), "mean_object_confidence", budget=50)
    before = label_studio.stored_data(project)

    # The order by hand: the mean of an image's scores, 0 where there is none, low first, then id.
    ids = label_studio.task_ids(project)
    means = [
        (sum(d["score"] for d in own) / len(own) if (own := of_image(detections, image)) else 0.0)
        for image in images
    ]
    by_hand = [task for _, task in sorted(zip(means, ids, strict=True))]
    assert [int(i) for i in ranking.pool_order] == by_hand

    write(adapter, ranking, tmp_path)
    assert label_studio.listing(project) == by_hand
    priorities = label_studio.priorities(project)
    assert priorities[by_hand[0]] == "1.0000"
    assert priorities[by_hand[1]] == "0.9972"  # 354/355 = 0.99718
    assert priorities[by_hand[-1]] == "0.0028"  # 1/355 = 0.00282
    assert without_priority(label_studio.stored_data(project)) == before

    served = []
    for _ in range(45):
        task = label_studio.next_task(project)
        assert task is not None
        served.append(task)
        label_studio.annotate(task)
    assert served == by_hand[:45]
    assert label_studio.listing(project) == by_hand[45:]

    # What was labelled is out of the next ranking, and keeps what it has.
    pool = adapter.read()
    assert sorted(pool.item_ids[pool.labelled].tolist(), key=int) == [
        str(t) for t in sorted(served)
    ]
    again = rank(pool, "mean_object_confidence")
    assert [int(i) for i in again.pool_order] == by_hand[45:]
    kept = {t: p for t, p in label_studio.priorities(project).items() if t in served}
    write(adapter, again, tmp_path)
    now = label_studio.priorities(project)
    assert {t: now[t] for t in served} == kept
    # Those that are left are in the right order, so they keep what they have: 1 - 45/355 = 0.87324.
    assert now == priorities
    assert now[by_hand[45]] == "0.8732"
    assert label_studio.listing(project) == by_hand[45:]


def without_priority(rows: dict[int, str]) -> dict[int, str]:
    """The stored text without the two keys that were added, byte for byte otherwise."""
    ours = r'(, "labelnext_(priority|batch)": "[^"]*")+(?=}$)'
    return {t: re.sub(ours, "", d) for t, d in rows.items()}


# ---- choices, and a second run


def test_choices_with_probs_are_ranked_and_served(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    tasks = [
        choice_task("sure", [0.9, 0.05, 0.05]),  # margin 0.85
        choice_task("torn", [0.45, 0.44, 0.11]),  # margin 0.01
        choice_task("fair", [0.6, 0.3, 0.1]),  # margin 0.30
    ]
    project = label_studio.create_project(CHOICES, tasks)
    sure, torn, fair = label_studio.task_ids(project)
    adapter = connect(project)
    pool = adapter.read()
    assert pool.classes == ("good", "bad", "odd")
    np.testing.assert_array_equal(
        pool.probabilities, [[0.9, 0.05, 0.05], [0.45, 0.44, 0.11], [0.6, 0.3, 0.1]]
    )
    ranking = rank(pool, "margin")
    write(adapter, ranking, tmp_path)
    assert label_studio.priorities(project) == {torn: "1.0000", fair: "0.6667", sure: "0.3333"}
    served = []
    while (task := label_studio.next_task(project)) is not None:
        served.append(task)
        label_studio.annotate(task)
    assert served == [torn, fair, sure]


def test_a_second_run_changes_nothing_and_sends_no_write(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(30))
    adapter = connect(project)
    write(adapter, rank(adapter.read(), "margin"), tmp_path)
    before = label_studio.dump(project)
    second = connect(project)
    sent = count_writes(second)
    write(second, rank(second.read(), "margin"), tmp_path)
    assert sent == []
    assert label_studio.dump(project) == before


def test_an_order_of_many_tasks_costs_few_requests(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(100))
    adapter = connect(project)
    sent = count_writes(adapter)
    write(adapter, rank(adapter.read(), "margin"), tmp_path)
    # Priorities are 1.0000, 0.9900, ..., 0.0100. The heads 1.0 and 0.9 to 0.0; ten second digits,
    # each with two zeros; one task to see whether it is allowed, and one request for the batch;
    # and the tabs Default and Label next.
    assert len(sent) == 11 + 10 + 2 + 2
    assert label_studio.listing(project) == label_studio.task_ids(project)[::-1]


def count_writes(adapter: Any) -> list[str]:
    """Every request of the adapter that is not a GET, as it is sent."""
    sent: list[str] = []

    def note(request: Any) -> None:
        if request.method != "GET":
            sent.append(f"{request.method} {request.url}")

    adapter.client._http.event_hooks["request"].append(note)
    return sent


# ---- other people's data


def test_data_of_tasks_is_intact_but_for_the_priority(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    hostile: dict[str, Any] = {
        "text": 'a "quoted" \\ text\u2028 with <b>html</b>, ümläuts, 😀 and \t tabs',
        "replace": 'replace("a","b")',
        "nested": {"a": [1, 2.5, None, {"b": "0.1abc"}], "labelnext_priority": "mine"},
        "big": 12345678901234567890,
        "small": 1e-7,
        "nothing": None,
        "empty": "",
        "a.b": 1,
        "": "no name",
    }
    tasks = sure_to_unsure(60)
    for i, task in enumerate(tasks):
        task["data"] = {**hostile, "number": i}
    project = label_studio.create_project(CHOICES, tasks)
    before = label_studio.stored_data(project)
    adapter = connect(project)
    write(adapter, rank(adapter.read(), "margin"), tmp_path)
    after = label_studio.stored_data(project)
    assert after != before
    assert without_priority(after) == before


def test_labelled_tasks_get_no_priority(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(5))
    ids = label_studio.task_ids(project)
    label_studio.annotate(ids[4])
    adapter = connect(project)
    pool = adapter.read()
    assert pool.labelled.tolist() == [False, False, False, False, True]
    plan = adapter.plan(rank(pool, "margin"))
    label_studio.annotate(ids[3])  # by somebody, between the plan and the write
    journal = Journal.create(tmp_path, plan)
    adapter.apply(plan, journal)
    assert label_studio.priorities(project) == {
        ids[2]: "0.7500",
        ids[1]: "0.5000",
        ids[0]: "0.2500",
    }


def test_a_cancelled_annotation_is_no_label(label_studio: LabelStudio, connect: Open) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(2))
    skipped, _ = label_studio.task_ids(project)
    body = {"result": [], "was_cancelled": True}
    label_studio.api("POST", f"/api/tasks/{skipped}/annotations/", body)
    assert connect(project).read().labelled.tolist() == [False, False]


def test_tasks_that_lose_their_rank_lose_their_priority(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(4))
    ids = label_studio.task_ids(project)
    adapter = connect(project)
    write(adapter, rank(adapter.read(), "margin"), tmp_path)
    (first,) = [
        p["id"]
        for p in label_studio.api("GET", "/api/predictions/", project=project)
        if p["task"] == ids[3]
    ]
    label_studio.api("DELETE", f"/api/predictions/{first}/")
    again = connect(project)
    pool = again.read()
    assert pool.missing.tolist() == [False, False, False, True]
    journal = write(again, rank(pool, "margin"), tmp_path)
    assert journal.plan.steps[0].description == (
        "Keep labelnext_priority on 3 tasks, keep labelnext_batch on the 3 tasks of the batch, "
        "clear labelnext_priority on 1 task no longer ranked, and clear labelnext_batch on 1 task"
    )
    assert label_studio.priorities(project) == {
        ids[0]: "0.2500",
        ids[1]: "0.5000",
        ids[2]: "0.7500",
        ids[3]: "",
    }
    assert label_studio.listing(project) == [ids[2], ids[1], ids[0], ids[3]]


def test_a_task_deleted_after_the_plan_is_passed_over(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    ids = label_studio.task_ids(project)
    adapter = connect(project)
    plan = adapter.plan(rank(adapter.read(), "margin"))
    journal = Journal.create(tmp_path, plan)
    label_studio.api("DELETE", f"/api/tasks/{ids[1]}/")
    adapter.apply(plan, journal)
    assert Journal(journal.path).remarks == (f"Skipped 1 ranked task deleted since: {ids[1]}.",)
    assert label_studio.priorities(project) == {ids[0]: "0.3333", ids[2]: "1.0000"}


def test_a_journal_of_another_server_is_refused(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(2))
    adapter = connect(project)
    journal = write(adapter, rank(adapter.read(), "margin"), tmp_path)
    elsewhere = connect(project, url="http://127.0.0.1:1")
    with pytest.raises(WriteRefused, match=r"source\.url must be the server the run wrote to"):
        elsewhere.undo(Journal(journal.path))


def test_a_priority_that_does_not_read_back_is_a_failed_write(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(2))
    first, _ = label_studio.task_ids(project)
    adapter = connect(project)
    plan = adapter.plan(rank(adapter.read(), "margin"))
    other = connect(project)

    def interfere(response: Any) -> None:
        if response.request.method != "GET":
            from labelnext_adapters.label_studio.write.priorities import SetField
            from labelnext_adapters.label_studio.write.set_field import set_field

            set_field(other.client, project, "labelnext_priority", SetField((first,), "mine"))

    adapter.client._http.event_hooks["response"].append(interfere)
    with pytest.raises(WriteFailed, match=f"labelnext wrote on 1 of 2 tasks: {first}"):
        adapter.apply(plan, Journal.create(tmp_path, plan))


# ---- the plan


def test_a_plan_changes_nothing_and_says_what_to_do_next(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    ids = label_studio.task_ids(project)
    before = label_studio.dump(project)
    adapter = connect(project)
    plan = adapter.plan(rank(adapter.read(), "margin"))
    assert label_studio.dump(project) == before
    assert plan.steps[0].description == (
        "Set labelnext_priority on 3 tasks, and set labelnext_batch on the 3 tasks of the batch"
    )
    assert plan.steps[0].payload["task_ids"] == ids[::-1]
    page = f"{label_studio.url}/projects/{project}/data"
    assert plan.next_steps[0] == f'Open {page} and pick the tab "Label next".'
    assert adapter.tab_url() is None
    assert label_studio.token not in json.dumps(plan.to_dict())
    journal = Journal.create(tmp_path, plan)
    adapter.apply(plan, journal)
    assert adapter.tab_url() == f"{page}?tab={label_studio.tab(project)['id']}"
    assert label_studio.token not in journal.path.read_text("utf-8")


def test_a_ranking_of_nothing_writes_nothing(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, [choice_task("a", [0.5, 0.3, 0.2])])
    (only,) = label_studio.task_ids(project)
    label_studio.annotate(only)
    adapter = connect(project)
    before = label_studio.dump(project)
    journal = write(adapter, rank(adapter.read(), "margin"), tmp_path)
    assert journal.plan.steps == ()
    assert label_studio.dump(project) == before
