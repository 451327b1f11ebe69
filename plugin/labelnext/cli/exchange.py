"""The commands that send a batch to another platform and fetch its labels."""

from __future__ import annotations

from typing import Annotated

import typer

from labelnext.cli.console import print_exchange, progress_bars
from labelnext.cli.options import ConfigPath, Json

platforms = typer.Typer()


@platforms.command(epilog="Example: labelnext send labelnext.yaml --dry-run")
def send(
    config: ConfigPath,
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="Name of the run; write.run by default.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be sent; send nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Send a run's batch to the platform where people label: Label Studio or FiftyOne."""
    from labelnext.runs.exchange import send as send_batch

    with progress_bars() as progress:
        result = send_batch(config, run, dry_run=dry_run, progress=progress)
    print_exchange(result, as_json=as_json)


@platforms.command(epilog="Example: labelnext fetch labelnext.yaml")
def fetch(
    config: ConfigPath,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be written; write nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring the labels of sent samples back into a field of the dataset."""
    from labelnext.runs.exchange import fetch as fetch_labels

    with progress_bars() as progress:
        result = fetch_labels(config, dry_run=dry_run, progress=progress)
    print_exchange(result, as_json=as_json)
