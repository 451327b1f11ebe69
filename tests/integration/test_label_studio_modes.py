"""Label Studio's ways to write, on a real server: shards, the batch alone, uncertainty sampling."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from labelnext.errors import ConfigError, InvalidInput, WriteFailed
from labelnext.journal import Journal
from labelnext.pipeline import run
from labelnext.ranking import Ranking, rank
from tests.integration.choices import CHOICES, choice_task, sure_to_unsure

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)


def write(adapter: Any, folder: Path, *, budget: int | None = None, **options: Any) -> Journal:
    ranking: Ranking = rank(adapter.read(), "margin", budget=budget, **options)
    plan = adapter.plan(ranking)
    journal = Journal.create(folder, plan)
    adapter.apply(plan, journal)
    return Journal(journal.path)


def tags(label_studio: LabelStudio, project: int) -> dict[int, Any]:
    rows = {t: json.loads(d) for t, d in label_studio.stored_data(project).items()}
    return {t: d["labelnext_batch"] for t, d in rows.items() if "labelnext_batch" in d}


def writes(adapter: Any) -> list[httpx.Request]:
    """Every request of the adapter that is not a GET, as it is sent."""
    sent: list[httpx.Request] = []

    def note(request: httpx.Request) -> None:
        if request.method != "GET":
            sent.append(request)

    adapter.client._http.event_hooks["request"].append(note)
    return sent


def predict_anew(label_studio: LabelStudio, project: int, order: list[int]) -> None:
    """Predictions of a newer model, by which these tasks come in this order."""
    rows = [
        {
            "task": task,
            "model_version": "m2",
            "result": choice_task(0.6 + 0.02 * place)["predictions"][0]["result"],
        }
        for place, task in enumerate(order)
    ]
    label_studio.api("POST", f"/api/projects/{project}/import/predictions", rows)


# ---- queue: the batch and its shards


def test_queue_marks_the_batch(label_studio: LabelStudio, connect: Open, tmp_path: Path) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(4))
    ids = label_studio.task_ids(project)
    journal = write(connect(project), tmp_path, budget=2)
    assert tags(label_studio, project) == {ids[3]: "next", ids[2]: "next"}
    assert label_studio.listing(project) == ids[::-1]
    tab = label_studio.tab(project)["id"]
    assert journal.next_steps[0] == f"Open {label_studio.url}/projects/{project}/data?tab={tab}."


def test_two_users_with_shard_tabs_never_get_the_same_task(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(8))
    ids = label_studio.task_ids(project)
    write(connect(project, write={"annotators": 2}), tmp_path, budget=6)
    other = label_studio.second_user()
    served: dict[str, list[int]] = {"1": [], "2": []}
    for _ in range(3):
        for user, name in ((label_studio, "1"), (other, "2")):
            got = user.next_task(project, f"Label next {name}")
            assert got is not None
            served[name].append(got)
            user.annotate(got)
    # The batch, next first, is dealt in turns.
    assert served == {"1": [ids[7], ids[5], ids[3]], "2": [ids[6], ids[4], ids[2]]}
    assert label_studio.next_task(project, "Label next 1") is None
    other.close()


def test_the_stream_follows_the_ranking_and_a_re_rank_in_the_middle(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    # PostgreSQL serves numbers as texts: 9 before 10. So the priorities must be of one width.
    project = label_studio.create_project(CHOICES, sure_to_unsure(12))
    ids = label_studio.task_ids(project)
    write(connect(project), tmp_path)
    assert label_studio.listing(project) == ids[::-1]
    served = []
    for _ in range(6):
        task = label_studio.next_task(project)
        assert task is not None
        served.append(task)
        label_studio.annotate(task)
    assert served == ids[:5:-1]
    # A newer model turns the order around: it counts from the next task on.
    predict_anew(label_studio, project, ids[:6])
    journal = write(connect(project), tmp_path)
    assert label_studio.next_task(project) == ids[0]
    connect(project).undo(journal)
    assert label_studio.next_task(project) == ids[5]


def test_named_annotators_get_a_link_each(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(4))
    source = {"adapter": "label-studio", "url": label_studio.url, "project": project}
    report = run(
        {
            "source": {**source, "api_key": label_studio.token},
            "write": {"annotators": ["ann", "bo"]},
            "report": {"path": None},
            "state": str(tmp_path),
        }
    )
    page = f"{label_studio.url}/projects/{project}/data"
    first, second = (label_studio.tab(project, f"Label next {n}")["id"] for n in ("ann", "bo"))
    assert report.next_steps[:2] == (
        f"Annotator ann: open {page}?tab={first}.",
        f"Annotator bo: open {page}?tab={second}.",
    )
    assert "Label Tasks As Displayed" in report.next_steps[2]
    assert "&labeling=1" in report.next_steps[3]


def test_a_task_stays_with_its_annotator_while_it_is_in_the_batch(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(6))
    ids = label_studio.task_ids(project)
    write(connect(project, write={"annotators": 2}), tmp_path, budget=4)
    assert tags(label_studio, project) == {ids[5]: "1", ids[4]: "2", ids[3]: "1", ids[2]: "2"}
    label_studio.annotate(ids[5])
    journal = write(connect(project, write={"annotators": 2}), tmp_path, budget=4)
    # The four next are now 4 3 2 1: three keep their tag, the new one goes to the smaller shard.
    assert tags(label_studio, project) == {
        **{ids[5]: "1", ids[4]: "2", ids[3]: "1", ids[2]: "2"},
        ids[1]: "1",
    }
    connect(project).undo(journal)
    assert tags(label_studio, project)[ids[1]] == ""


@pytest.mark.parametrize("mode", ["queue", "batch"])
def test_a_task_that_somebody_has_begun_is_left_alone(
    label_studio: LabelStudio, connect: Open, tmp_path: Path, mode: str
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(6))
    ids = label_studio.task_ids(project)
    options = {"mode": mode, "annotators": 2}
    write(connect(project, write=options), tmp_path, budget=4)
    assert tags(label_studio, project) == {ids[5]: "1", ids[4]: "2", ids[3]: "1", ids[2]: "2"}
    other = label_studio.second_user()
    other.api("POST", f"/api/tasks/{ids[4]}/drafts", {"result": [], "lead_time": 1.0})
    other.close()
    begun = label_studio.stored_data(project)[ids[4]]
    predict_anew(label_studio, project, ids)  # ids[4] and ids[5] leave the batch
    journal = write(connect(project, write=options), tmp_path, budget=4)
    assert journal.plan.steps[0].description.endswith("leave 1 task with a draft alone")
    assert label_studio.stored_data(project)[ids[4]] == begun
    now = tags(label_studio, project)
    assert (now[ids[4]], now[ids[5]]) == ("2", "")
    assert ids[4] in label_studio.listing(project, "Label next 2")
    # Once it is submitted it is a labelled task like any other.
    label_studio.annotate(ids[4])
    again = write(connect(project, write=options), tmp_path, budget=4)
    assert "draft" not in again.plan.steps[0].description
    connect(project).undo(again)
    connect(project).undo(journal)
    assert label_studio.stored_data(project)[ids[4]] == begun


def test_overlap_shows_a_task_until_it_has_all_its_annotations(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(2), maximum_annotations=2)
    first, second = label_studio.task_ids(project)[::-1]
    write(connect(project), tmp_path)
    assert label_studio.next_task(project) == first
    label_studio.annotate(first)
    assert label_studio.next_task(project) == second  # never twice to one person
    assert label_studio.listing(project) == [first, second]
    other = label_studio.second_user()
    assert other.next_task(project) == first
    other.annotate(first)
    assert label_studio.listing(project) == [second]
    other.close()


@pytest.mark.parametrize("annotators", [0, 101, [], ["a", "a"], [" a"], [""]])
def test_annotators_are_a_number_or_different_names(connect: Open, annotators: Any) -> None:
    with pytest.raises(ConfigError, match="must be"):
        connect(1, write={"annotators": annotators})


def test_skipped_and_postponed_tasks_and_drafts_break_nothing(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(4))
    fourth, third, second, first = label_studio.task_ids(project)
    write(connect(project), tmp_path)
    skip = {"result": [], "was_cancelled": True}
    label_studio.api("POST", f"/api/tasks/{first}/annotations/", skip)
    draft = {"result": [], "lead_time": 1.0}
    label_studio.api("POST", f"/api/tasks/{second}/drafts", draft)
    adapter = connect(project)
    pool = adapter.read()
    assert not pool.labelled.any()
    journal = write(adapter, tmp_path)
    assert label_studio.next_task(project) == second  # a draft changes nothing
    label_studio.annotate(second)
    assert label_studio.next_task(project) == third  # what was skipped goes to others
    assert label_studio.listing(project) == [first, third, fourth]
    # Who puts a task off gets it again after all others.
    later = {"result": [], "was_postponed": True, "lead_time": 1.0}
    label_studio.api("POST", f"/api/tasks/{third}/drafts", later)
    assert label_studio.next_task(project) == fourth
    label_studio.annotate(fourth)
    assert label_studio.next_task(project) == third
    connect(project).undo(journal)
    drafts = label_studio.api("GET", f"/api/tasks/{second}/drafts")
    assert len(drafts) == 1


# ---- batch


def test_batch_marks_the_batch_in_one_request_and_nothing_else(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(6))
    ids = label_studio.task_ids(project)
    before = label_studio.stored_data(project)
    adapter = connect(project, write={"mode": "batch"})
    sent = writes(adapter)
    journal = write(adapter, tmp_path, budget=3)
    actions = [r for r in sent if "actions" in r.url.path]
    assert len(actions) == 2  # one task is the probe, then the whole batch
    assert len(sent) == 2 + 2  # and the tabs Default and Label next
    after = label_studio.stored_data(project)
    assert {t for t in ids if after[t] != before[t]} == {*ids[3:]}
    assert label_studio.listing(project) == ids[3:]
    assert label_studio.next_task(project) == ids[3]
    # A second run moves the tab to another batch.
    label_studio.annotate(ids[5])
    write(connect(project, write={"mode": "batch"}), tmp_path, budget=3)
    assert label_studio.listing(project) == ids[2:5]
    assert journal.plan.stays[0].startswith("The data key labelnext_batch stays")


def test_batch_is_undone(label_studio: LabelStudio, connect: Open, tmp_path: Path) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    journal = write(connect(project, write={"mode": "batch"}), tmp_path, budget=2)
    stayed = connect(project).undo(journal)
    assert [line.split(",")[0] for line in stayed] == ["2 tasks keep the data key labelnext_batch"]
    assert set(tags(label_studio, project).values()) == {""}
    assert label_studio.tabs(project) == []


# ---- uncertainty


def copies(label_studio: LabelStudio, project: int) -> dict[int, float]:
    rows = label_studio.api("GET", "/api/predictions/", project=project)
    ours = [(r["task"], r["score"]) for r in rows if r["model_version"].startswith("labelnext:")]
    assert len(dict(ours)) == len(ours), "two copies of one prediction"
    return dict(ours)


def settings(label_studio: LabelStudio, project: int) -> tuple[str, str]:
    now = label_studio.api("GET", f"/api/projects/{project}/")
    return now["sampling"], now["model_version"]


def predictions(label_studio: LabelStudio, project: int) -> list[Any]:
    rows = label_studio.api("GET", "/api/predictions/", project=project)
    kept = ("task", "score", "model_version", "result")
    return sorted(([r[name] for name in kept] for r in rows), key=repr)


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
    assert copies(label_studio, project) == {ids[1]: 0.0, ids[0]: 0.5}
    assert two.plan.stays == (
        "The copies of the earlier run get new numbers and dates when they are put back.",
    )
    assert connect(project).undo(two) == []
    assert (predictions(label_studio, project), settings(label_studio, project)) == after_one
    assert connect(project).undo(one) == []
    assert (predictions(label_studio, project), settings(label_studio, project)) == at_first


def test_uncertainty_run_again_sends_no_prediction(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    write(connect(project, write={"mode": "uncertainty"}), tmp_path)
    before = label_studio.dump(project)
    adapter = connect(project, write={"mode": "uncertainty"})
    sent = writes(adapter)
    write(adapter, tmp_path)
    assert [r.method for r in sent] == ["PATCH"]  # the project's settings, again
    assert label_studio.dump(project) == before


def test_uncertainty_is_never_sent_twice_and_resumes_without_duplicates(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    adapter = connect(project, write={"mode": "uncertainty"})
    plan = adapter.plan(rank(adapter.read(), "margin"))
    journal = Journal.create(tmp_path, plan)
    sent = []

    def lose_the_answer(response: httpx.Response) -> None:
        if response.request.url.path.endswith("import/predictions"):
            sent.append(response)
            raise httpx.RemoteProtocolError("cut", request=response.request)

    adapter.client._http.event_hooks["response"].append(lose_the_answer)
    with pytest.raises(WriteFailed, match="broke off at step 1"):
        adapter.apply(plan, journal)
    assert len(sent) == 1
    again = Journal(journal.path)
    connect(project, write={"mode": "uncertainty"}).apply(again.plan, again)
    assert sorted(copies(label_studio, project).values()) == pytest.approx([0, 1 / 3, 2 / 3])


def test_uncertainty_copies_a_prediction_that_no_longer_fits_without_its_regions(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, [choice_task(0.7), {"data": {"text": "b"}}])
    first, second = label_studio.task_ids(project)
    odd = {"from_name": "gone", "to_name": "text", "type": "choices", "value": {"choices": ["x"]}}
    whole = choice_task(0.6)["predictions"][0]["result"]
    body = {"task": second, "model_version": "m1", "result": [*whole, odd]}
    label_studio.api("POST", "/api/predictions/", body)  # which is not checked
    (remark,) = write(connect(project, write={"mode": "uncertainty"}), tmp_path).remarks
    assert remark.endswith(f"they were copied without their regions: task {second}.")
    assert copies(label_studio, project) == {second: 0.0, first: 0.5}


def test_uncertainty_counts_a_task_that_was_deleted_after_the_plan(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    first, second, third = label_studio.task_ids(project)[::-1]
    adapter = connect(project, write={"mode": "uncertainty"})
    plan = adapter.plan(rank(adapter.read(), "margin"))
    journal = Journal.create(tmp_path, plan)
    label_studio.api("DELETE", f"/api/tasks/{second}/")
    adapter.apply(plan, journal)
    assert Journal(journal.path).remarks == (f"Ranked tasks that no longer exist, 1: {second}.",)
    assert copies(label_studio, project) == {first: 0.0, third: pytest.approx(2 / 3)}


def test_uncertainty_says_what_overlap_does(label_studio: LabelStudio, connect: Open) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(2), maximum_annotations=2)
    adapter = connect(project, write={"mode": "uncertainty"})
    assert "wants several annotations" in adapter.plan(rank(adapter.read(), "margin")).next_steps[1]


def test_uncertainty_needs_no_annotators(connect: Open) -> None:
    with pytest.raises(ConfigError, match="annotators must be left out with mode uncertainty"):
        connect(1, write={"mode": "uncertainty", "annotators": 2})


# ---- two runs at once


def test_a_second_run_on_the_project_is_refused_with_the_first_ones_id(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(2))
    first, second = connect(project), connect(project)
    ranking = rank(first.read(), "margin")
    plan = first.plan(ranking)
    journal = Journal.create(tmp_path / "one", plan)
    refused = []

    def start_another(request: httpx.Request) -> None:
        if request.method != "GET" and not refused:
            with pytest.raises(ConfigError, match="another run is under way") as caught:
                second.apply(plan, Journal.create(tmp_path / "two", plan))
            refused.append(str(caught.value))

    first.client._http.event_hooks["request"].append(start_another)
    first.apply(plan, journal)
    assert journal.run_id in refused[0]
    write(second, tmp_path / "two")  # the lock ends with the run


def test_a_body_that_no_server_takes_is_never_sent(connect: Open) -> None:
    adapter = connect(1)
    sent = writes(adapter)
    with pytest.raises(InvalidInput, match="must be below 200,000,000 bytes; got 260,000,"):
        adapter.client.send("POST", "api/anything", ["x" * 260_000_000])
    assert sent == []


def test_many_predictions_are_sent_in_bodies_that_the_server_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from labelnext_adapters.label_studio import predictions as module

    monkeypatch.setattr(module, "MOST_BYTES", 100)
    rows = [{"task": i, "result": []} for i in range(20)]
    bodies = [b"".join(bytes(r) for r in body) for body in module._bodies(rows)]
    assert b"".join(bodies).decode().count("task") == 20
    assert all(len(body) <= 100 for body in bodies)
    assert all(len(a) + len(b) > 100 for a, b in pairwise(bodies))
