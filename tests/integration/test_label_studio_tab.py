"""The tab that a run makes in Label Studio, on a real server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
