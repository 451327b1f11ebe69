"""The commands that list, undo and finish runs."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from labelnext.cli.console import (
    err,
    escaped,
    out,
    print_marked,
    print_plain,
    progress_bars,
)
from labelnext.cli.lists import print_rows
from labelnext.cli.options import ConfigPath, Json, RunId

journals = typer.Typer()


@journals.command(epilog="Example: labelnext runs labelnext.yaml")
def runs(
    config: ConfigPath,
    as_json: Json = False,
    every: Annotated[
        bool, typer.Option("--all", help="Also list runs of other configurations.")
    ] = False,
) -> None:
    """List the runs of a configuration and their status: done, broken or undone."""
    from labelnext.config.config import load_config
    from labelnext.journal.journal import read_journals
    from labelnext.runs.belonging import config_of, lists
    from labelnext.runs.elsewhere import everywhere

    settings = load_config(config)
    known, faults = read_journals(settings.state)
    for fault in faults.values():
        err.print("[yellow]warning[/] skipped:", escaped(str(fault)), soft_wrap=True)
    known = [journal for journal in known if every or lists(journal, settings)]
    known = sorted([*known, *everywhere(settings)], key=lambda journal: journal.run_id)
    if as_json:
        rows = [
            {
                "run": j.run_id,
                "what": j.what,
                "status": j.status,
                "started": j.header["started"],
                "target": j.target,
                "config": config_of(j),
            }
            for j in known
        ]
        print_plain(json.dumps(rows, indent=2))
        return
    if not known:
        out.print("No runs yet.")
        return
    headings = ("run", "what", "status", "started", *(["config"] if every else []), "target")
    print_rows(
        headings,
        (
            (
                journal.run_id,
                journal.what,
                journal.status,
                f"{str(journal.header['started'])[:16].replace('T', ' ')} UTC",
                *([config_of(journal) or "?"] if every else []),
                journal.target,
            )
            for journal in known
        ),
    )


@journals.command(epilog="Example: labelnext undo labelnext.yaml")
def undo(
    config: ConfigPath,
    run_id: RunId = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Undo a run and restore what was there before; the configuration's newest run by default."""
    from labelnext.runs.undo import to_undo
    from labelnext.runs.undo import undo as undo_run

    if not yes and sys.stdin.isatty() and sys.stdout.isatty():
        newest = to_undo(config, run_id)
        started = str(newest.header["started"])[:16].replace("T", " ")
        typer.confirm(
            f"Undo {newest.what} {newest.run_id} of {started} UTC, which wrote to {newest.target}?",
            default=True,
            abort=True,
        )
        run_id = newest.run_id
    journal, stayed = undo_run(config, run_id)
    out.print(f"Undid run {journal.run_id}.")
    for line in stayed:
        print_marked("Kept:", line.removeprefix("Kept "))


@journals.command(epilog="Example: labelnext resume labelnext.yaml")
def resume(config: ConfigPath, run_id: RunId = None) -> None:
    """Finish an interrupted run; the newest one by default."""
    from labelnext.runs.undo import resume as resume_run

    with progress_bars() as progress:
        journal = resume_run(config, run_id, progress=progress)
    out.print(f"Finished run {journal.run_id}.")
