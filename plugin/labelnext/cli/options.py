"""Arguments and options shared by several commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="The YAML configuration.")]
RunId = Annotated[
    str | None, typer.Argument(metavar="[RUN]", help="The run, as listed by `labelnext runs`.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Verbose = Annotated[
    int, typer.Option("-v", "--verbose", count=True, help="Print more; -vv even more.")
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")]
LogFile = Annotated[
    Path | None, typer.Option(help="Append a log with timestamps to this file, for nightly runs.")
]
