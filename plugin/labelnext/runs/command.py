"""A command of the user's own: started, watched, and ended with all that it started."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from labelnext.errors import CommandFailed
from labelnext.support.environment import for_others
from labelnext.support.files import private_file, write_failed

_LOOK = 0.1  # seconds between two looks at the command
_GRACE = 10.0  # seconds to end after it was told to
_LAST = 200  # characters of its last line for a message
_LOG = 100_000_000  # bytes, above which a log begins anew


def run_command(
    command: str | Sequence[str],
    *,
    shell: bool,
    directory: Path,
    environment: Mapping[str, str],
    log: Path,
    seconds: float | None,
    stop: threading.Event,
) -> bool:
    """Run a command to its end.

    It gets a process group of its own, which is ended with it: what it left running, too.

    Args:
        command: a list of arguments, or a text that is split as a shell would.
        shell: hand a text to the shell instead.
        directory: where it runs.
        environment: variables beside those that this process was started with.
        log: file for what it prints; replaced, and for this user alone. At 100 MB it begins anew.
        seconds: after which it is ended; None: never.
        stop: ends it when set.

    Returns:
        Whether it came to its end; False if it was stopped.

    Raises:
        CommandFailed: if it can't be started, took too long, or its exit code isn't 0.
        WriteFailed: if the log can't be written.
    """
    words = command if shell or not isinstance(command, str) else shlex.split(command)
    if shell and not isinstance(words, str):
        words = shlex.join(words)
    with _opened(log) as printed:
        try:
            process = subprocess.Popen(
                words,
                shell=shell,
                cwd=directory,
                env=for_others() | {**environment},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise CommandFailed(
                f"watch.command can't be started: {why}.",
                hint="name a program that is installed, with its path if need be.",
            ) from error
        try:
            ended = _wait(process, seconds, stop, printed)
        finally:
            _end_group(process)
    if stop.is_set() and not ended:
        return False
    _check_end(process.returncode, ended, seconds, log)
    return True


def _opened(log: Path) -> IO[bytes]:
    """A new log, for this user alone."""
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        # Appended to, so that the command goes on at the start of a log that begins anew.
        return open(log, "ab", opener=private_file)
    except OSError as error:
        raise write_failed(log, error) from error


def _wait(
    process: subprocess.Popen[bytes],
    seconds: float | None,
    stop: threading.Event,
    printed: IO[bytes],
) -> bool:
    """Wait until the command ends; False if it was stopped, or its time is over."""
    end = None if seconds is None else time.monotonic() + seconds
    while not _is_over(process):
        if stop.is_set() or (end is not None and time.monotonic() > end):
            return False
        time.sleep(_LOOK)
        with suppress(OSError):
            if os.fstat(printed.fileno()).st_size > _LOG:
                printed.truncate(0)
                os.write(printed.fileno(), b"[what was printed earlier is left out]\n")
    return True


def _is_over(process: subprocess.Popen[bytes]) -> bool:
    """Whether it ended; its number stays taken until `_end_group` has signalled its group."""
    if not hasattr(os, "waitid"):
        return process.poll() is not None
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return process.returncode is not None or os.waitid(os.P_PID, process.pid, options) is not None


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End the command and all that it started: first by asking, then by force."""
    _signal(process, signal.SIGTERM)
    end = time.monotonic() + _GRACE
    while not _is_over(process) and time.monotonic() < end:
        time.sleep(_LOOK)
    _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))
    process.wait()


def _signal(process: subprocess.Popen[bytes], sign: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, sign)
        elif process.returncode is None:
            process.send_signal(sign)


def _check_end(code: int, ended: bool, seconds: float | None, log: Path) -> None:
    hint = f"see what it printed in {log}."
    if not ended:
        minutes = (seconds or 0) / 60
        raise CommandFailed(
            f"watch.command took longer than {minutes:g} minutes and was ended.",
            hint=f"{hint[:-1]}, or raise watch.timeout.",
        )
    if code == 0:
        return
    how = f"exit code {code}" if code > 0 else f"signal {-code}"
    said = _last_line(log).rstrip(".")
    raise CommandFailed(f"watch.command ended with {how}{f': {said}' if said else ''}.", hint=hint)


def _last_line(log: Path) -> str:
    """The last line that isn't empty."""
    with suppress(OSError), open(log, encoding="utf-8", errors="replace") as file:
        lines = deque((line for line in file if line.strip()), maxlen=1)
        return " ".join(lines[0].split())[:_LAST] if lines else ""
    return ""


__all__ = ["run_command"]
