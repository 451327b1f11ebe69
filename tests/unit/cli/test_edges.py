"""Closed streams, paths that can't be, and files that aren't ours end in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from labelnext import run as labelnext_run
from labelnext.cli import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [{"item_id": f"i{i}", "probabilities": [i / 10, 1 - i / 10]} for i in range(6)]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "c.yaml").write_text("source: {adapter: files, path: p.jsonl}\n")
    return tmp_path


@pytest.fixture
def pageless(folder: Path) -> Path:
    """The same without a report page, which takes a second or two to draw."""
    with (folder / "c.yaml").open("a") as file:
        file.write("report: {path: null}\n")
    return folder


def labelnext(folder: Path, words: str) -> subprocess.CompletedProcess[str]:
    command = f"exec {sys.executable} -m labelnext {words}"
    return subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True)


def test_an_output_that_is_full_is_one_line(folder: Path) -> None:
    done = labelnext(folder, "schema >/dev/full")
    assert done.returncode == 1
    told = "Error: the output can't be written: No space left on device."
    assert done.stderr == f"{told} Hint: free some disk space, then try again.\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_fault(pageless: Path, closed: str) -> None:
    labelnext_run(pageless / "c.yaml")
    shown = labelnext(pageless, f"undo c.yaml {closed}")
    assert shown.returncode == 0
    assert "Traceback" not in shown.stderr
    assert not (pageless / "ranking.csv").exists()


def test_an_encoding_without_a_sign_gets_an_escape(
    pageless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    shown = labelnext(pageless, "run c.yaml")
    assert shown.returncode == 0
    assert r"\u2022 Wrote 6 ranked items" in shown.stdout


def test_a_pipe_is_no_log(pageless: Path) -> None:
    os.mkfifo(pageless / "log")
    shown = labelnext(pageless, "run c.yaml --log-file log")
    assert shown.returncode == 1
    assert "'log' must be a file for a log, not a pipe." in shown.stderr
    assert not (pageless / "ranking.csv").exists()


def test_a_full_disk_ends_the_log_in_one_line(pageless: Path) -> None:
    (pageless / "nightly.log").symlink_to("/dev/full")
    shown = labelnext(pageless, "run c.yaml -q --log-file nightly.log")
    assert shown.returncode == 0
    assert shown.stderr == "Warning: the log 'nightly.log' ends here: No space left on device.\n"
    assert (pageless / "ranking.csv").exists()


LONG = "x" * 300


@pytest.mark.parametrize(
    "words",
    [
        f"run c.yaml --output {LONG}.csv",
        f"export c.yaml {LONG}",
        "export c.yaml p.jsonl",
        f"init files {LONG}",
        f"run c.yaml --log-file {LONG}",
    ],
)
def test_a_path_that_cannot_be_is_one_line(folder: Path, words: str) -> None:
    before = sorted(folder.iterdir())
    shown = labelnext(folder, words)
    assert shown.returncode == 1
    assert shown.stderr.count("\n") == 1
    assert shown.stderr.startswith("Error: ")
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            PermissionError(13, "Permission denied", "private/p.jsonl"),
            "Error: 'private/p.jsonl' can't be used: Permission denied.\n",
        ),
        (
            UnicodeEncodeError("ascii", "p\xe9.csv", 1, 2, "ordinal not in range(128)"),
            "Error: 'p\\xe9.csv' can't be used in this locale (ascii). Hint: set PYTHONUTF8=1.\n",
        ),
    ],
)
def test_whatever_the_system_refuses_is_one_line(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    said: str,
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("labelnext.runs.run.run", refused)
    monkeypatch.setattr(sys, "argv", ["labelnext", "run", str(folder / "c.yaml")])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("report.path", 'report: {path: "https://host/page?token=secret"}'),
        ("replay.path", "replay: {path: s3://bucket/page.html}"),
        ("state", "state: gs://bucket/state"),
    ],
)
def test_a_url_is_no_path_on_this_machine(folder: Path, key: str, line: str) -> None:
    with (folder / "c.yaml").open("a") as file:
        file.write(line)
    shown = labelnext(folder, "run c.yaml")
    assert shown.returncode == 1
    assert f"c.yaml, line 2: {key} must be a path on this machine; got" in shown.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["c.yaml", "p.jsonl"]


def test_a_log_is_added_to_no_file_but_a_log(pageless: Path) -> None:
    folder = pageless
    guide = folder / "guide.md"
    guide.write_text("# Guide\n")
    shown = labelnext(folder, "run c.yaml --log-file guide.md")
    assert shown.returncode == 1
    assert "must be one of labelnext's logs, end in .log, or not exist" in shown.stderr
    assert guide.read_text() == "# Guide\n"
    for _ in range(2):
        assert labelnext(folder, "run c.yaml -q --log-file nightly.txt").returncode == 0
    assert (folder / "nightly.txt").read_text().count(" INFO ") >= 2


@pytest.mark.parametrize("words", ["run c.yaml", "run c.yaml --json", "status c.yaml", "schema"])
def test_a_reader_that_leaves_early_fails_nothing(pageless: Path, words: str) -> None:
    reads, written = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "labelnext", *words.split()]
    done = subprocess.run(command, cwd=pageless, stdout=written, stderr=subprocess.PIPE)
    os.close(written)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (pageless / ".labelnext").exists() == words.startswith("run")


def test_a_closed_output_hides_no_failure(pageless: Path) -> None:
    (pageless / "p.jsonl").write_text('{"item_id": "a", "probabilities": null}\n')
    done = labelnext(pageless, "run c.yaml >&-")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: top_k needs predictions")


@pytest.mark.parametrize("option", ["", "--json"])
def test_a_replay_that_compares_nothing_is_no_success(folder: Path, option: str) -> None:
    text = (folder / "p.jsonl").read_text().replace("}\n", ', "label": 0}\n', 1)
    (folder / "p.jsonl").write_text(text)
    done = labelnext(folder, f"replay c.yaml {option}")
    assert done.returncode == 1
    assert "Nothing could be compared" in done.stdout
    assert "Traceback" not in done.stderr


def test_what_export_prints_is_a_configuration(pageless: Path) -> None:
    printed = labelnext(pageless, "export c.yaml pool").stdout
    source = {"adapter": "files", "path": "pool"}
    assert yaml.safe_load(printed) == {"source": source}
    assert json.loads(labelnext(pageless, "export c.yaml other --json").stdout) == {
        "source": {**source, "path": "other"}
    }


@pytest.mark.parametrize("path", ["/", "//", "/tmp/.."])
@pytest.mark.parametrize("words", ["init files {}", "run whole.yaml", "check whole.yaml"])
def test_the_whole_disk_is_no_pool(folder: Path, path: str, words: str) -> None:
    (folder / "whole.yaml").write_text(f"source: {{adapter: files, path: {path}}}\n")
    done = labelnext(folder, words.format(path))
    assert done.returncode == 1
    assert f"got {path!r}, the whole disk." in done.stderr


@pytest.mark.parametrize("name", ["new\nline.yaml", "tab\t.yaml", "esc\x1b[1m.yaml", "it's\n.yaml"])
def test_a_command_that_is_printed_works_whatever_the_file_is_called(
    pageless: Path, name: str
) -> None:
    (pageless / "c.yaml").rename(pageless / name)
    report = labelnext_run(pageless / name)
    assert report.undo.isprintable()
    done = subprocess.run(["bash", "-c", report.undo], cwd=pageless, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Undid run {report.run_id}")


def test_help_that_nobody_reads_to_its_end_succeeds(folder: Path) -> None:
    shell = f"{sys.executable} -m labelnext --help | true; test ${{PIPESTATUS[0]}} = 0"
    assert subprocess.run(["bash", "-c", shell], cwd=folder).returncode == 0


def test_a_configuration_without_a_command_says_what_to_write(folder: Path) -> None:
    shown = labelnext(folder, "c.yaml --dry-run")
    assert shown.returncode == 2
    assert shown.stderr.rstrip().endswith("labelnext run c.yaml --dry-run.")


def test_quiet_tells_of_a_report_that_is_missing(folder: Path) -> None:
    command = (
        f"ulimit -f 16; exec {sys.executable} -m labelnext run c.yaml -q"  # blocks of 512 bytes
    )
    shown = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True)
    assert (shown.returncode, shown.stdout) == (0, "")
    told = "Warning: the run is done, but 'labelnext-report.html' can't be written: File too large."
    assert shown.stderr.startswith(told)
    assert (folder / "ranking.csv").exists()


def test_an_undo_names_what_it_skipped(pageless: Path) -> None:
    labelnext_run(pageless / "c.yaml")
    (pageless / ".labelnext" / "20200101T000000-000001.jsonl").write_text("{")
    shown = labelnext(pageless, "undo c.yaml")
    assert shown.stdout.startswith("Undid run ")
    assert shown.stderr.count("Warning: skipped: '.labelnext/20200101T000000-000001.jsonl'") == 1


def test_init_onto_a_folder_is_no_matter_of_force(folder: Path) -> None:
    shown = labelnext(folder, "init files --output .")
    assert (shown.returncode, shown.stderr) == (1, "Error: '.' can't be written: it is a folder.\n")


@pytest.mark.parametrize("command", ["run", "runs", "undo", "status", "resume"])
def test_a_state_on_a_disk_that_is_gone_is_not_taken_for_a_new_one(
    pageless: Path, command: str
) -> None:
    (pageless / ".labelnext").symlink_to("gone")
    shown = labelnext(pageless, f"{command} c.yaml")
    told = "Error: state must be a folder; got '.labelnext', a link to 'gone', which isn't there."
    assert shown.stderr == f"{told} Hint: make that folder, or mount its disk.\n"
