"""The tab that a run makes in Label Studio, on a real server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from labelnext.errors import WriteRefused
from labelnext.journal import Journal
from labelnext.ranking import rank
from tests.integration.choices import CHOICES, sure_to_unsure
from tests.integration.writing import write

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)


def test_another_tab_of_the_title_is_refused(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(2))
    theirs = {"title": "Label next", "type": "list", "target": "tasks", "ordering": ["tasks:id"]}
    label_studio.api("POST", "/api/dm/views/", {"project": project, "data": theirs})
    before = label_studio.dump(project)
    adapter = connect(project)
    ranking = rank(adapter.read(), "margin")
    with pytest.raises(
        WriteRefused, match="the project already has a tab .* that labelnext didn't create"
    ):
        adapter.plan(ranking)
    assert label_studio.dump(project) == before
    other = connect(project, write={"tab": "Mine"})
    other.read()
    write(other, tmp_path, ranking)
    assert [t["data"]["title"] for t in label_studio.tabs(project)] == ["Label next", "Mine"]


def test_a_run_sets_the_order_of_its_tab_again_and_leaves_its_columns(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    adapter = connect(project)
    ranking = rank(adapter.read(), "margin")
    write(adapter, tmp_path, ranking)
    tab = label_studio.tab(project)
    columns = {"explore": ["tasks:inner_id"], "labeling": []}
    reversed_by_a_click = {
        **tab["data"],
        "ordering": ["tasks:data.labelnext_priority"],
        "hiddenColumns": columns,
    }
    label_studio.api(
        "PATCH", f"/api/dm/views/{tab['id']}/", {"project": project, "data": reversed_by_a_click}
    )
    assert label_studio.listing(project) == label_studio.task_ids(project)
    journal = write(connect(project), tmp_path, ranking)
    assert label_studio.listing(project) == label_studio.task_ids(project)[::-1]
    assert label_studio.tab(project)["data"] == {**tab["data"], "hiddenColumns": columns}
    connect(project).undo(Journal(journal.path))
    assert label_studio.tab(project)["data"] == reversed_by_a_click


def sorted_by_number(label_studio: LabelStudio, tab: dict[str, Any], *kept: str) -> None:
    """Sort a tab by the tasks' numbers, as the browser does, which drops the run's stamp."""
    data = {name: value for name, value in tab["data"].items() if name in kept}
    data = {"title": tab["data"]["title"], **data, "ordering": ["tasks:id"]}
    body = {"project": tab["project"], "data": data}
    label_studio.api("PATCH", f"/api/dm/views/{tab['id']}/", body)


def test_a_tab_that_somebody_sorted_by_another_column_is_still_ours(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    ranking = rank(connect(project).read(), "margin")
    first = write(connect(project), tmp_path, ranking)
    tab = label_studio.tab(project)
    sorted_by_number(label_studio, tab, "filters", "hiddenColumns", "columnsWidth")
    by_number = label_studio.tab(project)["data"]
    second = write(connect(project), tmp_path, ranking)
    assert label_studio.listing(project) == label_studio.task_ids(project)[::-1]
    assert connect(project).undo(Journal(second.path)) == []
    assert label_studio.tab(project)["data"] == by_number
    connect(project).undo(Journal(first.path))
    assert label_studio.tabs(project) == []


def test_an_undo_leaves_a_tab_that_somebody_made_their_own_and_puts_back_the_rest(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    journal = write(connect(project), tmp_path, rank(connect(project).read(), "margin"))
    sorted_by_number(label_studio, label_studio.tab(project))
    theirs = label_studio.tab(project)
    stayed = connect(project).undo(Journal(journal.path))
    assert stayed[0] == (
        "Kept the tab 'Label next', which has nothing of labelnext's any more; delete it if nobody "
        "needs it."
    )
    assert label_studio.tab(project) == theirs
    assert set(label_studio.priorities(project).values()) == {""}


def test_a_run_says_that_filters_which_somebody_added_are_gone_and_undo_puts_them_back(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    ranking = rank(connect(project).read(), "margin")
    write(connect(project), tmp_path, ranking)
    tab = label_studio.tab(project)
    theirs = {"filter": "filter:tasks:inner_id", "operator": "less", "type": "Number", "value": 2}
    filters = {**tab["data"]["filters"], "items": [*tab["data"]["filters"]["items"], theirs]}
    body = {"project": project, "data": {**tab["data"], "filters": filters}}
    label_studio.api("PATCH", f"/api/dm/views/{tab['id']}/", body)
    assert len(label_studio.listing(project)) == 1
    adapter = connect(project)
    adapter.read()
    said = 'Filters that somebody added to the tab "Label next" are gone; '
    assert [line for line in adapter.plan(ranking).next_steps if line.startswith(said)]
    journal = write(adapter, tmp_path, ranking)
    assert len(label_studio.listing(project)) == 3
    assert not [line for line in adapter.plan(ranking).next_steps if line.startswith(said)]
    connect(project).undo(Journal(journal.path))
    assert label_studio.tab(project)["data"]["filters"] == filters


def test_an_undo_names_a_tab_that_somebody_renamed(
    label_studio: LabelStudio, connect: Open, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    other = {"title": "Mine", "type": "list", "target": "tasks", "ordering": ["tasks:id"]}
    label_studio.api("POST", "/api/dm/views/", {"project": project, "data": other})
    adapter = connect(project, write={"annotators": 2})
    journal = write(adapter, tmp_path)
    tab = label_studio.tab(project, "Label next 1")
    body = {"project": project, "data": {**tab["data"], "title": "For Ann"}}
    label_studio.api("PATCH", f"/api/dm/views/{tab['id']}/", body)
    kept = connect(project).undo(Journal(journal.path))
    assert [line for line in kept if "tab" in line] == [
        "Kept the tab 'For Ann', which is 'Label next 1' under a new name, or a copy; delete it if "
        "nobody needs it."
    ]
    assert [t["data"]["title"] for t in label_studio.tabs(project)] == ["Mine", "For Ann"]


@pytest.mark.parametrize("machines", [1, 2])
def test_a_copy_of_a_tab_is_no_later_run_once_this_machine_has_undone_that_run(
    label_studio: LabelStudio, connect: Open, tmp_path: Path, machines: int
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    pool = connect(project).read()
    first = write(connect(project), tmp_path, rank(pool, "margin"))
    folder = tmp_path if machines == 1 else tmp_path / "other"
    second = write(connect(project), folder, rank(pool, "margin", budget=1))
    copy = {**label_studio.tab(project)["data"], "title": "Copy"}
    label_studio.api("POST", "/api/dm/views/", {"project": project, "data": copy})
    connect(project).undo(Journal(second.path))
    kept = connect(project).undo(Journal(first.path))
    of_second = [line for line in kept if f"which run {second.run_id} wrote" in line]
    titles = [tab["data"]["title"] for tab in label_studio.tabs(project)]
    priorities = set(label_studio.priorities(project).values())
    if machines == 1:
        assert (of_second, titles, priorities) == ([], ["Default", "Copy"], {""})
    else:  # for all that this machine knows, that run is still there
        assert (len(of_second), titles) == (3, ["Default", "Label next", "Copy"])
        assert "" not in priorities
