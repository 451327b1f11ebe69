"""Journals on disk: what is read when, what a death leaves, and what else may lie in the folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import labelnext
from labelnext.errors import ConfigError, WriteFailed
from labelnext.journal import Journal, Plan
from labelnext.journal import file as journal_file
from labelnext.journal.carry_out import carry_out, take_back
from labelnext.journal.journal import find_journal, journals, read_journals
from labelnext.runs.undo import resume, runs, undo
from tests.unit.journal.test_journals_of_0_1_0 import BROKEN, old_folder
from tests.unit.journal.words import LARGE, NEW, OLD, SMALL, Words


def done(folder: Path, plan: Plan = LARGE) -> Journal:
    journal = Journal.create(folder, plan)
    carry_out(plan, journal, Words(list(OLD)))
    return journal


def test_large_payloads_and_snapshots_lie_beside_the_journal(tmp_path: Path) -> None:
    journal = done(tmp_path)
    assert journal.path.stat().st_size < 2_000
    header = json.loads(journal.path.read_text().splitlines()[0])
    assert (header["format"], header["labelnext"]) == (2, labelnext.__version__)
    again = Journal(journal.path)
    assert again.plan == LARGE
    assert again.befores == {0: OLD}
    assert Plan.from_dict(json.loads(json.dumps(again.plan.to_dict()))) == LARGE


def test_status_target_and_steps_are_told_without_any_payload(tmp_path: Path) -> None:
    journal = done(tmp_path)
    for file in tmp_path.glob("*.arrow"):
        file.unlink()
    (again,) = journals(tmp_path)
    assert (again.status, again.target, again.next_steps) == ("done", "a list", ())
    assert [(s.kind, s.n_items) for s in again.plan.steps] == [("write", 3_000)]
    assert list(again.befores) == [0]
    for part in (again.plan.steps[0].payload, again.befores):
        with pytest.raises(ConfigError, match=f"{journal.run_id}.* is missing or damaged"):
            dict(part)


def test_only_this_user_may_read_what_holds_data(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"item_id": "a", "probabilities": [0.6, 0.4]}\n')
    (tmp_path / "ranking.csv").write_text("mine\n")
    (tmp_path / "ranking.csv").chmod(0o640)
    config = {
        "source": {"adapter": "files", "path": str(tmp_path / "p.jsonl")},
        "write": {"output": str(tmp_path / "ranking.csv")},
        "report": {"path": None},
        "state": str(tmp_path / "state"),
    }
    labelnext.run(config)
    done(tmp_path / "state")
    modes = {
        str(path.relative_to(tmp_path / "state")): stat.S_IMODE(path.stat().st_mode)
        for path in [tmp_path / "state", *(tmp_path / "state").rglob("*")]
        if path.name != "lock"  # it holds the number of a process
    }
    assert {modes.pop("."), modes.pop("history")} == {0o700}
    assert len(modes) == 6  # two journals, two files of columns, the copy and the history
    assert set(modes.values()) == {0o600}


class Killed(BaseException):
    """The process is gone."""


def kill(patch: pytest.MonkeyPatch, number: int) -> list[str]:
    """Let the process die at that call that makes something durable.

    Half of what was not durable yet is lost. Returns what was called, as it grows.
    """
    calls: list[str] = []
    durable: dict[int, int] = {}
    fsync, rename, replace = os.fsync, Path.rename, Path.replace

    def call(name: str) -> None:
        calls.append(name)
        if len(calls) > number:
            raise Killed

    def fsync_or_die(descriptor: int) -> None:
        file = os.fstat(descriptor)
        before = durable.get(file.st_ino, 0)
        if stat.S_ISREG(file.st_mode) and len(calls) == number:
            os.truncate(descriptor, (before + file.st_size) // 2)
        call("fsync")
        fsync(descriptor)
        durable[file.st_ino] = file.st_size

    def rename_or_die(path: Path, target: Path) -> Path:
        call("rename")
        return rename(path, target)

    def replace_or_die(path: Path, target: Path) -> Path:
        call("replace")
        return replace(path, target)

    patch.setattr(os, "fsync", fsync_or_die)
    patch.setattr(Path, "rename", rename_or_die)
    patch.setattr(Path, "replace", replace_or_die)
    return calls


def deaths(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """A state folder and the content after a death at each such call of a run."""
    number = 0
    while True:
        state, content = folder / str(number), list(OLD)
        with pytest.MonkeyPatch.context() as patch:
            calls = kill(patch, number)
            try:
                carry_out(LARGE, Journal.create(state, LARGE), Words(content))
            except Killed:
                pass
            else:
                # Payload and snapshot: content, name, folder; the header, too; and three lines.
                assert number == len(calls) == 12
                return
        yield state, content
        number += 1


def test_run_that_is_killed_anywhere_is_no_run_or_can_be_resumed_and_undone(
    tmp_path: Path,
) -> None:
    statuses = []
    for state, content in deaths(tmp_path):
        known, faults = read_journals(state)
        assert faults == {}
        assert content in (OLD, NEW)
        if not known:
            assert content == OLD
            statuses.append("none")
            continue
        statuses.append(known[0].status)
        other = list(content)
        if known[0].status == "planned":
            assert content == OLD
        else:
            shutil.copytree(state, state.with_suffix(".undo"))
            (again,) = journals(state.with_suffix(".undo"))
            take_back(again, Words(other))
            assert other == OLD
        carry_out(known[0].plan, known[0], Words(content))
        assert content == NEW
        take_back(Journal(known[0].path), Words(content))
        assert content == OLD
    assert list(dict.fromkeys(statuses)) == ["none", "planned", "broken"]


def test_plan_that_finds_no_room_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    for number in range(2):  # of the payload's file, of the header
        monkeypatch.undo()
        plan = (LARGE, SMALL)[number]
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(WriteFailed, match="the state folder .* has no room") as caught:
            Journal.create(tmp_path, plan)
        assert caught.value.hint == "free some disk space, then try again."
        assert list(tmp_path.iterdir()) == []


def test_snapshot_that_finds_no_room_can_be_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, content = Journal.create(tmp_path, LARGE), list(OLD)
    fsync = os.fsync

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteFailed, match="No space left on device"):
        carry_out(LARGE, journal, Words(content))
    monkeypatch.setattr(os, "fsync", fsync)
    assert content == OLD
    again = Journal(journal.path)
    assert again.status == "planned"
    carry_out(again.plan, again, Words(content))
    assert content == NEW


def test_two_processes_that_write_at_once_lose_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, write = done(tmp_path), journal_file._write

    def both(opened: Any, row: Any) -> None:
        monkeypatch.setattr(journal_file, "_write", write)
        Journal(journal.path).record("undoing")  # between the look at the end and the line
        write(opened, row)

    monkeypatch.setattr(journal_file, "_write", both)
    journal.record("input", sha256="a" * 64)
    again = Journal(journal.path)
    assert again.undoing
    assert again.notes["input"]["sha256"] == "a" * 64


def test_first_of_two_snapshots_in_the_file_counts(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, LARGE)
    journal.record("before", step=0, state=OLD)
    journal.record("before", step=0, state=NEW)  # its file must not be written over
    assert Journal(journal.path).befores == journal.befores == {0: OLD}
    with journal.path.open("a") as file:
        file.write('{"kind":"before","step":0,"state":["later"]}\n')
    assert Journal(journal.path).befores == {0: OLD}


OTHER = (
    b'{"kind":"plan","format":2,"run_id":"../p","started":"",'
    b'"plan":{"adapter":"files","target":"x"}}\n'
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "isn't a journal: it doesn't start with a plan"),
        (b'{"item_id": "a", "rank": 1}\n', "isn't a journal: it doesn't start with a plan"),
        (b"\xff\xfe\x00garbage" * 100, "isn't a journal: it doesn't start with a plan"),
        (b'{"kind":"plan"}\n', "isn't a journal: it doesn't start with a plan"),
        (
            b'{"kind":"plan","run_id":"x","started":"y","plan":{"target":"z","st',
            "isn't a journal: it doesn't start with a plan",
        ),
        (
            b'{"kind":"plan","format":2,"run_id":"x"}\n',
            "isn't a journal: it doesn't start with a plan",
        ),
        (
            b'{"kind":"plan","format":"2","run_id":"x"}\n',
            "isn't a journal: it doesn't start with a plan",
        ),
        (
            b'{"kind":"plan","format":3,"labelnext":"9.0"}\n',
            "has format 3; this version reads formats up to 2",
        ),
        (
            b'{"kind":"plan","format":3,"labelnext":"9.0"}\n',
            "update labelnext: version 9.0 wrote it",
        ),
        (OTHER, "it is called otherwise than its run, '../p'"),
        (b"NEW" + b'{"kind":"done"}\n', "journal .* is damaged .KeyError"),
        (b"NEW" + b'{"kind":"before","step":0}\n', "journal .* is damaged"),
        (b"FOLDER", "journal .* isn't a file"),
        (b"PIPE", "journal .* isn't a file"),
        (b"LINK", "journal .* doesn't exist"),
    ],
)
@pytest.mark.parametrize("name", ["ranking", "20260101T000000-000000"])
def test_other_files_in_the_folder_are_passed_over_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes, message: str, name: str
) -> None:
    path = tmp_path / f"{name}.jsonl"
    match content:
        case b"FOLDER":
            path.mkdir()
        case b"PIPE":
            os.mkfifo(path)
        case b"LINK":
            path.symlink_to(tmp_path / "nowhere")
        case _:
            header = Journal.create(tmp_path / "other", SMALL).path.read_bytes()
            run_id = json.loads(header)["run_id"].encode()
            path.write_bytes(content.replace(b"NEW", header.replace(run_id, name.encode())))
    journal = done(tmp_path)
    assert [known.run_id for known in runs(configured(tmp_path))] == [journal.run_id]
    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning.startswith("skipped: ")
    with pytest.raises(ConfigError) as caught:
        find_journal(tmp_path, name, ("done",))
    for said in (warning, str(caught.value)):
        assert str(path) in said
        assert re.search(message, said), said
    assert find_journal(tmp_path, None, ("done",)).run_id == journal.run_id
    assert Journal.create(tmp_path, SMALL).run_id.startswith("20")  # not after "ranking"


def test_a_folder_that_cannot_be_read_hides_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(tmp_path)

    def refused(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "listdir", refused)
    with pytest.raises(ConfigError, match="state must be a folder that can be read"):
        runs(configured(tmp_path))


def configured(state: Path) -> dict[str, Any]:
    return {"source": {"adapter": "files", "path": "x"}, "state": str(state)}


def test_journal_of_another_user_is_passed_over_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = done(tmp_path), done(tmp_path)
    opened = Path.open

    def refused(path: Path, *args: Any, **kwargs: Any) -> Any:
        if path == theirs.path:
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refused)
    known, faults = read_journals(tmp_path)
    assert [journal.run_id for journal in known] == [ours.run_id]
    assert "can't be read (" in faults[theirs.run_id].message
    assert "Permission denied" in faults[theirs.run_id].message


def test_run_is_not_taken_back_below_a_later_one_that_cannot_be_read(tmp_path: Path) -> None:
    folder = old_folder(tmp_path)
    later = folder / "state" / "29990101T000000-000000.jsonl"
    later.write_text('{"kind":"plan","format":3,"labelnext":"9.0"}\n')
    for command in (undo, resume):
        with pytest.raises(
            ConfigError, match=f"run {later.stem} can't be read: .* format 3"
        ) as caught:
            command(folder / "labelnext.yaml")
        assert caught.value.hint == "update labelnext: version 9.0 wrote it."
    later.write_text("garbage")
    with pytest.raises(ConfigError, match="the later run .* can't be read") as caught:
        undo(folder / "labelnext.yaml")
    assert caught.value.hint == f"if you don't need {later.name}, move it elsewhere."
    later.rename(folder / "garbage")
    assert resume(folder / "labelnext.yaml").run_id == BROKEN


def test_ranking_that_is_kept_for_the_undo_is_no_journal(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"item_id": "a", "probabilities": [0.6, 0.4]}\n')
    config = {
        "source": {"adapter": "files", "path": str(tmp_path / "p.jsonl")},
        "write": {"output": str(tmp_path / "ranking.jsonl")},
        "report": {"path": None},
        "state": str(tmp_path / "state"),
    }
    for _ in range(3):
        labelnext.run(config)
    assert [len(part) for part in read_journals(tmp_path / "state")] == [3, 0]
    undo(config)
