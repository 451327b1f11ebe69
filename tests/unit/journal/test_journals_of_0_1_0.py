"""Journals of labelnext 0.1.0, whose first line held all payloads.

The folder in tests/unit/data is as it left it, with @FOLDER@ for its path. Two runs are there to
be listed, one was undone, one is done; the last was killed between its snapshot and its change,
and goes by another acquisition function.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from labelnext.errors import ConfigError
from labelnext.journal import Journal
from labelnext.journal.carry_out import carry_out, take_back
from labelnext.journal.journal import journals
from labelnext.runs.undo import resume, runs, undo
from tests.unit.journal.words import LARGE, NEW, OLD, Words

DATA = Path(__file__).parents[1] / "data" / "journals_of_0_1_0"
UNDONE, DONE, BROKEN = (
    "20261128T033117-195821",
    "20261128T033117-225822",
    "20261128T033117-261230",
)


def old_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "old"
    for source in (path for path in DATA.rglob("*") if path.is_file()):
        target = folder / source.relative_to(DATA)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text().replace("@FOLDER@", json.dumps(str(folder))[1:-1]))
    return folder


def test_journals_of_0_1_0_are_listed(tmp_path: Path) -> None:
    folder = old_folder(tmp_path)
    assert [(j.run_id, j.what, j.status, j.target) for j in runs(folder / "labelnext.yaml")] == [
        ("20261128T033114-965024", "run", "done", "project 7 of http://localhost:8080"),
        ("20261128T033114-969711", "fetch", "done", "quickstart"),
        (UNDONE, "run", "undone", str(folder / "ranking.csv")),
        (DONE, "run", "done", str(folder / "ranking.csv")),
        (BROKEN, "run", "broken", str(folder / "ranking.csv")),
    ]
    server, dataset, *_ = journals(folder / "state")
    assert server.header["started"] == "2026-11-28T03:31:14+00:00"
    assert server.header["seed"] == 0
    assert server.next_steps == ("Open http://localhost:8080/projects/7/data?tab=4.",)
    assert [step.kind for step in server.plan.steps] == ["fields", "tab"]
    assert server.plan.steps[0].payload["tags"] == {"all": [12, 11]}
    assert server.befores[1] == {"views": [3], "tab": None}
    (step,) = dataset.plan.steps
    assert step.payload["labels"]["64b0c0ffee64b0c0ffee6402"] == [["größer 猫", None, None]]
    assert dataset.befores == {0: None}
    assert dataset.next_steps[0].startswith("The next run leaves labelled samples out")


def ids(folder: Path) -> list[str]:
    return [line.split(",")[0] for line in (folder / "ranking.csv").read_text().splitlines()]


def test_broken_run_of_0_1_0_is_resumed(tmp_path: Path) -> None:
    folder = old_folder(tmp_path)
    assert ids(folder) == ['"item_id"', '"a"', '"c"', '"b"', '"d"']  # by margin
    assert resume(folder / "labelnext.yaml").status == "done"
    assert ids(folder) == ['"item_id"', '"a"', '"b"', '"c"', '"d"']  # by least confidence
    undo(folder / "labelnext.yaml")
    assert ids(folder) == ['"item_id"', '"a"', '"c"', '"b"', '"d"']


def test_done_run_of_0_1_0_is_undone(tmp_path: Path) -> None:
    folder = old_folder(tmp_path)
    (folder / "state" / f"{DONE}.before.csv").chmod(0o640)  # as the file itself was
    undo(folder / "labelnext.yaml")  # the broken one, which came after it
    journal, stayed = undo(folder / "labelnext.yaml")
    assert (journal.run_id, journal.status, stayed) == (DONE, "undone", [])
    assert (folder / "ranking.csv").read_text() == "made by hand\n"
    assert stat.S_IMODE((folder / "ranking.csv").stat().st_mode) == 0o640
    with pytest.raises(ConfigError, match="is already undone"):
        undo(folder / "labelnext.yaml", UNDONE)


def write_as_0_1_0(path: Path, *rows: dict[str, Any], torn: str = "") -> None:
    lines = [json.dumps(row, separators=(",", ":")) for row in rows]
    path.write_text("\n".join(lines) + "\n" + torn)


OLD_HEADER = {
    "kind": "plan",
    "run_id": "20260101T000000-000000",
    "started": "2026-01-01T00:00:00+00:00",
    "plan": LARGE.to_dict(),
}


@pytest.mark.parametrize("cut", [5, 40, 20_000])
def test_snapshot_of_0_1_0_that_was_cut_off_is_passed_over(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "20260101T000000-000000.jsonl"
    before = json.dumps({"kind": "before", "step": 0, "state": OLD}, separators=(",", ":"))
    write_as_0_1_0(path, OLD_HEADER, torn=before[:cut])
    journal, content = Journal(path), list(OLD)
    assert journal.status == "planned"
    carry_out(journal.plan, journal, Words(content))
    assert content == NEW
    again = Journal(path)
    assert again.status == "done"
    assert again.befores == {0: OLD}
    take_back(again, Words(content))
    assert content == OLD
