"""What every demo prints, and how it ends."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from labelnext.errors import ConfigError
from labelnext.support.started import how

if TYPE_CHECKING:
    from labelnext.report.report import Report

_SHOWN = 10
FOLDERS = {
    "files": Path(".demo-files"),
    "fiftyone": Path(".demo"),
    "label-studio": Path(".demo-label-studio"),
}


_MARK = ".labelnext-demo"  # in a folder that a demo made
_CONFIG = "labelnext.yaml"


def own_folder(folder: Path) -> None:
    """Make a folder for a demo, or take one that a demo made earlier or that is empty.

    Raises:
        ConfigError: if it holds anything else, which the demo could overwrite, or can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        theirs = any(folder.iterdir()) and not (folder / _MARK).exists()
        if theirs and not _is_of_a_demo(folder / _CONFIG):
            raise ConfigError(
                f"the demo's folder must be empty or new; {str(folder)!r} holds other files.",
                hint="name a new one with --folder.",
            )
        (folder / _MARK).touch()
    except OSError as error:
        raise ConfigError(
            f"{str(folder)!r} can't be made: {error.strerror}.",
            hint="change to a folder that you may write to.",
        ) from error


def _is_of_a_demo(config: Path) -> bool:
    """Whether a configuration is a demo's: of a folder without a mark, by an earlier version."""
    try:
        return config.read_text("utf-8").startswith("# The demo for ")
    except (FileNotFoundError, ValueError):
        return False


def again(platform: str, folder: Path, *options: str) -> str:
    """The command that runs a demo again on its folder."""
    where = () if folder == FOLDERS[platform] else ("--folder", str(folder))
    return how("demo", platform, *options, *where)


def replay_step(config: Path) -> tuple[str, str]:
    """What to replay the demo's labels shows; it needs embeddings."""
    return "whether a strategy would have beaten random (half a minute)", how("replay", config)


def show_ranking(report: Report, console: Console) -> None:
    """The first ranks, each with its reason."""
    shown = report.next_items[:_SHOWN]
    table = Table(title=f"The next {len(shown)} of {report.counts['ranked']:,} to label")
    table.add_column("rank", justify="right")
    table.add_column("item")
    table.add_column("score", justify="right")
    table.add_column("why")
    for row in shown:
        score = "" if row["score"] is None else f"{row['score']:.4f}"
        table.add_row(str(row["rank"]), escape(row["item_id"]), score, escape(row["reason"]))
    console.print(table)
    console.print(f"Report: {escape(str(report.path))}", soft_wrap=True)


def show_next(
    config: Path,
    report: Report | None,
    console: Console,
    *others: tuple[str, str],
) -> None:
    """What can be done now.

    Args:
        config: of the demo.
        report: of its run; its first item is explained.
        console: to print on.
        others: more steps: what each does, and its command.
    """
    ids = [] if report is None else [row["item_id"] for row in report.next_items[:1]]
    steps = [
        ("check what a run needs", how("check", config)),
        *((f"why {item_id} comes first", how("explain", config, item_id)) for item_id in ids),
        ("your progress, and what more labels would gain", how("status", config)),
        *others,
        ("undo the run", how("undo", config)),
    ]
    console.print(f"Configuration: {escape(str(config))}", soft_wrap=True)
    console.print("[bold]Next:[/]")
    for what, command in steps:
        console.print(f"  [dim]# {escape(what)}[/]\n  {escape(command)}", soft_wrap=True)
    where = escape(str(config.parent))
    console.print(f"Everything is in the folder {where}; delete it to clean up.", soft_wrap=True)


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """End on SIGTERM as on Ctrl-C, so that what the demo started is stopped too."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, end)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
