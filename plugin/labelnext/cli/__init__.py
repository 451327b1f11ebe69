"""The command line. Nothing heavy is imported before `main` can catch Ctrl-C."""

from __future__ import annotations

import sys
from typing import Any

INTERRUPTED = 130
"""The exit code of Ctrl-C."""

__all__ = ["INTERRUPTED", "app", "main"]


def main() -> None:
    """Run the command line; Ctrl-C ends it in one line, however early it comes."""
    try:
        from labelnext.cli.commands import main as run

        run()
    except KeyboardInterrupt:  # later ones end as SystemExit, with more to say
        sys.stderr.write("Stopped.\n")
        sys.exit(INTERRUPTED)


def __getattr__(name: str) -> Any:
    if name == "app":
        from labelnext.cli.commands import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
