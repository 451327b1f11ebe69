"""What a real Label Studio exports, read as a file: the same as from the server."""

from __future__ import annotations

import json
import os
import subprocess
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput
from labelnext.pool import Pool
from labelnext_adapters.label_studio_format.xml import parse_config
from tests.integration.cars import LABEL_CONFIG, car_task, cars
from tests.integration.test_label_studio_tags import SHAPES

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)

WHOLE = {"serialization_options": {"predictions": {"only_id": False}}}


def snapshot(server: LabelStudio, project: int, options: dict[str, Any]) -> Any:
    made = server.api("POST", f"/api/projects/{project}/exports/", options)
    path = f"/api/projects/{project}/exports/{made['id']}/download"
    return server.api("GET", path, exportType="JSON")


@pytest.fixture(scope="module")
def project(label_studio: LabelStudio) -> int:
    """Thirty images of cars with a detector's boxes; three of them labelled."""
    images, detections = cars()
    tasks = [
        car_task(image, [d for d in detections if d["image_id"] == image["id"]])
        for image in images[:30]
    ]
    project = label_studio.create_project(LABEL_CONFIG, tasks)
    rows = label_studio.api("GET", "/api/predictions/", project=project)
    drawn = {row["task"]: row["result"] for row in rows}
    for task in label_studio.task_ids(project)[:3]:
        body = {"result": drawn[task], "lead_time": 1.0}
        label_studio.api("POST", f"/api/tasks/{task}/annotations/", body)
    return project


def test_a_snapshot_reads_as_the_project_it_was_made_of(
    label_studio: LabelStudio, connect: Open, project: int, tmp_path: Path
) -> None:
    (tmp_path / "export.json").write_text(json.dumps(snapshot(label_studio, project, WHOLE)))
    (tmp_path / "setup.xml").write_text(LABEL_CONFIG)
    options = {"path": "export.json", "label_config": "setup.xml", "directory": tmp_path}
    for key in (None, "name"):
        pool: Pool = open_adapter("files", key=key, **options).read()
        there: Pool = connect(project, key=key).read()
        assert pool.labelled.sum() == 3
        assert pool.fingerprint() == as_exported(there)
    derived = open_adapter("files", path="export.json", directory=tmp_path).read()
    assert derived.fingerprint() == as_exported(connect(project).read())


def as_exported(pool: Pool) -> str:
    """The fingerprint without what an export doesn't tell: whom the server would give a task."""
    return replace(pool, open=None, deferred=None).fingerprint()


def test_a_plain_export_is_refused_with_the_remedy(
    label_studio: LabelStudio, project: int, tmp_path: Path
) -> None:
    path = f"/api/projects/{project}/export"
    plain = label_studio.api("GET", path, exportType="JSON", download_all_tasks="true")
    for tasks in (plain, snapshot(label_studio, project, {})):
        (tmp_path / "export.json").write_text(json.dumps(tasks))
        with pytest.raises(InvalidInput, match="only prediction ids, not predictions.*only_id"):
            open_adapter("files", path="export.json", directory=tmp_path).read()


@pytest.mark.parametrize("tag", SHAPES)
def test_a_setup_is_parsed_as_the_server_parses_it(label_studio: LabelStudio, tag: str) -> None:
    config = f"<View>{SHAPES[tag][0]}</View>"
    project = label_studio.create_project(config)
    theirs = label_studio.api("GET", f"/api/projects/{project}/")["parsed_label_config"]
    kept = ("type", "to_name", "labels")
    assert {name: [t[k] for k in kept] for name, t in parse_config(config).items()} == {
        name: [t[k] for k in kept] for name, t in theirs.items()
    }


@pytest.mark.parametrize("kind", ["personal", "legacy"])
def test_the_commands_of_the_docs_download_a_snapshot(
    label_studio: LabelStudio, project: int, tmp_path: Path, kind: str
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "files.md").read_text("utf-8")
    block = page[page.index("    ACCESS=$(curl") : page.index("With a legacy token, which")]
    commands = textwrap.dedent(block).replace("http://localhost:8080", label_studio.url)
    first, _, second = commands.replace("projects/1/", f"projects/{project}/").partition(
        "\ncurl -H"
    )
    token = label_studio.token
    if kind == "personal":
        token = label_studio.personal_token
    else:
        exchange, line, first = first.partition('AUTHORIZATION="Authorization: Bearer $ACCESS"\n')
        assert "token/refresh" in exchange
        assert line
        first = f'AUTHORIZATION="Authorization: Token $TOKEN"\n{first}'
    script = f"set -eu\n{first}"
    env = {**os.environ, "TOKEN": token, "no_proxy": "*"}
    run = {"cwd": tmp_path, "env": env, "text": True, "check": True, "stdout": subprocess.PIPE}
    made = json.loads(subprocess.run(["bash", "-c", script], **run).stdout)
    download = f"curl -H{second}".replace("<id from the first response>", str(made["id"]))
    whole = script.partition('curl -X POST -H "$AUTHORIZATION"')[0] + download
    subprocess.run(["bash", "-c", whole], **run)
    pool = open_adapter("files", path="export.json", directory=tmp_path).read()
    assert len(pool) == 30
    assert not pool.missing.all()
