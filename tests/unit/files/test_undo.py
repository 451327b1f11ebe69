"""What undo and resume of a ranking file do about changes, copies, and journals of others."""

from __future__ import annotations

import json
import os
import shutil
import stat
import struct
from pathlib import Path

import pytest

import labelnext
from labelnext.errors import (
    ConfigError,
    LabelnextError,
    LabelnextWarning,
    NotFound,
    WriteRefused,
)
from labelnext.runs.undo import resume, runs, undo

POOL = (
    '{"item_id": "a", "probabilities": [0.6, 0.4]}\n{"item_id": "b", "probabilities": [0.5, 0.5]}\n'
)


def configured(folder: Path, output: str = "r.csv", name: str = "c.yaml", more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "p.jsonl").write_text(POOL)
    path = folder / name
    path.write_text(
        f"source: {{adapter: files, path: p.jsonl}}\nwrite: {{output: {output}}}\n"
        f"report: {{path: null}}\n{more}"
    )
    return path


@pytest.mark.parametrize("output", ["r.csv", "r.jsonl", "r.parquet"])
def test_runs_and_undos_in_a_chain_end_where_they_began(tmp_path: Path, output: str) -> None:
    config = configured(tmp_path / "c", output)
    path = config.parent / output
    path.write_bytes(b"mine")
    os.utime(path, ns=(10**18, 10**18))
    contents = [path.read_bytes()]
    for budget in (1, 2):
        config.write_text(config.read_text() + ("selection: {budget: 1}\n" if budget == 1 else ""))
        labelnext.run(config)
        contents.append(path.read_bytes())
    for content in contents[-2::-1]:
        undo(config)
        assert path.read_bytes() == content
    assert path.stat().st_mtime_ns == 10**18
    with pytest.raises(NotFound):
        undo(config)
    newest = runs(config)[-1].run_id
    with pytest.raises(ConfigError, match="already undone"):
        undo(config, newest)


def test_a_copied_folder_undoes_its_own_ranking(tmp_path: Path) -> None:
    config = configured(tmp_path / "one")
    (config.parent / "r.csv").write_text("old")
    labelnext.run(config)
    ranking = (config.parent / "r.csv").read_bytes()
    shutil.copytree(config.parent, tmp_path / "two")
    undo(tmp_path / "two" / "c.yaml")
    assert (config.parent / "r.csv").read_bytes() == ranking
    assert (tmp_path / "two" / "r.csv").read_text() == "old"
    config.parent.rename(tmp_path / "three")
    undo(tmp_path / "three" / "c.yaml")
    assert (tmp_path / "three" / "r.csv").read_text() == "old"


def test_the_acl_of_the_ranking_file_stays_through_run_and_undo(tmp_path: Path) -> None:
    if not hasattr(os, "setxattr"):
        pytest.skip("this system has no extended attributes")
    config = configured(tmp_path / "one")
    ranking = config.parent / "r.csv"
    ranking.write_text("old")
    # Version 2; owner rw, user 12345 r, group r, mask r, others none; ids of -1 name nobody.
    entries = [(1, 6, -1), (2, 4, 12345), (4, 4, -1), (16, 4, -1), (32, 0, -1)]
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)
    try:
        os.setxattr(ranking, "system.posix_acl_access", acl)
    except OSError:
        pytest.skip("this file system has no ACLs")
    labelnext.run(config)
    assert ranking.read_text() != "old"
    assert os.getxattr(ranking, "system.posix_acl_access") == acl
    undo(config)
    assert ranking.read_text() == "old"
    assert os.getxattr(ranking, "system.posix_acl_access") == acl


def test_an_older_journal_of_another_folder_is_refused(tmp_path: Path) -> None:
    config = configured(tmp_path / "one")
    (config.parent / "r.csv").write_text("old")
    journal = labelnext.run(config) and runs(config)[-1].path
    told = journal.read_text().replace('"path":"r.csv"', f'"path":"{config.parent}/r.csv"')
    assert told != journal.read_text()
    journal.write_text(told)  # as older versions named it
    ranking = (config.parent / "r.csv").read_bytes()
    shutil.copytree(config.parent, tmp_path / "two")
    with pytest.raises(WriteRefused, match="which this configuration doesn't name"):
        undo(tmp_path / "two" / "c.yaml")
    assert (config.parent / "r.csv").read_bytes() == ranking
    undo(config)
    assert (config.parent / "r.csv").read_text() == "old"


