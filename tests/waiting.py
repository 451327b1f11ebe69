"""Waits for what comes about elsewhere: by asking again, as long as a busy machine may take."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 240.0  # seconds; only what went wrong takes as long


def until(fact: Callable[[], Any]) -> None:
    """Wait for a fact."""
    end = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.1)


def ended(process: subprocess.Popen[Any]) -> int:
    """The exit code of a process that was told to end."""
    return process.wait(PATIENCE)
