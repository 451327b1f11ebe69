"""undo --all: every run of a configuration, newest first, until one can't be undone."""

from __future__ import annotations

from pathlib import Path

import pytest

import labelnext
from labelnext.cli import app
from labelnext.errors import ConfigError, LabelnextWarning
from labelnext.journal import Performer
from labelnext.runs.undo import runs, undo, undo_all


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "p.csv").write_text("item_id,p_a,p_b\nx,0.9,0.1\ny,0.5,0.5\n")
    return configured(tmp_path, "a")


def configured(folder: Path, name: str, output: str | None = None) -> Path:
    path = folder / f"{name}.yaml"
    source = "source: {adapter: files, path: p.csv}\nreport: {path: null}\n"
    path.write_text(f"{source}write: {{output: {output or name}.csv}}\n")
    return path


def statuses(config: Path) -> list[str]:
    return [journal.status for journal in runs(config)]


def test_no_run_is_nothing_to_undo(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(undo_all(config)) == []
    app(["undo", str(config), "--all"], standalone_mode=False)
    assert capsys.readouterr().out == "No run to undo.\n"


def test_all_runs_go_newest_first_and_the_file_is_as_before(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = [labelnext.run(config).run_id for _ in range(3)]
    undo(config)  # one by itself is left alone
    app(["undo", str(config), "--all"], standalone_mode=False)
    said = capsys.readouterr().out.splitlines()
    assert said == [f"Undid run {made[n]}, which wrote to {tmp_path / 'a.csv'}." for n in (1, 0)]
    assert statuses(config) == ["undone"] * 3
    assert not (tmp_path / "a.csv").exists()


def test_all_ends_at_a_run_that_is_not_undone_to_its_end(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [labelnext.run(config).run_id for _ in range(2)]
    monkeypatch.setattr(Performer, "left", lambda _: True)
    app(["undo", str(config), "--all"], standalone_mode=False)
    said = f"Undid run {made[1]}, which wrote to {config.with_name('a.csv')}, but not"
    assert capsys.readouterr().out == f"{said} all of it yet.\n"
    assert statuses(config) == ["done", "broken"]


def test_runs_of_other_configurations_stay(config: Path, tmp_path: Path) -> None:
    other = configured(tmp_path, "b")
    labelnext.run(config)
    labelnext.run(other)
    assert len(list(undo_all(config))) == 1
    assert (statuses(config), statuses(other)) == (["undone"], ["done"])
    assert (tmp_path / "b.csv").exists()


def test_run_on_which_another_builds_ends_it_with_a_reason(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = configured(tmp_path, "b", "a")  # writes the same file
    first = labelnext.run(config).run_id
    with pytest.warns(LabelnextWarning, match="also writes this file"):
        later = labelnext.run(other).run_id
    with pytest.raises(ConfigError, match=f"the later run {later} of .*b.yaml builds") as caught:
        app(["undo", str(config), "--all"], standalone_mode=False)
    assert caught.value.hint.startswith("undo that first: ")
    assert caught.value.hint.endswith(f"labelnext undo {other} {later}.")
    assert caught.value.message.startswith(f"run {first} can't be undone")
    assert capsys.readouterr().out == ""
    assert statuses(config) == ["done"]
