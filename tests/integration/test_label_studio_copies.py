"""How the copies of mode uncertainty reach a real server: once each, also when it is busy."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from labelnext.errors import InvalidInput, WriteRefused
from labelnext.journal import Journal
from labelnext.ranking import rank
from labelnext_adapters.label_studio.server import predictions as predictions_module
from labelnext_adapters.label_studio.server.refusals import Failed
from labelnext_adapters.label_studio.write import copies as copies_module
from tests.integration.choices import CHOICES, choice_task, sure_to_unsure
from tests.integration.copied import copies, without_times
from tests.integration.writing import write, writes

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)


@pytest.mark.parametrize("small", [1000, 2])
def test_uncertainty_is_never_sent_twice_when_answers_are_lost(
    label_studio: LabelStudio,
    connect: Open,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    small: int,
) -> None:
    monkeypatch.setattr(predictions_module, "_SMALL", small)  # 2: the three are sent one by one
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    adapter = connect(project, write={"mode": "uncertainty"})
    plan = adapter.plan(rank(adapter.read(), "margin"))
    journal = Journal.create(tmp_path, plan)
    sent = []

    def lose_the_answer(response: httpx.Response) -> None:
        path = response.request.url.path
        if response.request.method == "POST" and path.rstrip("/").endswith("predictions"):
            sent.append(response)
            raise httpx.RemoteProtocolError("cut", request=response.request)

    adapter.client._http.event_hooks["response"].append(lose_the_answer)
    adapter.apply(plan, journal)
    assert len(sent) == (1 if small == 1000 else 3)
    assert sorted(copies(label_studio, project).values()) == pytest.approx([0, 1 / 3, 2 / 3])


@pytest.mark.parametrize("stored", [False, True])
def test_uncertainty_sends_again_only_what_a_busy_server_did_not_store(
    label_studio: LabelStudio, connect: Open, tmp_path: Path, stored: bool
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    adapter = connect(project, write={"mode": "uncertainty"})
    plan = adapter.plan(rank(adapter.read(), "margin"))
    client, original, failing = adapter.client, adapter.client.send, [1]

    def send(method: str, path: str, *rest: Any, **options: Any) -> Any:
        fails = path.endswith("import/predictions") and failing.pop()
        answer = original(method, path, *rest, **options) if stored or not fails else None
        if fails:
            failing.append(0)
            raise Failed("status 500")
        return answer

    client.send, client.pauses = send, (0.0,)
    journal = Journal.create(tmp_path, plan)
    adapter.apply(plan, journal)
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
    other = label_studio.create_project(CHOICES, [{"data": {"text": "c"}}])
    probe = [{**body, "task": label_studio.task_ids(other)[0]}]
    taken = label_studio.api("POST", f"/api/projects/{other}/import/predictions", probe)["created"]
    remarks = write(connect(project, write={"mode": "uncertainty"}), tmp_path).remarks
    said = (
        f"Copied 1 prediction without regions, which don't fit the labelling setup: task {second}."
    )
    assert remarks == (() if taken else (said,))  # Label Studio 1.20 takes such a prediction whole
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
    assert Journal(journal.path).remarks == (f"Skipped 1 ranked task deleted since: {second}.",)
    assert copies(label_studio, project) == {first: 0.0, third: pytest.approx(2 / 3)}


def test_uncertainty_goes_on_without_a_task_that_is_deleted_while_it_sends(
    label_studio: LabelStudio, connect: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    first, second, third = label_studio.task_ids(project)[::-1]
    original = copies_module.send_predictions
    deleting = [second]

    def send(*arguments: Any, **options: Any) -> int:
        for task in (deleting.pop() for _ in deleting[:]):
            label_studio.api("DELETE", f"/api/tasks/{task}/")
        return original(*arguments, **options)

    monkeypatch.setattr(copies_module, "send_predictions", send)
    journal = write(connect(project, write={"mode": "uncertainty"}), tmp_path)
    assert journal.remarks == (f"Skipped 1 ranked task deleted since: {second}.",)
    assert copies(label_studio, project) == {first: 0.0, third: pytest.approx(2 / 3)}


def test_uncertainty_in_a_large_project_copies_the_first_one_by_one(
    label_studio: LabelStudio, connect: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions_module, "_SMALL", 7)
    project = label_studio.create_project(CHOICES, sure_to_unsure(8))
    ids = label_studio.task_ids(project)[::-1]  # next first
    before = label_studio.dump(project)
    options = {"mode": "uncertainty", "copies": 3}
    journals = []

    def written(first: int) -> list[str]:
        adapter = connect(project, write=options)
        sent = writes(adapter)
        journals.append(write(adapter, tmp_path))
        n = 8 - first
        assert journals[-1].next_steps[1] == (
            f"Rank again before the first 3 of {n} ranked tasks are labelled: Label Studio hands "
            "out the others in random order."
        )
        *requests, stamp, settings = [f"{r.method} {r.url.path}" for r in sent]
        assert re.fullmatch(r"PATCH /api/predictions/\d+/", stamp)  # it carries the run's id
        assert settings == f"PATCH /api/projects/{project}/"
        return requests

    # Three of eight, at the same distances as in a ranking of eight.
    one_each = ["POST /api/predictions/"] * 3
    assert written(0) == one_each
    assert copies(label_studio, project) == {ids[0]: 0.0, ids[1]: 1 / 8, ids[2]: 2 / 8}
    label_studio.annotate(ids[0])
    annotation = label_studio.api("GET", f"/api/tasks/{ids[0]}/annotations/")[0]["id"]
    assert written(1) == one_each[:1]
    scores = {ids[0]: 0.0, ids[1]: 1 / 8, ids[2]: 2 / 8, ids[3]: pytest.approx(2 / 8 + 1 / 7)}
    assert copies(label_studio, project) == scores
    served = [label_studio.next_of_all(project)]
    assert served == [ids[1]]
    assert [connect(project, write=options).undo(journal) for journal in journals[::-1]] == [[], []]
    label_studio.api("DELETE", f"/api/annotations/{annotation}/")
    assert without_times(label_studio.dump(project)) == without_times(before)


def test_uncertainty_at_a_busy_server_leaves_the_last_copies_to_the_next_run(
    label_studio: LabelStudio, connect: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions_module, "_SMALL", 4)
    monkeypatch.setattr(predictions_module, "_AT_LEAST", 3)
    monkeypatch.setattr(copies_module, "_TO_COPY", 0.0)
    project = label_studio.create_project(CHOICES, sure_to_unsure(5))
    ids = label_studio.task_ids(project)[::-1]
    before = label_studio.dump(project)
    one = write(connect(project, write={"mode": "uncertainty"}), tmp_path)
    assert one.remarks == (
        "Left 2 predictions uncopied, so that annotators need not wait for a busy server: their "
        "tasks come last, in random order. The next run copies more.",
    )
    assert copies(label_studio, project) == {ids[0]: 0.0, ids[1]: 0.2, ids[2]: 0.4}
    two = write(connect(project, write={"mode": "uncertainty"}), tmp_path)
    assert two.remarks == ()
    scores = copies(label_studio, project)
    assert sorted(scores, key=scores.__getitem__) == ids
    assert [connect(project).undo(journal) for journal in (two, one)] == [[], []]
    assert without_times(label_studio.dump(project)) == without_times(before)


def test_a_body_that_no_server_takes_is_never_sent(connect: Open) -> None:
    adapter = connect(1)
    sent = writes(adapter)
    with pytest.raises(InvalidInput, match="must be smaller than 200,000,000 bytes; got 260,000,"):
        adapter.client.send("POST", "api/anything", ["x" * 260_000_000])
    assert sent == []


def test_many_predictions_are_sent_in_bodies_that_the_server_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from labelnext_adapters.label_studio.server import predictions as module

    monkeypatch.setattr(module, "MOST_BYTES", 100)
    rows = [{"task": i, "result": []} for i in range(20)]
    bodies = [b"".join(bytes(r) for r in body) for body in module._bodies(rows)]
    assert b"".join(bodies).decode().count("task") == 20
    assert all(len(body) <= 100 for body in bodies)
    assert all(len(a) + len(b) > 100 for a, b in pairwise(bodies))
    monkeypatch.setattr(module, "_AT_ONCE", 2)
    assert [len(body) for body in module._bodies(rows[:5])] == [2, 2, 1]


@pytest.mark.parametrize("copied", [3, 2])
def test_no_run_is_undone_while_a_later_one_serves_people_by_its_copies(
    label_studio: LabelStudio, connect: Open, tmp_path: Path, copied: int
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(4))
    before = without_times(label_studio.dump(project))
    ours = write(connect(project, write={"mode": "uncertainty"}), tmp_path / "a")
    last = label_studio.next_of_all(project)
    assert last is not None
    if copied == 2:  # the task whose copy carries our run's id is skipped, and its copy goes
        skip = {"result": [], "was_cancelled": True}
        label_studio.api("POST", f"/api/tasks/{last}/annotations/", skip)
    other = {"mode": "uncertainty", "copies": copied}
    theirs = write(connect(project, write=other), tmp_path / "b")
    assert len(copies(label_studio, project)) == copied
    there = label_studio.dump(project)
    with pytest.raises(WriteRefused, match=rf"by the copies of run {theirs.run_id}"):
        connect(project).undo(Journal(ours.path))
    assert label_studio.dump(project) == there
    assert connect(project).undo(Journal(theirs.path)) == []
    assert connect(project).undo(Journal(ours.path)) == []
    if copied == 3:
        assert without_times(label_studio.dump(project)) == before
    assert copies(label_studio, project) == {}


def test_undo_at_a_slow_server_goes_on_where_it_stopped(
    label_studio: LabelStudio, connect: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(5))
    before = without_times(label_studio.dump(project))
    journal = write(connect(project, write={"mode": "uncertainty"}), tmp_path)
    monkeypatch.setattr(predictions_module, "_SLOW", -1.0)  # every answer is slow: three, then stop
    monkeypatch.setattr(predictions_module, "_REST", 0.0)
    (said,) = connect(project).undo(journal)
    assert said.startswith("Left 2 copies of ")
    assert "Nobody is served by them; remove more with " in said
    assert Journal(journal.path).status == "broken"
    assert len(copies(label_studio, project)) == 2
    assert connect(project).undo(Journal(journal.path)) == []
    assert Journal(journal.path).status == "undone"
    assert without_times(label_studio.dump(project)) == before
