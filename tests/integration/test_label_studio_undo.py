"""Runs on Label Studio taken back: the project is as it was, but for what was said beforehand."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import labelnext
from labelnext.errors import ConfigError, WriteFailed
from labelnext.journal import Journal
from labelnext.pool import Pool
from labelnext.ranking import rank
from labelnext.runs.undo import runs, undo
from labelnext_adapters.label_studio.write import data_keys
from labelnext_adapters.label_studio.write.performer import Writer
from labelnext_adapters.label_studio.write.priorities import priority_texts
from tests.integration.choices import CHOICES, choice_task, sure_to_unsure
from tests.integration.writing import write

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)


@pytest.fixture
def used_project(label_studio: LabelStudio) -> int:
    """A project in which people work: a label, a skip, a draft, a tab and settings of theirs."""
    project = label_studio.create_project(CHOICES, [*sure_to_unsure(6), choice_task(None)])
    labelled, skipped, begun, *_ = label_studio.task_ids(project)
    choice = choice_task(0.9)["predictions"][0]["result"]
    annotations = f"/api/tasks/{labelled}/annotations/"
    label_studio.api("POST", annotations, {"result": choice, "lead_time": 1.0})
    skip = {"result": [], "was_cancelled": True}
    label_studio.api("POST", f"/api/tasks/{skipped}/annotations/", skip)
    draft = {"result": choice, "lead_time": 1.0}
    label_studio.api("POST", f"/api/tasks/{begun}/drafts", draft)
    tab = {"title": "Mine", "type": "list", "target": "tasks", "ordering": ["-tasks:id"]}
    label_studio.api("POST", "/api/dm/views/", {"project": project, "data": tab})
    chosen = {"sampling": "Uniform sampling", "model_version": "m1"}
    label_studio.api("PATCH", f"/api/projects/{project}/", chosen)
    return project


@pytest.mark.parametrize(
    ("options", "stays"),
    [
        ({"mode": "queue"}, {"labelnext_priority", "labelnext_batch"}),
        ({"mode": "queue", "annotators": 2}, {"labelnext_priority", "labelnext_batch"}),
        ({"mode": "batch"}, {"labelnext_batch"}),
        ({"mode": "uncertainty"}, set()),
    ],
    ids=["queue", "annotators", "batch", "uncertainty"],
)
def test_undo_returns_a_project_to_its_dump_but_for_what_was_said_before(
    label_studio: LabelStudio,
    connect: Open,
    tmp_path: Path,
    used_project: int,
    options: dict[str, Any],
    stays: set[str],
) -> None:
    before = label_studio.dump(used_project)
    adapter = connect(used_project, write=options)
    plan = adapter.plan(rank(adapter.read(), "margin", budget=3))
    assert all(name in " ".join(plan.stays) for name in stays)
    assert bool(plan.stays) == bool(stays)
    journal = Journal.create(tmp_path, plan)
    adapter.apply(plan, journal)
    assert label_studio.dump(used_project) != before
    connect(used_project, write=options).undo(Journal(journal.path))
    after = label_studio.dump(used_project)
    if options["mode"] == "uncertainty":  # copies are deleted one by one, which the server notes
        for dump in (before, after):
            for task in dump[2]["tasks"]:
                del task["updated_at"], task["updated_by"]
    for task in after[2]["tasks"]:
        for name in stays:
            assert task["data"].pop(name, "") == ""
    assert after == before


def test_what_was_null_is_null_again_and_what_was_not_there_is_empty(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    rows = sure_to_unsure(6)
    for row in rows[:4]:
        row["data"] |= {"labelnext_priority": None, "labelnext_why": None}
    rows[0]["data"]["labelnext_batch"] = None
    project = label_studio.create_project(CHOICES, rows)
    ids, before = label_studio.task_ids(project), label_studio.stored_data(project)
    journal = write(connect(project), tmp_path, budget=6)
    assert all(label_studio.priorities(project).values())
    stayed = connect(project).undo(Journal(journal.path))
    assert "The data key labelnext_priority stays, empty, on 2 tasks" in " ".join(stayed)
    assert "The data key labelnext_batch stays, empty, on 5 tasks" in " ".join(stayed)
    data = {task: json.loads(text) for task, text in label_studio.stored_data(project).items()}
    for task in ids:
        was = json.loads(before[task])
        assert data[task] == {"labelnext_priority": "", "labelnext_batch": "", **was}


def test_undo_puts_back_priorities_and_tabs(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(60))
    first = connect(project)
    journal = write(first, tmp_path)
    ranked = label_studio.dump(project)

    # A second run with another order, then undone: back to the first run's state.
    second = connect(project)
    pool = second.read()
    turned = Pool(pool.item_ids, probabilities=pool.probabilities[::-1], classes=pool.classes)
    later = write(second, tmp_path, rank(turned, "margin"))
    assert label_studio.listing(project) == label_studio.task_ids(project)
    assert connect(project).undo(Journal(later.path)) == []
    assert label_studio.dump(project) == ranked

    # The first run undone, by an adapter that knows only the journal: no tab, empty keys.
    stayed = connect(project).undo(Journal(journal.path))
    assert stayed == [
        f"The data key {key} stays, empty, on 60 tasks: Label Studio can only remove a key by "
        "replacing all of a task's data."
        for key in ("labelnext_priority", "labelnext_batch")
    ]
    assert label_studio.tabs(project) == []
    assert set(label_studio.priorities(project).values()) == {""}
    assert connect(project).undo(Journal(journal.path)) == stayed  # twice is as good as once


class Crash(Exception):
    """The process dies here."""


# 97 tasks take 43 requests (one to try, 11 heads, three times ten digits, the batch), and the tabs
# two more.
@pytest.mark.parametrize("survived", [0, 1, 2, 20, 42, 43, 44])
def test_a_run_that_broke_off_is_finished_by_the_same_journal(
    label_studio: LabelStudio, connect: Open, tmp_path: Path, survived: int
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(97))
    ids = label_studio.task_ids(project)
    adapter = connect(project)
    plan = adapter.plan(rank(adapter.read(), "margin"))
    journal = Journal.create(tmp_path, plan)
    sent = 0

    def die(request: Any) -> None:
        nonlocal sent
        if request.method != "GET":
            if sent == survived:
                raise Crash
            sent += 1

    adapter.client._http.event_hooks["request"].append(die)
    with pytest.raises(Crash):
        adapter.apply(plan, journal)
    assert sent == survived

    resumed = Journal(journal.path)
    connect(project).apply(resumed.plan, resumed)
    assert Journal(journal.path).status == "done"
    assert label_studio.listing(project) == ids[::-1]
    titles = [t["data"]["title"] for t in label_studio.tabs(project)]
    assert titles == ["Default", "Label next"]
    # Undo still knows what was there before the first attempt.
    connect(project).undo(Journal(journal.path))
    assert label_studio.tabs(project) == []
    assert set(label_studio.priorities(project).values()) == {""}


def test_a_run_that_broke_off_can_be_undone(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    before = label_studio.stored_data(project)
    adapter = connect(project)
    plan = adapter.plan(rank(adapter.read(), "margin"))
    journal = Journal.create(tmp_path, plan)

    def die(request: Any) -> None:
        if request.method != "GET":
            raise Crash

    adapter.client._http.event_hooks["request"].append(die)
    with pytest.raises(Crash):
        adapter.apply(plan, journal)
    assert connect(project).undo(Journal(journal.path)) == []
    assert label_studio.stored_data(project) == before  # nothing was written, no key stays


def test_two_machines_at_once_leave_nothing_half_written_after_both_undos(
    label_studio: LabelStudio, connect: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(40))
    monkeypatch.setattr(Writer, "held", lambda *_: nullcontext())  # each machine has its own lock
    monkeypatch.setattr(data_keys, "give_way", lambda _: None)
    one, two = connect(project), connect(project)
    plan = one.plan(rank(one.read(), "margin"))
    other = rank(two.read(), "margin", selection="stochastic", budget=40)
    ours, theirs = Journal.create(tmp_path / "a", plan), list[Journal]()
    sent = 0

    def meanwhile(request: Any) -> None:
        nonlocal sent
        sent += request.method != "GET"
        if sent == 14 and not theirs:  # all of ours have their tags and first digits
            theirs.append(write(two, tmp_path / "b", other))

    one.client._http.event_hooks["request"].append(meanwhile)
    with pytest.raises(WriteFailed, match="doesn't have the value") as caught:
        one.apply(plan, ours)
    assert "another machine's run: let that end first" in str(caught.value.hint)
    texts = [str(value) for value in label_studio.priorities(project).values()]
    assert sorted(texts) == sorted(priority_texts(40)), "theirs, whole"
    (kept, *_) = connect(project).undo(Journal(ours.path))
    assert re.match(rf"Kept labelnext_priority on 40 tasks, which run {theirs[0].run_id} ", kept)
    (empty, *_) = connect(project).undo(theirs[0])
    assert re.match(r"Kept labelnext_priority empty on 40 tasks, where another run was half", empty)
    assert set(label_studio.priorities(project).values()) == {""}
    assert label_studio.tabs(project) == []


def test_a_journal_that_was_changed_to_name_another_project_is_refused(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    ours, others = (label_studio.create_project(CHOICES, sure_to_unsure(3)) for _ in range(2))
    journal = write(connect(ours), tmp_path)
    write(connect(others), tmp_path)
    before = label_studio.dump(others)
    text = journal.path.read_text()
    journal.path.write_text(re.sub(rf'"project": ?{ours}\b', f'"project": {others}', text))
    changed = Journal(journal.path)
    for do in (connect(ours).undo, lambda j: connect(ours).apply(j.plan, j)):
        with pytest.raises(ConfigError, match="which the configuration names; its journal names"):
            do(changed)
    assert label_studio.dump(others) == before
    journal.path.write_text(text)
    assert connect(ours).undo(Journal(journal.path))  # what stays, in sentences


def test_a_run_is_undone_after_its_project_and_server_got_other_names(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    project, other = (label_studio.create_project(CHOICES, sure_to_unsure(2)) for _ in range(2))
    path = tmp_path / "c.yaml"

    def name(project: int | str, url: str = label_studio.url) -> None:
        source = f"adapter: label-studio, url: '{url}', api_key: {label_studio.token}"
        path.write_text(f"source: {{{source}, project: {project}}}\nreport: {{path: null}}\n")

    def title(project: int, title: str) -> None:
        label_studio.api("PATCH", f"/api/projects/{project}/", {"title": title})

    title(project, "Trucks of May")
    name("Trucks of May")
    run_id = labelnext.run(path).run_id
    title(project, "Trucks of June")
    title(other, "Trucks of May")
    assert runs(path)[0].run_id == run_id
    with pytest.raises(ConfigError, match="must be of project"):
        undo(path)  # what has the title now isn't what the run wrote to
    name(other)
    assert runs(path) == []
    name("Trucks of June", label_studio.url.replace("127.0.0.1", "localhost"))
    undo(path)
    assert set(label_studio.priorities(project).values()) == {""}
