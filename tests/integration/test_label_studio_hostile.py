"""Tasks whose data holds what breaks careless programs, through whole runs on a real server."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from labelnext.runs.run import run
from labelnext.runs.undo import undo
from tests.integration.choices import CHOICES, choice_task
from tests.integration.faulty_proxy import running_proxy

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)

NAMES = [
    "<script>alert(1)</script>",
    "</td></table><img src=x onerror='alert(2)'>",
    '"><b>bold</b>',
    "{{ 7*7 }}{% raw %}",
    "line\nend\ttab\r",
    "control \x01\x1b[31m\x7f",
    "turned \u202e and parted \u2028",
    "ümläut 😀 \ufeff",
    "=cmd|' /C calc'!A0",
    "../../etc/passwd\\",
    "x" * 10_000,  # the longest that an id may be
]
DATA: dict[str, Any] = {
    "html": "<script>document.title='owned'</script>",
    "control": "\x01\x02\x1b]0;title\x07\x7f\x9f",
    "nested": {"a": [1, 2.5, None, True, {"b": "0.1abc"}], "labelnext_priority": "mine"},
    "big": 10**30,
    "long": "x" * 1_000_000,
    "small": 1e-7,
    "whole": 1.0,
    "nothing": None,
    "empty": "",
    "a.b": 1,
    "__proto__": {"x": 1},
    "": "no name",
}


@pytest.fixture
def hostile(label_studio: LabelStudio) -> int:
    """A project whose items are named by what is hostile, each with more of it."""
    rows = [choice_task(0.95 - 0.02 * i, **DATA, name=name) for i, name in enumerate(NAMES)]
    return label_studio.create_project(CHOICES, rows)


def without_ours(rows: dict[int, str]) -> dict[int, str]:
    """The stored text without the keys that were added, byte for byte otherwise."""
    ours = r'(, "labelnext_(priority|batch)": "[^"]*")+(?=}$)'
    return {task: re.sub(ours, "", data) for task, data in rows.items()}


def config(url: str, server: LabelStudio, project: int, folder: Path) -> Path:
    path = folder / "labelnext.yaml"
    path.write_text(
        f"source: {{adapter: label-studio, url: '{url}', project: {project}, key: name, "
        f"api_key: {server.token}}}\nwrite: {{output: ranking.jsonl}}\nselection: {{budget: 4}}\n"
    )
    return path


@pytest.mark.parametrize("refused", ["", "add_data_field"], ids=["by key", "by whole data"])
def test_hostile_data_passes_through_a_run_and_its_undo_untouched(
    label_studio: LabelStudio, hostile: int, tmp_path: Path, refused: str
) -> None:
    before = label_studio.stored_data(hostile)
    assert any(len(data) > 1_000_000 for data in before.values())
    with running_proxy(label_studio.url) as proxy:
        proxy.refused = refused
        path = config(proxy.url, label_studio, hostile, tmp_path)
        report = run(path)
        after = label_studio.stored_data(hostile)
        assert bool(refused) == ("rejects add_data_field" in report.to_text())
        undo(path)
    ids = label_studio.task_ids(hostile)
    assert all('"labelnext_priority": "' in data for data in after.values())
    assert without_ours(after) == before
    assert without_ours(label_studio.stored_data(hostile)) == before
    # The ranking names the items as they are.
    rows = [json.loads(line) for line in (tmp_path / "ranking.jsonl").read_bytes().splitlines()]
    assert [row["item_id"] for row in rows] == NAMES[::-1]
    assert len(ids) == len(NAMES)


def test_hostile_data_is_escaped_in_the_report(
    label_studio: LabelStudio, hostile: int, tmp_path: Path
) -> None:
    report = run(config(label_studio.url, label_studio, hostile, tmp_path))
    page = (tmp_path / "labelnext-report.html").read_text("utf-8")
    for name in NAMES[:3]:
        assert name not in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "\x1b" not in page
    assert "\x1b" not in report.to_text()
    assert label_studio.token not in page
