"""Label Studio's queues, on a real server: the batch, its shards, and the batch alone."""

from __future__ import annotations

from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from labelnext.errors import ConfigError
from labelnext.journal import Journal
from labelnext.ranking import rank
from labelnext.runs.run import run
from labelnext_adapters.label_studio.write import priorities
from tests.integration.choices import CHOICES, sure_to_unsure
from tests.integration.writing import predict_anew, tags, write, writes

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)


# ---- queue: the batch and its shards


def test_queue_marks_the_batch(label_studio: LabelStudio, connect: Open, tmp_path: Path) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(4))
    ids = label_studio.task_ids(project)
    journal = write(connect(project), tmp_path, budget=2)
    assert tags(label_studio, project) == {ids[3]: "next", ids[2]: "next"}
    assert label_studio.listing(project) == ids[::-1]
    tab = label_studio.tab(project)["id"]
    assert journal.next_steps[0] == f"Open {label_studio.url}/projects/{project}/data?tab={tab}."


def ranked_then_predicted(
    label_studio: LabelStudio, connect: Open, folder: Path, project: int, order: list[int]
) -> tuple[Any, dict[int, Any]]:
    """An adapter that reads newer predictions, and the priorities that a run left before."""
    write(connect(project), folder, budget=2)
    before = label_studio.priorities(project)
    predict_anew(label_studio, project, order)
    return connect(project, model_version="m2"), before


def test_the_next_tasks_of_a_new_order_are_served_before_the_others_are_numbered(
    label_studio: LabelStudio, connect: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(priorities, "_EVEN", 10)
    monkeypatch.setattr(priorities, "_FRONT", 4)
    project = label_studio.create_project(CHOICES, sure_to_unsure(14))
    ids = label_studio.task_ids(project)
    new = [ids[i] for i in (6, 2, 9, 0, 13, 4, 11, 7, 1, 12, 5, 10, 3, 8)]
    adapter, before = ranked_then_predicted(label_studio, connect, tmp_path, project, new)
    served: list[list[int]] = []
    broken_off: list[int] = []

    def look(response: httpx.Response) -> None:
        if response.request.method == "POST" and "add_data_field" in str(response.request.url):
            served.append(label_studio.listing(project)[:4])
            if len(served) in broken_off:
                raise KeyboardInterrupt

    adapter.client._http.event_hooks["response"].append(look)
    journal = write(adapter, tmp_path, budget=2)
    assert label_studio.listing(project) == new
    first = served.index(new[:4])
    assert first < len(served) - 6
    assert served[first:] == [new[:4]] * (len(served) - first)
    n_writes = len(served)
    adapter.undo(Journal(journal.path))
    assert label_studio.priorities(project) == before
    for number in range(1, n_writes + 1, 2):
        served.clear()
        broken_off[:] = [number]
        plan = adapter.plan(rank(adapter.read(), "margin", budget=2))
        journal = Journal.create(tmp_path, plan)
        with pytest.raises(KeyboardInterrupt):
            adapter.apply(plan, journal)
        assert (label_studio.listing(project)[:4] == new[:4]) == (number > first)
        broken_off.clear()
        if number % 4 == 1:
            adapter.apply(plan, Journal(journal.path))
            assert label_studio.listing(project) == new
        adapter.undo(Journal(journal.path))
        assert label_studio.priorities(project) == before


def test_a_task_that_is_labelled_while_it_is_above_all_others_does_not_stay_there(
    label_studio: LabelStudio, connect: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(priorities, "_EVEN", 5)
    monkeypatch.setattr(priorities, "_FRONT", 2)
    project = label_studio.create_project(CHOICES, sure_to_unsure(8))
    new = label_studio.task_ids(project)
    adapter, before = ranked_then_predicted(label_studio, connect, tmp_path, project, new)

    def label(request: httpx.Request) -> None:
        over = label_studio.listing(project)[:2] == new[:2]
        if over and "api/tasks" in str(request.url) and not labelled:
            labelled.append(new[0])
            label_studio.annotate(new[0])

    labelled: list[int] = []
    adapter.client._http.event_hooks["request"].append(label)
    journal = write(adapter, tmp_path, budget=2)
    assert labelled
    wanted = sorted(label_studio.priorities(project).items(), key=itemgetter(1), reverse=True)
    assert [task for task, _ in wanted] == new
    assert f"Skipped 1 ranked task labelled meanwhile: {new[0]}." in journal.remarks
    adapter.undo(Journal(journal.path))
    assert label_studio.priorities(project) == before


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
    assert journal.plan.steps[0].description.endswith("skip 1 task with a draft")
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
    # Left out if there is nobody else, and last if there is.
    (code,) = [n.code for n in pool.notices if n.item_ids == (str(first),)]
    assert code == ("skipped_last" if pool.candidates.all() else "exhausted_tasks")
    journal = write(adapter, tmp_path)
    assert label_studio.next_task(project) == second  # a draft changes nothing
    label_studio.annotate(second)
    assert label_studio.next_task(project) == third  # what was skipped goes to others
    assert label_studio.listing(project) == [third, fourth, first]
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
    assert [line.split(":")[0] for line in stayed] == [
        "The data key labelnext_batch stays, empty, on 2 tasks"
    ]
    assert set(tags(label_studio, project).values()) == {""}
    assert label_studio.tabs(project) == []


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
    target = f"project {project} of {label_studio.url}"
    assert refused[0] == (
        f"another run is under way on {target}: run {journal.run_id}. Hint: wait for it to finish, "
        "then start this again."
    )
    write(second, tmp_path / "two")  # the lock ends with the run
