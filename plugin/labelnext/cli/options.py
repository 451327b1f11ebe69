"""Arguments and options shared by several commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labelnext.cli.log import log_to
from labelnext.errors import LabelnextError
from labelnext.support.started import work_on

if TYPE_CHECKING:
    from labelnext.config.config import Config


def _at_work(config: Path) -> Path:
    work_on(config)
    return config


ConfigPath = Annotated[
    Path,
    typer.Argument(metavar="CONFIG", help="The YAML configuration.", callback=_at_work),
]
RunId = Annotated[
    str | None, typer.Argument(metavar="RUN", help="The run, as listed by `labelnext runs`.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Verbose = Annotated[
    int,
    typer.Option(
        "-v", "--verbose", count=True, show_default=False, help="Print more; -vv even more."
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")]
LogFile = Annotated[
    Path | None, typer.Option(help="Append a log with timestamps to this file, for nightly runs.")
]


def logged(config: Path, log_file: Path | None, output: Path | None = None) -> Config:
    """The configuration, with a log file that is neither an input nor another output.

    Raises:
        ConfigError: if it is one, or can't be written, or the configuration is wrong.
    """
    from labelnext.config.config import load_config
    from labelnext.config.places import check_places

    try:
        settings = load_config(config)
    except LabelnextError:
        if log_file is not None and not log_file.exists():  # else it may be what should be read
            log_to(log_file)
        raise
    if log_file is not None:
        named = {"--log-file": log_file, **({"--output": output} if output else {})}
        check_places(settings, named)
        log_to(log_file)
    return settings
