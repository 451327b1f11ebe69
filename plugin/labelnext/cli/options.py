"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="The YAML file.")]
RunId = Annotated[str | None, typer.Argument(metavar="[RUN]", help="Name of the run.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Verbose = Annotated[int, typer.Option("-v", "--verbose", count=True, help="Say more.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")]
LogFile = Annotated[
    Path | None, typer.Option(help="Add a log with times to this file, for nightly runs.")
]
