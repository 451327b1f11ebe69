"""The commands that bring labels and predictions to where they are needed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from labelnext.cli.console import (
    escaped,
    out,
    print_exchange,
    print_marked,
    print_plain,
    progress_bars,
)
from labelnext.cli.options import PATH, config_argument, json_option
from labelnext.support.words import counted

platforms = click.Group()

_out_argument = click.argument(
    "path", metavar="OUT", type=PATH, help="The file: .parquet, .csv or .jsonl."
)


@platforms.command(epilog="Example: labelnext send labelnext.yaml --dry-run")
@config_argument
@click.argument(
    "run", metavar="[RUN]", required=False, help="Name of the run; write.run by default."
)
@click.option("--dry-run", is_flag=True, help="Show what would be sent; send nothing.")
@json_option
def send(config: Path, run: str | None, dry_run: bool, as_json: bool) -> None:
    """Send a run's batch to the platform where people label: Label Studio or FiftyOne."""
    from labelnext.runs.exchange import send as send_batch

    with progress_bars() as progress:
        result = send_batch(config, run, dry_run=dry_run, progress=progress)
    print_exchange(result, as_json=as_json)


@platforms.command(epilog="Example: labelnext fetch labelnext.yaml")
@config_argument
@click.option("--dry-run", is_flag=True, help="Show what would be written; write nothing.")
@json_option
def fetch(config: Path, dry_run: bool, as_json: bool) -> None:
    """Bring the labels of sent samples back into a field of the dataset."""
    from labelnext.runs.exchange import fetch as fetch_labels

    with progress_bars() as progress:
        result = fetch_labels(config, dry_run=dry_run, progress=progress)
    print_exchange(result, as_json=as_json)


@platforms.command(epilog="Example: labelnext labels labelnext.yaml labels.parquet")
@config_argument
@_out_argument
@json_option
def labels(config: Path, path: Path, as_json: bool) -> None:
    """Write what is labelled, by whom and when, to a file: one row per label."""
    from labelnext.runs.labelled_file import labels as write_labels

    with progress_bars() as progress:
        written = write_labels(config, path, progress=progress)
    if as_json:
        print_plain(written.to_json())
        return
    for notice in written.notices:
        print_marked("[yellow]warning[/]", notice.message)
    of_items = counted(written.items, "item")
    said = f"Wrote {counted(written.labels, 'label')} of {of_items} to {written.path}."
    out.print(escaped(said), soft_wrap=True)


@platforms.command(epilog="Example: labelnext predictions labelnext.yaml predictions.parquet")
@config_argument
@_out_argument
@json_option
def predictions(config: Path, path: Path, as_json: bool) -> None:
    """Write the class probabilities of every item, by the probe or a model, to a file."""
    from labelnext.runs.predicted_file import predictions as write_predictions

    with progress_bars() as progress:
        written = write_predictions(config, path, progress=progress)
    if as_json:
        print_plain(written.to_json())
        return
    for notice in written.notices:
        print_marked("[yellow]warning[/]", notice.message)
    said = f"Wrote the predictions of {counted(written.items, 'item')} to {written.path}."
    if written.without:
        said += f" {counted(written.without, 'item')} without a prediction left out."
    out.print(escaped(said), soft_wrap=True)


@platforms.command(epilog="Example: labelnext push labelnext.yaml predictions.parquet --version v8")
@config_argument
@click.argument("predictions", help="A file or folder in any format that labelnext reads.")
@click.option(
    "--version", required=True, help="Name of the model version (Label Studio) or field (FiftyOne)."
)
@click.option("--key", help="Column of the file with the items' ids; item_id by default.")
@click.option("--dry-run", is_flag=True, help="Show what would be stored; store nothing.")
@click.option("--yes", "-y", is_flag=True, help="Don't ask.")
@json_option
def push(
    config: Path,
    predictions: str,
    version: str,
    key: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Store a model's predictions where the items are, matched by id; undo takes them back."""
    from labelnext.runs.push import push as push_predictions

    if not (yes or dry_run) and sys.stdin.isatty() and sys.stdout.isatty():
        with progress_bars() as progress:
            planned = push_predictions(
                config, predictions, version, key=key, dry_run=True, progress=progress
            )
        print_exchange(planned)
        click.confirm("Store them?", default=True, abort=True)
    with progress_bars() as progress:
        result = push_predictions(
            config, predictions, version, key=key, dry_run=dry_run, progress=progress
        )
    print_exchange(result, as_json=as_json)
