"""The command line. Nothing heavy is imported before `main` can catch Ctrl-C."""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
from typing import Any

INTERRUPTED = 130
"""The exit code of Ctrl-C."""

# Before cycles are looked for. Imports make nearly as many and drop none: with Python's 700, the
# searches took a tenth of the start.
_NEW_OBJECTS = 200_000

__all__ = ["INTERRUPTED", "app", "main"]


def main() -> None:
    """Run the command line; Ctrl-C ends it in one line, however early it comes."""
    _ready_streams()
    gc.set_threshold(_NEW_OBJECTS)
    atexit.register(_search_no_more)
    try:
        from labelnext.support.environment import set_for_itself

        # Else pydantic reads what all installed packages declare, to look for plug-ins.
        set_for_itself("PYDANTIC_DISABLE_PLUGINS", "1")
        from labelnext.cli.commands import main as run

        run()
    except KeyboardInterrupt:  # later ones end as SystemExit, with more to say
        sys.stderr.write("Stopped.\n")
        sys.exit(INTERRUPTED)


def _search_no_more() -> None:
    """Spare the process its last searches for cycles, a fifth of what a short command took."""
    if "duckdb" not in sys.modules:  # its bindings would report what is left as leaked
        gc.freeze()


def _ready_streams() -> None:
    """Let closed streams (``<&-``, ``>&-``) lead nowhere, before a file gets their number.

    What a stream's encoding doesn't have is written as an escape.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115  # until the end
            setattr(sys, name, stream)
    for written in (sys.stdout, sys.stderr):
        if isinstance(written, io.TextIOWrapper):  # not where a program has put its own
            written.reconfigure(errors="backslashreplace")


def __getattr__(name: str) -> Any:
    if name == "app":
        from labelnext.cli.commands import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
