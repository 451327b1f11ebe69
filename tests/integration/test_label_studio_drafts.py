"""Shards and people's drafts: what somebody has begun is theirs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.integration.choices import CHOICES, sure_to_unsure
from tests.integration.writing import tags, write

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = (
    "tests.integration.label_studio_server",
    "tests.integration.label_studio_members",
)

DRAFT = {"result": [], "lead_time": 1.0}


def draft(person: LabelStudio, *tasks: int) -> None:
    for task in tasks:
        person.api("POST", f"/api/tasks/{task}/drafts", DRAFT)


def owned(server: LabelStudio, project: int) -> dict[str, set[int]]:
    """By the name of each tab, the tasks that it shows."""
    prefix = "Label next "
    titles = [tab["data"]["title"] for tab in server.tabs(project)]
    return {
        title.removeprefix(prefix): {*server.listing(project, title)}
        for title in titles
        if title.startswith(prefix)
    }


def test_what_somebody_has_begun_is_in_their_tab_and_counts_as_theirs(
    label_studio: LabelStudio, connect: Open, people: list[LabelStudio], tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(12))
    ids = label_studio.task_ids(project)[::-1]  # next first
    ann, bo, _ = people
    names = [ann.email, bo.email]
    options: dict[str, Any] = {"write": {"annotators": names}}
    draft(bo, *ids[:3])  # before there are tabs
    write(connect(project, **options), tmp_path, budget=6)
    assert owned(label_studio, project) == {ann.email: {*ids[3:6]}, bo.email: {*ids[:3]}}
    label_studio.api("POST", f"/api/tasks/{ids[3]}/annotations/", DRAFT)
    draft(bo, ids[4])  # of ann's, by Label All Tasks
    for _ in range(2):  # a second run moves nothing
        write(connect(project, **options), tmp_path, budget=6)
        there = owned(label_studio, project)
        assert there[bo.email] == {*ids[:3], ids[4]}
        assert there[ann.email] == {*ids[5:7]}  # the rest of the batch of six
    served = set()
    while (task := bo.next_task(project, f"Label next {bo.email}")) is not None:
        served.add(task)
        bo.annotate(task)
    assert served == {*ids[:3], ids[4]}


def test_with_two_annotations_a_task_is_in_the_tabs_of_all_who_have_begun_it(
    label_studio: LabelStudio, connect: Open, people: list[LabelStudio], tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(6), maximum_annotations=2)
    first = label_studio.task_ids(project)[-1]
    options: dict[str, Any] = {"write": {"annotators": [person.email for person in people]}}
    write(connect(project, **options), tmp_path)
    before = tags(label_studio, project)[first]
    (other,) = [person for person in people if person.email not in before]
    draft(other, first)
    write(connect(project, **options), tmp_path)
    there = owned(label_studio, project)
    assert first in there[other.email]
    assert sum(first in tasks for tasks in there.values()) == 2
    sizes = sorted(len(tasks) for tasks in there.values())
    assert sum(sizes) == 12
    assert sizes[-1] - sizes[0] <= 2  # the person with the other tasks keeps them
    others = [person for person in people if person is not other]
    draft(others[0], first)
    draft(others[1], first)  # a third: two of them have a place
    write(connect(project, **options), tmp_path)
    assert tags(label_studio, project)[first].count("@") == 2
