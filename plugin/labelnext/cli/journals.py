"""The commands that list, undo and finish runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labelnext.cli.console import (
    err,
    escaped,
    out,
    print_marked,
    print_plain,
    progress_bars,
)
from labelnext.cli.lists import print_rows
from labelnext.cli.options import config_argument, json_option, run_argument
from labelnext.errors import LabelnextError, listed
from labelnext.support.started import from_here
from labelnext.support.words import counted

if TYPE_CHECKING:
    from labelnext.journal.journal import Journal

journals = click.Group()


@journals.command(epilog="Example: labelnext runs labelnext.yaml")
@config_argument
@json_option
@click.option("--all", "every", is_flag=True, help="Also list runs of other configurations.")
def runs(config: Path, as_json: bool, every: bool) -> None:
    """List the runs of a configuration and their status: planned, done, broken or undone.

    A planned run ended before it wrote anything; a broken one may have written a part.
    """
    from labelnext.config.outline import load_outline
    from labelnext.journal.journal import read_journals
    from labelnext.runs.belonging import lists
    from labelnext.runs.elsewhere import everywhere

    settings = load_outline(config)
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
                "name": j.header["plan"].get("run"),
                "config": j.config,
            }
            for j in known
        ]
        print_plain(json.dumps(rows, indent=2))
        return
    if not known:
        out.print("No runs yet.")
        return
    where = ["config", "target"] if every else ["target"]
    headings = ("run", "what", "status", "started", *where, "name")
    print_rows(
        headings,
        (
            (
                journal.run_id,
                journal.what,
                journal.status,
                f"{str(journal.header['started'])[:16].replace('T', ' ')} UTC",
                *([journal.config or "?"] if every else []),
                from_here(journal.target),
                str(journal.header["plan"].get("run") or ""),
            )
            for journal in known
        ),
    )


@journals.command(epilog="Example: labelnext undo labelnext.yaml")
@config_argument
@run_argument
@click.option("--yes", "-y", is_flag=True, help="Don't ask.")
@click.option(
    "--all", "every", is_flag=True, help="Undo every run of the configuration, newest first."
)
@json_option
def undo(config: Path, run_id: str | None, yes: bool, every: bool, as_json: bool) -> None:
    """Undo a run and restore what was there before; the configuration's newest run by default.

    Sends, fetches and pushes are runs, too, and so is what the FiftyOne App did to the dataset.
    """
    if every:
        if run_id is not None:
            raise click.UsageError("Leave out either the run or --all.")
        _undo_all(config, not yes and sys.stdin.isatty() and sys.stdout.isatty(), as_json)
        return
    from labelnext.runs.undo import to_undo
    from labelnext.runs.undo import undo as undo_run

    if not yes and sys.stdin.isatty() and sys.stdout.isatty():
        newest = to_undo(config, run_id)
        started = str(newest.header["started"])[:16].replace("T", " ")
        wrote = f"which wrote {_written(newest)}to {from_here(newest.target)}"
        click.confirm(
            f"Undo {newest.what} {newest.run_id} of {started} UTC, {wrote}?",
            default=True,
            abort=True,
        )
        run_id = newest.run_id
    undone = undo_run(config, run_id)
    if as_json:
        print_plain(json.dumps(_as_data(*undone), indent=2))
    else:
        _print_undone(*undone)


def _as_data(journal: Journal, stayed: list[str]) -> dict[str, Any]:
    return {"run": journal.run_id, "status": journal.status, "kept": stayed}


def _undo_all(config: Path, ask: bool, as_json: bool) -> None:
    """Undo every run, and say so after each: one that can't be undone ends it."""
    from labelnext.runs.undo import runs as list_runs
    from labelnext.runs.undo import undo_all

    if ask and (able := [j for j in list_runs(config) if j.status in ("done", "broken")]):
        places = listed(dict.fromkeys(from_here(journal.target) for journal in able))
        question = f"Undo {counted(len(able), 'run')}, which wrote to {places}?"
        click.confirm(question, default=True, abort=True)
    undone = list[dict[str, Any]]()
    try:
        for journal, stayed in undo_all(config):
            undone.append(_as_data(journal, stayed))
            if not as_json:
                _print_undone(journal, stayed)
    except LabelnextError:
        if undone and not as_json:
            out.print(f"Stopped after {counted(len(undone), 'run')}: the next can't be undone.")
        raise
    finally:
        if as_json:
            print_plain(json.dumps(undone, indent=2))
    if not undone and not as_json:
        out.print("No run to undo.")


def _print_undone(journal: Journal, stayed: list[str]) -> None:
    rest = "" if journal.undone else ", but not all of it yet"
    wrote = f"which wrote {_written(journal)}to {from_here(journal.target)}"
    out.print(escaped(f"Undid {journal.what} {journal.run_id}, {wrote}{rest}."), soft_wrap=True)
    for line in stayed:
        kept = line.removeprefix("Kept ")
        print_marked("Note:" if kept == line else "Kept:", kept)


def _written(journal: Journal) -> str:
    """The name under which a run wrote, where other names lie beside it."""
    from labelnext.runs.belonging import are_runs_apart

    wrote = journal.header["plan"]
    named = journal.what != "send" and are_runs_apart(str(wrote["adapter"]))
    return f"{wrote['run']} " if named else ""


@journals.command(epilog="Example: labelnext resume labelnext.yaml")
@config_argument
@run_argument
@json_option
def resume(config: Path, run_id: str | None, as_json: bool) -> None:
    """Finish an interrupted run; the newest one by default."""
    from labelnext.runs.undo import resume as resume_run

    with progress_bars() as progress:
        journal = resume_run(config, run_id, progress=progress)
    if as_json:
        print_plain(json.dumps({"run": journal.run_id, "status": journal.status}, indent=2))
    else:
        out.print(f"Finished run {journal.run_id}.")


@journals.command(epilog="Example: labelnext clear labelnext.yaml --keep 30")
@config_argument
@click.option("--keep", type=int, default=30, help="How many runs of each target to keep.")
@click.option("--dry-run", is_flag=True, help="Show what would be removed; remove nothing.")
@click.option("--yes", "-y", is_flag=True, help="Don't ask.")
@json_option
def clear(config: Path, keep: int, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Remove what the state folder keeps of old runs, which then can't be undone.

    The newest runs and all interrupted ones stay.
    """
    from labelnext.runs.clear import clear as clear_runs

    ask = not (yes or dry_run) and sys.stdin.isatty() and sys.stdout.isatty()
    found = clear_runs(config, keep=keep, dry_run=dry_run or ask)
    if ask and found.runs:
        amount = f"{counted(len(found.runs), 'run')} ({_megabytes(found.size)})"
        click.confirm(f"Clear {amount}? They can't be undone any more.", default=False, abort=True)
        found = clear_runs(config, keep=keep)
    if as_json:
        print_plain(found.to_json())
        return
    if not found.runs:
        newest = "newest one" if keep == 1 else f"newest {keep}"
        out.print(f"Nothing to clear: no finished run is older than the {newest}.", soft_wrap=True)
        return
    verb = "Would clear" if found.dry_run else "Cleared"
    through = f", up to {found.runs[-1]}" if len(found.runs) > 1 else f", {found.runs[0]}"
    runs = f"{verb} {counted(len(found.runs), 'run')} ({_megabytes(found.size)}){through}."
    out.print(runs, soft_wrap=True)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
