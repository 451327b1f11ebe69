"""Runs `killed_runs` as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def killed(config: Path, what: str = "run", every: int = 1) -> list[dict[str, Any]]:
    """What was seen at each death; all of them were settled by resume, and by undo."""
    command = [sys.executable, "-m", "tests.integration.killed_runs", str(config), what, str(every)]
    answer = subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=500)
    assert answer.returncode == 0, answer.stderr[-2000:]
    *deaths, end = [json.loads(line) for line in answer.stdout.splitlines() if line[:1] == "{"]
    assert end == {"end": True}
    assert [d for d in deaths if not (d["resume"] and d["then undo"] and d["undo"])] == []
    return deaths
