"""Journals that are corrupted in any way: named and passed over, and never a traceback."""

from __future__ import annotations

import json
import os
import random
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import labelnext
from labelnext.errors import LabelnextError
from labelnext.runs.undo import resume, runs, undo

_JUNK = [None, True, 0, -1, 1.5, "x", "", [], {}, {"a": 1}, [1], "2", 10**30, "../../x", 1e999]
_LINES = [
    b'{"kind":"before","step":9,"state":{}}',
    b'{"kind":"before","step":"x","state":1}',
    b'{"kind":"done","step":-1}',
    b'{"kind":[]}',
    b'{"kind":"written","sha256":3}',
    b'{"kind":"undone","stayed":3}',
    b"123",
    b"[" * 100_000,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    (folder / "p.jsonl").write_text('{"item_id": "a", "probabilities": [0.6, 0.4]}\n')
    (folder / "c.yaml").write_text(
        "source: {adapter: files, path: p.jsonl}\nwrite: {output: r.csv}\nreport: {path: null}\n"
    )
    (folder / "r.csv").write_text("old")
    labelnext.run(folder / "c.yaml")
    return folder


def changed(value: Any, rng: random.Random, share: float) -> Any:
    """A value with a share of its parts replaced by others, or left out."""
    if rng.random() < share:
        return rng.choice(_JUNK)
    if isinstance(value, dict):
        return {k: changed(v, rng, share) for k, v in value.items() if rng.random() > share / 3}
    if isinstance(value, list):
        return [changed(part, rng, share) for part in value]
    return value


def corrupted(path: Path, rng: random.Random) -> None:
    whole = path.read_bytes()
    lines = whole.splitlines()
    kind = rng.randrange(5)
    if kind < 2:
        place = rng.randrange(len(lines)) if kind else 0
        share = rng.choice([0.03, 0.15, 0.3])
        text = json.dumps(changed(json.loads(lines[place]), rng, share), separators=(",", ":"))
        lines[place] = text.encode()
    elif kind == 2:
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(_LINES))
    elif kind == 3:
        path.write_bytes(whole[: rng.randrange(len(whole))])
        return
    else:
        noise = bytearray(whole)
        for _ in range(rng.randint(1, 20)):
            noise[rng.randrange(len(noise))] = rng.randrange(256)
        path.write_bytes(noise)
        return
    path.write_bytes(b"\n".join(lines) + b"\n")


# A journal cut short may no longer say that its run wrote the ranking.
@pytest.mark.filterwarnings("ignore:.* holds a ranking that isn't of a run in")
@pytest.mark.filterwarnings("ignore:.* was changed since a run wrote it")
@pytest.mark.parametrize("seed", range(40))
def test_no_corruption_ends_in_a_traceback_or_stops_the_next_run(
    tmp_path: Path, folder: Path, seed: int
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    config = copy / "c.yaml"
    (journal,) = (copy / ".labelnext").glob("*.jsonl")
    corrupted(journal, random.Random(seed))
    for known in runs(config):
        _ = known.status, known.what, known.target, str(known.header["started"])[:16]
    for command in (resume, undo):
        with suppress(LabelnextError):
            command(config)
    assert (copy / "p.jsonl").exists()
    labelnext.run(config)
    assert (copy / "r.csv").read_text().startswith('"item_id"')


@pytest.mark.parametrize("kind", ["folder", "pipe", "link", "loop", "zeros", "deep", "huge"])
def test_what_is_no_journal_is_named_and_passed_over(
    tmp_path: Path, folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelnext.journal.file._LONGEST", 1 << 16)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    path = copy / ".labelnext" / "20200101T000000-000000.jsonl"
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "link":
            path.symlink_to("nowhere")
        case "loop":
            path.symlink_to(path.name)
        case "zeros":
            path.write_bytes(bytes(5000))
        case "deep":
            path.write_bytes(b'{"kind":"plan","format":2,"x":' + b"[" * 100_000)
        case "huge":
            with path.open("wb") as file:
                file.write(b'{"kind":"plan","format":2,')
                file.truncate(1 << 42)  # takes no room
    report = labelnext.run(copy / "c.yaml")
    (notice,) = [n for n in report.notices if n.code == "journal_skipped"]
    assert path.name in notice.message
    undo(copy / "c.yaml")
    undo(copy / "c.yaml")
    assert (copy / "r.csv").read_text() == "old"


@pytest.mark.parametrize("kind", ["folder", "pipe", "link"])
def test_a_lock_that_is_no_file_is_refused_without_waiting(
    tmp_path: Path, folder: Path, kind: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    lock, theirs = copy / ".labelnext" / "lock", tmp_path / "theirs"
    lock.unlink()
    theirs.write_text("theirs")
    match kind:
        case "folder":
            lock.mkdir()
        case "pipe":
            os.mkfifo(lock)
        case "link":
            lock.symlink_to(theirs)
    with pytest.raises(LabelnextError, match="state must be a writable folder"):
        labelnext.run(copy / "c.yaml")
    assert theirs.read_text() == "theirs"


def test_what_a_dead_run_left_is_swept_by_the_next(tmp_path: Path, folder: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    state = copy / ".labelnext"
    dead = "20200101T000000-000000"
    left = [
        copy / ".labelnext-0123456789abcdef.partial",
        state / ".labelnext-0123456789abcdef.partial",
        state / "history" / ".labelnext-0123456789abcdef.partial",
        state / f"{dead}.plan-0.arrow",
        state / f"{dead}.before.csv.kept",
    ]
    for path in left:
        path.write_text("half")
    (state / f"{dead}.sort").mkdir()
    (state / f"{dead}.sort" / "block").write_text("half")
    theirs = state / "notes.arrow"
    theirs.write_text("theirs")
    labelnext.run(copy / "c.yaml")
    assert [path for path in (*left, state / f"{dead}.sort") if path.exists()] == []
    assert theirs.exists()
