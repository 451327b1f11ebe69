"""A token whose user is in two organizations, of which one is active at a time."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import labelnext
from labelnext.errors import ConfigError, LabelnextError, NotFound, WriteFailed
from labelnext.runs.undo import resume, undo
from labelnext_adapters.label_studio.write.performer import Tabs
from tests.integration.choices import CHOICES, sure_to_unsure

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)

Switch = Callable[[int], None]


def _copied(database: sqlite3.Connection, table: str, where: str, **changed: Any) -> int:
    """A copy of the first such row, with other values; its number."""
    names = [row[1] for row in database.execute(f"PRAGMA table_info({table})") if row[1] != "id"]
    rows = database.execute(f"SELECT {', '.join(names)} FROM {table} WHERE {where}").fetchall()
    values = {**dict(zip(names, rows[0], strict=True)), **changed}
    marks = ", ".join("?" * len(names))
    columns = ", ".join(names)
    insert = f"INSERT INTO {table} ({columns}) VALUES ({marks})"
    done = database.execute(insert, [*values.values()])
    return int(done.lastrowid or 0)


@pytest.fixture
def switch(label_studio: LabelStudio) -> Any:
    """Make an organization the active one of the token's user: 1, or a second one of others."""
    other = label_studio.second_user()
    path = label_studio.data / "label_studio.sqlite3"

    def execute(work: Callable[[sqlite3.Connection], Any]) -> Any:
        with closing(sqlite3.connect(path, timeout=20)) as database, database:
            return work(database)

    def found(database: sqlite3.Connection) -> tuple[int, int]:
        asked = "SELECT id FROM htx_user WHERE email = ?"
        (mine,) = database.execute(asked, [label_studio.email]).fetchone()
        (theirs,) = database.execute(asked, [other.email]).fetchone()
        made = _copied(
            database, "organization", "1", token=secrets.token_hex(20), created_by_id=theirs
        )
        member = {"organization_id": made, "user_id": mine}
        _copied(database, "organizations_organizationmember", "1", **member)
        _copied(database, "jwt_auth_jwtsettings", "1", organization_id=made)
        return int(mine), made

    mine, second = execute(found)

    def make_active(number: int) -> None:
        active = 1 if number == 1 else second
        change = "UPDATE htx_user SET active_organization_id = ? WHERE id = ?"
        execute(lambda database: database.execute(change, [active, mine]))

    yield make_active
    make_active(1)


@pytest.fixture
def title(tmp_path: Path) -> str:
    """A title that no other test has."""
    return f"Two of {tmp_path.name}"


@pytest.fixture
def projects(label_studio: LabelStudio, switch: Switch, title: str) -> tuple[int, int]:
    """Two projects of one title, one in each organization; the first organization is active."""
    made = []
    for organization in (2, 1):
        switch(organization)
        made.append(label_studio.create_project(CHOICES, sure_to_unsure(4), title=title))
    return made[1], made[0]


def _config(server: LabelStudio, project: int | str, state: Path) -> dict[str, Any]:
    source = {"adapter": "label-studio", "url": server.url, "api_key": server.token}
    return {
        "source": {**source, "project": project},
        "state": str(state),
        "report": {"path": None},
    }


def _data(server: LabelStudio, projects: tuple[int, int]) -> list[dict[int, str]]:
    return [server.stored_data(project) for project in projects]


def test_what_is_in_another_organization_is_neither_ranked_nor_taken_back(
    label_studio: LabelStudio, switch: Switch, projects: tuple[int, int], tmp_path: Path
) -> None:
    config = _config(label_studio, projects[0], tmp_path / "state")
    labelnext.run(config)
    written = _data(label_studio, projects)
    switch(2)
    for act in (undo, labelnext.run):
        with pytest.raises(NotFound) as error:
            act(config)
        assert "another organization than the user's active one" in str(error.value.hint)
    assert _data(label_studio, projects) == written
    switch(1)
    undo(config)
    assert not any(label_studio.priorities(projects[0]).values())


def test_a_title_that_names_a_project_of_another_organization_now_is_refused(
    label_studio: LabelStudio,
    switch: Switch,
    projects: tuple[int, int],
    title: str,
    tmp_path: Path,
) -> None:
    config = _config(label_studio, title, tmp_path / "state")
    labelnext.run(config)
    written = _data(label_studio, projects)
    switch(2)
    with pytest.raises(ConfigError, match="must work in organization 1, .* Nothing was written"):
        labelnext.run(config)
    with pytest.raises(LabelnextError):
        undo(config)
    assert _data(label_studio, projects) == written
    labelnext.run(_config(label_studio, title, tmp_path / "other"))  # is asked for by a new folder
    assert _data(label_studio, projects)[0] == written[0]
    switch(1)
    labelnext.run(config)
    undo(config)
    undo(config)
    assert not any(label_studio.priorities(projects[0]).values())


def test_a_run_that_broke_off_goes_on_only_in_its_organization(
    label_studio: LabelStudio,
    switch: Switch,
    projects: tuple[int, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = _config(label_studio, projects[0], tmp_path / "state")
    with monkeypatch.context() as patch:
        patch.setattr(Tabs, "perform", _failing)
        with pytest.raises(WriteFailed):
            labelnext.run(config)
    switch(2)
    with pytest.raises(ConfigError, match="must work in organization 1"):
        resume(config)
    switch(1)
    assert label_studio.tabs(projects[0]) == []
    resume(config)
    assert label_studio.listing(projects[0]) == label_studio.task_ids(projects[0])[::-1]
    undo(config)


def _failing(*_: Any) -> None:
    raise WriteFailed("the line broke")
