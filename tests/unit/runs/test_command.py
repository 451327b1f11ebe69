"""A command of the user's own: what it gets, how it ends, and that nothing of it is left."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labelnext import cli
from labelnext.cli import commands
from labelnext.errors import CommandFailed
from labelnext.runs import command as module
from labelnext.runs.command import run_command
from labelnext.support import environment
from tests.waiting import until

Start = Callable[..., bool]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    def started(command: Any, **given: Any) -> bool:
        options: dict[str, Any] = {
            "shell": False,
            "directory": tmp_path,
            "environment": {"ROUND": "7"},
            "log": tmp_path / "state" / "round-7.log",
            "seconds": 60,
            "stop": threading.Event(),
        }
        return run_command(command, **{**options, **given})

    return started


def log_of(folder: Path) -> str:
    return (folder / "state" / "round-7.log").read_text()


def alive(number: int) -> bool:
    """Whether a process runs; one that ended and waits for its parent doesn't."""
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def gone(file: Path) -> Callable[[], bool]:
    """Whether the process has ended whose number the file holds."""
    number = int(file.read_text())
    return lambda: not alive(number)


def test_text_is_split_without_a_shell_and_runs_in_the_folder(start: Start, tmp_path: Path) -> None:
    (tmp_path / "train it.py").write_text(
        "import os, sys\nprint(sys.argv[1:], os.environ['ROUND'], os.getcwd())\n"
    )
    assert start(f"{sys.executable} 'train it.py' $HOME '*'")
    assert log_of(tmp_path) == f"['$HOME', '*'] 7 {os.path.realpath(tmp_path)}\n"
    assert stat.S_IMODE((tmp_path / "state" / "round-7.log").stat().st_mode) == 0o600


def test_shell_expands_if_asked(start: Start, tmp_path: Path) -> None:
    assert start("echo $ROUND | tr 7 8", shell=True)
    assert log_of(tmp_path) == "8\n"


def test_what_labelnext_sets_for_itself_is_not_handed_on(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "_ours", {})
    monkeypatch.setattr("gc.set_threshold", lambda *_: None)
    monkeypatch.setenv("PYDANTIC_DISABLE_PLUGINS", "")  # so that it is gone in the end
    monkeypatch.delenv("PYDANTIC_DISABLE_PLUGINS")
    code = "import os; print(os.environ.get('PYDANTIC_DISABLE_PLUGINS'))"
    monkeypatch.setattr(commands, "main", lambda: start([sys.executable, "-c", code]))
    for users, handed_on in ((None, "None"), ("logfire-plugin", "logfire-plugin")):
        if users is not None:
            monkeypatch.setenv("PYDANTIC_DISABLE_PLUGINS", users)
        cli.main()
        assert os.environ["PYDANTIC_DISABLE_PLUGINS"] == (users or "1")
        assert log_of(tmp_path) == f"{handed_on}\n"


def test_exit_code_is_told_with_the_last_line_and_the_log(start: Start, tmp_path: Path) -> None:
    code = "import sys\nprint('loading')\nprint('no GPU', file=sys.stderr)\nprint()\nsys.exit(3)"
    with pytest.raises(CommandFailed) as caught:
        start([sys.executable, "-c", code])
    assert caught.value.message == "watch.command ended with exit code 3: no GPU."
    assert caught.value.hint == f"see what it printed in {tmp_path}/state/round-7.log."


def test_log_of_a_command_that_prints_without_end_stays_small(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOG", 100_000)
    script = (
        "import time\n"
        "print('x' * 200_000, flush=True)\n"
        "time.sleep(1)\n"
        "print('the end', flush=True)\n"
        "raise SystemExit(3)"
    )
    with pytest.raises(CommandFailed, match="exit code 3: the end"):
        start([sys.executable, "-c", script])
    assert log_of(tmp_path) == "[what was printed earlier is left out]\nthe end\n"


def test_signal_is_told(start: Start) -> None:
    with pytest.raises(CommandFailed, match=r"ended with signal 9\."):
        start("kill -9 $$", shell=True)


def test_program_that_does_not_exist_is_told(start: Start) -> None:
    with pytest.raises(CommandFailed, match="can't be started: No such file or directory"):
        start("no-such-program --fast")


def test_command_that_takes_too_long_ends_with_its_children(start: Start, tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="took longer than 0.02 minutes and was ended"):
        start("echo $$ > group; sleep 3600 & echo $! > child; wait", shell=True, seconds=1.2)
    for name in ("group", "child"):
        until(gone(tmp_path / name))


def test_command_that_ignores_the_request_to_end_is_killed(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_GRACE", 0.2)
    with pytest.raises(CommandFailed, match="took longer"):
        start("trap '' TERM; echo $$ > group; while :; do sleep 0.1; done", shell=True, seconds=1.2)
    until(gone(tmp_path / "group"))


def test_what_a_finished_command_left_running_is_ended(start: Start, tmp_path: Path) -> None:
    assert start("sleep 3600 & echo $! > child", shell=True)
    until(gone(tmp_path / "child"))


def test_stop_ends_it_at_once(start: Start, tmp_path: Path) -> None:
    stop = threading.Event()
    begun = tmp_path / "begun"

    def end_it() -> None:
        until(begun.exists)
        stop.set()

    threading.Thread(target=end_it).start()
    assert not start(
        "echo $$ > group; touch begun; sleep 3600", shell=True, stop=stop, seconds=None
    )
    until(gone(tmp_path / "group"))
