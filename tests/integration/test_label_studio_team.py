"""Label Studio with several people: what they skip, share, begin, and what belongs to whom."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from labelnext.errors import WriteRefused
from labelnext.journal import Journal
from labelnext.ranking import rank
from labelnext.runs.run import run
from labelnext.runs.status import status
from tests.integration.choices import CHOICES, sure_to_unsure
from tests.integration.writing import predict_anew, tags, write

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = (
    "tests.integration.label_studio_server",
    "tests.integration.label_studio_members",
)

SKIP = {"result": [], "was_cancelled": True}


def skip(person: LabelStudio, task: int) -> None:
    person.api("POST", f"/api/tasks/{task}/annotations/", SKIP)


def notices(pool: Any) -> dict[str, tuple[str, ...]]:
    return {notice.code: notice.item_ids for notice in pool.notices}


@pytest.mark.parametrize(
    ("queue", "code"),
    [
        ("IGNORE_SKIPPED", "skipped_tasks"),
        ("REQUEUE_FOR_OTHERS", "skipped_last"),
        ("REQUEUE_FOR_ME", "skipped_last"),
    ],
)
def test_skipped_tasks_are_in_no_batch_while_there_are_others(
    label_studio: LabelStudio,
    connect: Open,
    people: list[LabelStudio],
    tmp_path: Path,
    queue: str,
    code: str,
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(6), skip_queue=queue)
    ids = label_studio.task_ids(project)[::-1]  # in the order of the ranking
    options: dict[str, Any] = {"write": {"mode": "batch"}}
    write(connect(project, **options), tmp_path, budget=2)
    for task in ids[:2]:
        skip(people[0], task)
    adapter = connect(project, **options)
    pool = adapter.read()
    assert notices(pool)[code] == tuple(sorted(map(str, ids[:2]), key=int))
    write(adapter, tmp_path, rank(pool, "margin", budget=2))
    assert {t for t, tag in tags(label_studio, project).items() if tag} == {ids[2], ids[3]}
    assert people[0].next_task(project) in ids[2:4]  # and nobody is left with nothing
    # What Label Studio still hands out comes at the end.
    left = [] if queue == "IGNORE_SKIPPED" else [str(t) for t in ids[:2]]
    assert rank(pool, "margin").pool_order.tolist() == [*map(str, ids[2:]), *left]


def test_where_skipped_tasks_come_can_be_said(
    label_studio: LabelStudio, connect: Open, people: list[LabelStudio]
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(4))
    ids = [str(task) for task in label_studio.task_ids(project)[::-1]]
    skip(people[0], int(ids[0]))
    pools = {
        option: connect(project, skipped=option).read() for option in ("next", "last", "never")
    }
    said = {option: notices(pool) for option, pool in pools.items()}
    # Label Studio still hands the task out: what leaves it out is the option.
    last, never = {"skipped_last": (ids[0],)}, {"skipped_never": (ids[0],)}
    assert said == {"next": {}, "last": last, "never": never}
    orders = {option: rank(pool, "margin").pool_order.tolist() for option, pool in pools.items()}
    assert orders == {"next": ids, "last": [*ids[1:], ids[0]], "never": ids[1:]}


def test_a_task_that_everybody_skipped_is_left_out(
    label_studio: LabelStudio,
    connect: Open,
    people: list[LabelStudio],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from labelnext_adapters.label_studio.server import standing

    project = label_studio.create_project(CHOICES, sure_to_unsure(2))
    first = label_studio.task_ids(project)[1]
    # Other tests on this server make members, too.
    members = {int(p.api("GET", "/api/current-user/whoami")["id"]): () for p in people}
    assert {*members} < {*(standing.list_members(connect(project).client) or {})}
    monkeypatch.setattr(standing, "list_members", lambda client: members)
    for person in people[:2]:
        skip(person, first)
    assert notices(connect(project).read()) == {"skipped_last": (str(first),)}
    skip(people[2], first)
    pool = connect(project).read()
    assert notices(pool) == {"exhausted_tasks": (str(first),)}
    assert (len(pool), pool.candidates.tolist()) == (2, [True, False])


def test_three_people_in_one_tab_give_each_task_two_annotations(
    label_studio: LabelStudio, connect: Open, people: list[LabelStudio], tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(6), maximum_annotations=2)
    order = label_studio.task_ids(project)[::-1]
    served: list[list[int]] = [[], [], []]
    write(connect(project), tmp_path)
    for turn in range(6):
        on_screen = [person.next_task(project) for person in people]
        for person, task, own in zip(people, on_screen, served, strict=True):
            if task is not None:
                assert task not in own, "served twice to one person"
                own.append(task)
                person.annotate(task)
        if turn == 0:
            write(connect(project), tmp_path)  # in the middle, with tasks that are half done
            done = annotations(label_studio, project)
            values = [v for t, v in label_studio.priorities(project).items() if done[t] < 2]
            assert len({*values}) == len(values), "two tasks with one priority"
    counts = annotations(label_studio, project)
    assert min(counts.values()) >= 2
    # Each one's tasks came in the order of the ranking.
    assert all(own == sorted(own, key=order.index) for own in served)
    assert len(rank(connect(project).read(), "margin").pool_order) == 0


def annotations(label_studio: LabelStudio, project: int) -> dict[int, int]:
    page = label_studio.api(
        "GET", "/api/tasks", project=project, fields="task_only", page_size=1000
    )
    return {task["id"]: task["total_annotations"] for task in page["tasks"]}


@pytest.mark.parametrize("named", [True, False])
def test_shards_give_each_task_to_two_of_three_people_and_never_twice_to_one(
    label_studio: LabelStudio,
    connect: Open,
    people: list[LabelStudio],
    tmp_path: Path,
    named: bool,
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(7), maximum_annotations=2)
    order = label_studio.task_ids(project)[::-1]
    names = [person.email for person in people] if named else ["1", "2", "3"]
    options = {"write": {"annotators": names if named else 3}}
    served: dict[str, list[int]] = {name: [] for name in names}
    write(connect(project, **options), tmp_path)
    shown = {name: label_studio.listing(project, f"Label next {name}") for name in names}
    assert all(sum(task in tab for tab in shown.values()) == 2 for task in order)
    assert sorted(len(tab) for tab in shown.values()) == [4, 5, 5]
    assert all(tab == sorted(tab, key=order.index) for tab in shown.values())
    for _ in range(10):
        for name, person in zip(names, people, strict=True):
            task = person.next_task(project, f"Label next {name}")
            if task is not None:
                assert task not in served[name]
                served[name].append(task)
                person.annotate(task)
        if not served[names[0]][1:]:
            write(connect(project, **options), tmp_path)
    assert set(annotations(label_studio, project).values()) == {2}


@pytest.mark.parametrize("drafted", [False, True])
def test_what_an_unknown_person_skipped_is_served_to_the_other_after_every_run(
    label_studio: LabelStudio,
    connect: Open,
    people: list[LabelStudio],
    tmp_path: Path,
    drafted: bool,
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(4))
    options: dict[str, Any] = {"write": {"annotators": 2}}
    write(connect(project, **options), tmp_path)
    task = people[0].next_task(project, "Label next 1")
    assert task is not None
    if drafted:
        people[1].api("POST", f"/api/tasks/{task}/drafts", {"result": [], "lead_time": 1.0})
    skip(people[0], task)
    for _ in range(2):
        write(connect(project, **options), tmp_path)
        assert tags(label_studio, project)[task] == "|1|2|"
    served = []
    while (following := people[1].next_task(project, "Label next 2")) is not None:
        served.append(following)
        people[1].annotate(following)
    assert task in served
    assert people[0].next_task(project, "Label next 1") not in (None, task)


def test_the_tabs_of_fewer_annotators_or_another_mode_go_and_come_back(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(4))

    def titles() -> set[str]:
        return {tab["data"]["title"] for tab in label_studio.tabs(project)}

    write(connect(project, write={"annotators": 3}), tmp_path)
    assert titles() == {"Default", "Label next 1", "Label next 2", "Label next 3"}
    own = {**label_studio.tab(project, "Label next 2")["data"], "title": "Label next of mine"}
    label_studio.api("POST", "/api/dm/views/", {"project": project, "data": own})
    two = write(connect(project, write={"annotators": 2}), tmp_path)
    assert two.plan.steps[-1].description == ('Remove the tab "Label next 3", which serves nothing')
    assert titles() == {"Default", "Label next 1", "Label next 2", "Label next of mine"}
    other = write(connect(project, write={"mode": "uncertainty"}), tmp_path)
    assert titles() == {"Default", "Label next of mine"}
    connect(project).undo(other)
    connect(project).undo(two)
    assert {"Label next 1", "Label next 2", "Label next 3"} < titles()


def test_a_dry_shard_is_named_while_others_have_work(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(6))
    adapter = connect(project, write={"annotators": 2})
    assert adapter.ran_dry() == ()
    write(adapter, tmp_path)
    assert adapter.ran_dry() == ()
    for task in label_studio.listing(project, "Label next 2"):
        label_studio.annotate(task)
    assert adapter.ran_dry() == ("2",)
    write(connect(project, write={"annotators": 2}), tmp_path)
    assert adapter.ran_dry() == ()
    assert len(label_studio.listing(project, "Label next 2")) == 1


def test_an_undo_leaves_what_another_machine_wrote_later(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(4))
    ids = label_studio.task_ids(project)
    tabs = label_studio.tabs(project)
    ours = write(connect(project), tmp_path / "a")
    before = label_studio.dump(project)
    predict_anew(label_studio, project, ids)  # the order turns around
    theirs = write(connect(project), tmp_path / "b")
    assert label_studio.tab(project)["data"]["labelnext"] == {"run": theirs.run_id}
    written = label_studio.dump(project)
    stayed = connect(project).undo(Journal(ours.path))
    assert label_studio.dump(project) == written
    assert f"Kept the tab 'Label next', which run {theirs.run_id} wrote." in stayed
    assert any("Kept labelnext_priority on 4 tasks" in said for said in stayed)
    assert label_studio.listing(project) == ids
    connect(project).undo(Journal(theirs.path))
    now = label_studio.dump(project)
    assert now[1] == before[1]  # the tabs are ours again
    again = Journal(ours.path)
    assert (again.status, again.kept_for) == ("undone", theirs.run_id)
    connect(project).undo(again)
    assert Journal(ours.path).kept_for is None
    assert set(label_studio.priorities(project).values()) == {""}
    assert label_studio.tabs(project) == tabs


def test_an_undo_leaves_the_values_that_somebody_else_set(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    task = label_studio.task_ids(project)[0]
    journal = write(connect(project), tmp_path)
    body = {"selectedItems": {"all": False, "included": [task]}, "value_name": "labelnext_priority"}
    label_studio.api(
        "POST",
        "/api/dm/actions",
        {**body, "value_type": "String", "value": "mine"},
        id="add_data_field",
        project=project,
    )
    stayed = connect(project).undo(journal)
    assert label_studio.priorities(project)[task] == "mine"
    kept = f"Kept labelnext_priority on 1 task, which someone wrote after the run: {task}."
    assert kept in stayed


def test_a_number_that_was_there_comes_back_as_it_was(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    tasks = sure_to_unsure(3)
    for task, value in zip(tasks, (7, 2.5, "x"), strict=True):
        task["data"]["labelnext_priority"] = value
    project = label_studio.create_project(CHOICES, tasks)
    before = label_studio.stored_data(project)
    journal = write(connect(project), tmp_path)
    assert label_studio.stored_data(project) != before
    connect(project).undo(journal)
    values = label_studio.priorities(project)
    assert [repr(values[task]) for task in sorted(values)] == ["7", "2.5", "'x'"]


def test_what_undo_could_not_put_back_is_refused_before_the_run_begins(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    tasks = sure_to_unsure(2)
    tasks[0]["data"]["labelnext_priority"] = {"a": 1}
    project = label_studio.create_project(CHOICES, tasks)
    adapter = connect(project)
    with pytest.raises(WriteRefused, match="labelnext_priority holds something other than text"):
        adapter.plan(rank(adapter.read(), "margin"))


def test_the_undo_of_a_sending_keeps_what_anybody_has_begun(
    label_studio: LabelStudio, people: list[LabelStudio], tmp_path: Path
) -> None:
    from labelnext.adapter import Context
    from labelnext.adapter.batch import Batch, Item, Origin
    from labelnext_adapters.label_studio import LabelStudioAdapter, LabelStudioSend

    items = [Item(name, f"http://localhost/{name}.jpg") for name in "abcd"]
    origin = Origin("files", f"the dataset {tmp_path}", "one")
    batch = Batch(origin, "labelnext", "items", ("x", "y"), "m1", tuple(items))
    options = LabelStudioSend(url=label_studio.url, api_key=label_studio.token)
    target = LabelStudioAdapter.open_target(options, Context())
    plan = target.plan(batch)
    journal = Journal.create(tmp_path, plan)
    target.apply(plan, journal)
    (project,) = [
        row["id"]
        for row in label_studio.api("GET", "/api/projects/", page_size=1000)["results"]
        if str(tmp_path)[-20:] in (row["description"] or "")
    ]
    one, two, three, _ = label_studio.task_ids(project)
    people[0].api("POST", f"/api/tasks/{one}/drafts", {"result": []})  # of another user
    skip(people[1], two)
    people[2].annotate(three)
    # The next batch names what was skipped, and puts it last.
    again = target.plan(batch)
    assert again.steps[0].payload["ids"][-1] == "b"
    assert any("1 skipped task" in said for said in again.left_out)
    stayed = target.undo(Journal(journal.path))
    assert label_studio.task_ids(project) == [one, two, three]
    assert f"Kept 3 tasks that someone has worked on: {one}, {two}, {three}." in stayed
    target.close()


def test_status_as_json_tells_who_did_what_and_what_is_left(
    label_studio: LabelStudio, people: list[LabelStudio], tmp_path: Path
) -> None:
    ann, bo = people[:2]
    project = label_studio.create_project(CHOICES, sure_to_unsure(6), maximum_annotations=2)
    first, second, *_ = label_studio.task_ids(project)
    source = {"adapter": "label-studio", "url": label_studio.url, "api_key": label_studio.token}
    config = {
        "source": {**source, "project": project},
        "acquisition": {"name": "margin"},
        "write": {"annotators": [ann.email, bo.email]},
        "state": str(tmp_path),
        "report": {"path": None},
    }
    run(config)
    value = {"choices": ["good"]}
    region = {"from_name": "kind", "to_name": "text", "type": "choices", "value": value}
    for person in (ann, bo):
        person.api("POST", f"/api/tasks/{first}/annotations/", {"result": [region]})
    skip(bo, second)
    assert status(config).work is None
    work = status(config, work=True).to_dict()["work"]
    assert [(p["name"], p["labels"], p["skips"]) for p in work["people"]] == [
        (ann.email, 1, 0),
        (bo.email, 1, 1),
    ]
    assert all(p["first"] and p["first"] <= p["last"] for p in work["people"])
    assert work["agreement"] == [
        {"people": tuple(sorted([ann.email, bo.email])), "items": 1, "same": 1}
    ]
    left = {shard["name"]: shard["left"] for shard in work["shards"]}
    assert left == {ann.email: 4, bo.email: 4}  # what somebody skipped does not count
    assert (work["wanted"], work["pace"]) == (2, None)
