"""Commands that were printed, given as a person would: in a shell without any environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name in ("HOME", "TMPDIR", "LANG", "LABELNEXT_LABEL_STUDIO")
} | {"PATH": "/usr/local/bin:/usr/bin:/bin"}
LABELNEXT = str(Path(sys.executable).with_name("labelnext"))


def shell(command: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """A command line in a plain shell."""
    return subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={**ENVIRONMENT, **more},
        capture_output=True,
        text=True,
        timeout=400,
    )


def next_steps(text: str) -> list[str]:
    """The command lines below Next."""
    lines = text.partition("Next:\n")[2].splitlines()
    return [li.strip() for li in lines if li.startswith("  ") and not li.startswith("  #")]


def words(commands: list[str]) -> list[str]:
    """The subcommand of each."""
    return [command.split()[1] for command in commands]
