"""clear: old runs go from the state folder, and what stays can still be undone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import labelnext
from labelnext.cli import app
from labelnext.errors import Busy, InvalidInput, WriteFailed
from labelnext.journal.journal import Journal
from labelnext.journal.lock import only_run
from labelnext.runs.clear import clear
from labelnext.runs.status import status
from labelnext.runs.undo import runs, undo
from tests.unit.runs.test_undo_all import configured


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return configured(tmp_path, "a")


def ranked(config: Path, *confidences: float) -> list[str]:
    """Runs with these confidences of x, one after the other; their ids."""
    made = []
    for sure in confidences:
        rows = f"item_id,p_a,p_b\nx,{sure},{1 - sure}\ny,0.75,0.25\n"
        (config.parent / "p.csv").write_text(rows)
        made.append(str(labelnext.run(config).run_id))
    return made


def left(state: Path) -> dict[str, int]:
    """How many files of each run there are."""
    names = [p.name.partition(".")[0] for p in state.rglob("*") if p.is_file()]
    return {name: names.count(name) for name in sorted({*names} - {"lock"})}


def known(config: Path) -> list[str]:
    return [journal.run_id for journal in runs(config)]


def test_no_state_folder_is_nothing_to_clear(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert clear(config).runs == ()
    app(["clear", str(config)], standalone_mode=False)
    said = "Nothing to clear: no finished run is older than the newest 30.\n"
    assert capsys.readouterr().out == said
    assert not (config.parent / ".labelnext").exists()


def test_the_newest_runs_stay_and_can_be_undone(config: Path) -> None:
    first, second, third, fourth = ranked(config, 0.5, 0.9, 0.6, 0.95)
    state, output = config.parent / ".labelnext", config.parent / "a.csv"
    size = sum(p.stat().st_size for p in state.rglob("*") if p.stem.startswith((first, second)))
    before = left(state)
    assert clear(config, keep=2, dry_run=True).runs == (first, second)
    assert left(state) == before
    done = clear(config, keep=2)
    assert (done.runs, done.size) == ((first, second), size)
    assert left(state) == {run: before[run] for run in (third, fourth)}
    undo(config)
    assert output.read_text().index('"x"') < output.read_text().index('"y"')  # the third's
    undo(config)
    assert output.read_text().index('"y"') < output.read_text().index('"x"')  # the second's
    assert clear(config, keep=1).runs == ()


def test_the_newest_run_stays_whatever_is_asked(config: Path) -> None:
    first, second = ranked(config, 0.5, 0.9)
    wrong: Any
    for wrong in (0, "2", None):
        with pytest.raises(InvalidInput, match="keep must be a whole number of at least 1; got"):
            clear(config, keep=wrong)
    assert clear(config, keep=1).runs == (first,)
    assert known(config) == [second]


def test_undone_runs_dont_count_among_those_that_stay(config: Path) -> None:
    first, second = ranked(config, 0.5, 0.9)
    undo(config)
    assert clear(config, keep=1).runs == ()
    third, fourth = ranked(config, 0.6, 0.7)
    assert clear(config, keep=1).runs == (first, second, third)
    assert known(config) == [fourth]


def test_interrupted_runs_and_those_of_other_places_stay(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = ranked(config, 0.5)
    record = Journal.record

    def dying(self: Journal, kind: str, **data: Any) -> None:
        if kind == "done":
            raise KeyboardInterrupt
        record(self, kind, **data)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "record", dying)
        with pytest.raises((KeyboardInterrupt, WriteFailed)):
            ranked(config, 0.6)
    broken = known(config)[-1]
    other = configured(config.parent, "b")
    (foreign,) = ranked(other, 0.5)
    moved = config.read_text()
    config.write_text(moved.replace("a.csv", "elsewhere.csv"))
    (elsewhere,) = ranked(config, 0.9)
    config.write_text(moved)
    newer = ranked(config, 0.9, 0.6)
    assert clear(config, keep=1).runs == (first, newer[0])
    assert known(config) == [broken, elsewhere, newer[1]]
    assert known(other) == [foreign]


def test_nothing_is_cleared_while_a_run_goes_on(config: Path) -> None:
    ranked(config, 0.5, 0.9)
    with only_run(config.parent / ".labelnext"), pytest.raises(Busy):
        clear(config, keep=1)
    assert len(known(config)) == 2


def test_status_knows_the_runs_that_stay(config: Path) -> None:
    _, second, third = ranked(config, 0.5, 0.9, 0.6)
    clear(config, keep=2)
    assert [run.run_id for run in status(config).runs] == [second, third]


def test_the_command_says_what_goes(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, _ = ranked(config, 0.5, 0.9, 0.6)
    capsys.readouterr()
    app(["clear", str(config), "--keep", "1", "--dry-run"], standalone_mode=False)
    assert capsys.readouterr().out == f"Would clear 2 runs (0.0 MB), up to {second}.\n"
    app(["clear", str(config), "--keep", "2", "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out)["runs"] == [first]
    app(["clear", str(config), "--keep", "1"], standalone_mode=False)
    assert capsys.readouterr().out == f"Cleared 1 run (0.0 MB), {second}.\n"
