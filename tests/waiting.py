"""Waits for what comes about elsewhere: by asking again, as long as a busy machine may take."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import Any

PATIENCE = 400.0  # seconds; only what went wrong takes as long


def until(fact: Callable[[], Any]) -> None:
    """Wait for a fact."""
    end = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.1)


def answered(url: str, process: subprocess.Popen[Any]) -> str:
    """What the address says, as soon as the process serves it."""
    said: list[str] = []

    def asked() -> bool:
        assert process.poll() is None, f"the process ended with {process.poll()}"
        with suppress(OSError), urllib.request.urlopen(url, timeout=60) as response:
            said.append(response.read().decode())
        return bool(said)

    until(asked)
    return said[0]


def ended(process: subprocess.Popen[Any]) -> int:
    """The exit code of a process that was told to end."""
    return process.wait(PATIENCE)