@pytest.mark.parametrize(
    "path", ["../stolen.csv", "p.jsonl", "/tmp/stolen.csv", "c.yaml", "side.csv", "side/a.parquet"]
)
def test_a_journal_that_asks_for_another_file_is_refused(tmp_path: Path, path: str) -> None:
    config = configured(tmp_path / "c")
    labelnext.run(config)
    if path.startswith("side"):  # now it is read, in place of what was
        (config.parent / path).parent.mkdir(exist_ok=True)
        (config.parent / "r.csv").rename(config.parent / path)
        side = f"p.jsonl, predictions: {{file: {Path(path).parts[0]}}}"
        config.write_text(config.read_text().replace("p.jsonl", side))
    journal = runs(config)[-1].path
    journal.write_text(journal.read_text().replace('"path":"r.csv"', f'"path":"{path}"'))
    (tmp_path / "stolen.csv").write_text("theirs")
    before = {
        p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and p.suffix != ".jsonl"
    }
    with pytest.raises(LabelnextError):
        undo(config)
    assert (config.parent / "p.jsonl").read_text() == POOL
    assert {p: p.read_bytes() for p in before} == before


def test_two_configurations_on_one_output_undo_in_turn(tmp_path: Path) -> None:
    a = configured(tmp_path / "c", name="a.yaml", more="state: a\nselection: {budget: 1}\n")
    b = configured(tmp_path / "c", name="b.yaml", more="state: b\n")
    path = tmp_path / "c" / "r.csv"
    path.write_text("old")
    labelnext.run(a)
    of_a = path.read_bytes()
    with pytest.warns(LabelnextWarning, match="holds a ranking that isn't of a run in "):
        labelnext.run(b)
    of_b = path.read_bytes()
    with pytest.raises(WriteRefused, match="was changed after the run"):
        undo(a)
    assert path.read_bytes() == of_b
    undo(b)
    assert path.read_bytes() == of_a
    undo(a)
    assert path.read_text() == "old"


def test_a_link_and_a_mode_survive_run_and_undo(tmp_path: Path) -> None:
    config = configured(tmp_path / "c", "l.csv")
    real = tmp_path / "real.csv"
    real.write_text("old")
    real.chmod(0o604)
    (config.parent / "l.csv").symlink_to(real)
    labelnext.run(config)
    assert real.read_text() != "old"
    assert stat.S_IMODE(real.stat().st_mode) == 0o604
    kept = [p for p in (config.parent / ".labelnext").iterdir() if p.name.endswith(".kept")]
    assert [stat.S_IMODE(p.stat().st_mode) for p in kept] == [0o600]
    undo(config)
    assert (config.parent / "l.csv").is_symlink()
    assert (real.read_text(), stat.S_IMODE(real.stat().st_mode)) == ("old", 0o604)


def test_the_kept_copy_goes_once_the_undo_has_ended(tmp_path: Path) -> None:
    config = configured(tmp_path / "c")
    (config.parent / "r.csv").write_text("old")
    state = config.parent / ".labelnext"
    for budget in (1, 2):
        config.write_text(f"{config.read_text()}# {budget}\n")
        labelnext.run(config)
    first, second = sorted(state.glob("*.kept"))
    content = second.read_bytes()
    undo(config)
    assert [*state.glob("*.kept")] == [first]
    second.write_bytes(content)  # as an undo leaves it that was killed after its last line
    labelnext.run(config)
    third = max(state.glob("*.kept"))
    assert sorted(state.glob("*.kept")) == [first, third]
    assert third.name > second.name
    undo(config)
    undo(config)
    assert (config.parent / "r.csv").read_text() == "old"
    assert not [*state.glob("*.kept")]


def test_a_kept_copy_that_is_gone_or_changed_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    config = configured(tmp_path / "c")
    (config.parent / "r.csv").write_text("old")
    labelnext.run(config)
    ranking = (config.parent / "r.csv").read_bytes()
    (kept,) = (config.parent / ".labelnext").glob("*.kept")
    for spoil in (lambda: kept.write_text("odd"), kept.unlink):
        spoil()
        with pytest.raises(ConfigError, match="is missing or damaged"):
            undo(config)
        assert (config.parent / "r.csv").read_bytes() == ranking


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten_by_resume(tmp_path: Path) -> None:
    config = configured(tmp_path / "c")
    labelnext.run(config)
    journal = runs(config)[-1].path
    lines = journal.read_text().splitlines(keepends=True)
    cut = next(n for n, line in enumerate(lines) if line.startswith('{"kind":"done"'))
    journal.write_text("".join(lines[:cut]))
    (config.parent / "r.csv").write_text("theirs")
    with pytest.raises(LabelnextError, match="was changed after the run"):
        resume(config)
    assert (config.parent / "r.csv").read_text() == "theirs"


def test_the_history_that_finds_no_room_ends_no_run(tmp_path: Path) -> None:
    config = configured(tmp_path / "c")
    text = config.read_text().replace("path: null", "path: r.html")
    config.write_text(text)
    (config.parent / ".labelnext").mkdir()
    (config.parent / ".labelnext" / "history").write_text("in the way")
    report = labelnext.run(config)
    assert [n.code for n in report.notices if "history" in n.code] == ["history_not_written"]
    assert (config.parent / "r.html").exists()
    assert json.loads(report.to_json())["run_id"] == runs(config)[-1].run_id
    assert runs(config)[-1].status == "done"
