"""The commands: parse arguments, call the library, print the result."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import click

from labelnext.cli import INTERRUPTED
from labelnext.cli.console import (
    err,
    escaped,
    lead_nowhere,
    out,
    print_check,
    print_error,
    print_masked_traceback,
    print_plain,
    print_replay,
    print_report,
    print_status,
    print_stored,
    progress_bars,
    set_up_output,
    table_of,
    warnings_in_one_line,
)
from labelnext.cli.exchange import platforms
from labelnext.cli.group import Commands
from labelnext.cli.journals import journals
from labelnext.cli.layout import print_table
from labelnext.cli.look import looked_at
from labelnext.cli.options import (
    PATH,
    config_argument,
    json_option,
    log_file_option,
    logged,
    quiet_option,
    verbose_option,
)
from labelnext.cli.tables import tables
from labelnext.errors import ConfigError, LabelnextError
from labelnext.support.refused import refusal
from labelnext.support.started import CONFIG, how, run_at_work
from labelnext.support.threads import asked_threads
from labelnext.support.words import counted


@click.group(
    cls=Commands,
    sources=[journals, platforms, tables],
    context_settings={"help_option_names": ["--help", "-h"], "show_default": True},
    epilog="Example: labelnext init fiftyone, then labelnext run labelnext.yaml",
)
@click.version_option(package_name="labelnext", message="%(version)s")
def app() -> None:
    """Which item should be labelled next?

    Ranks your unlabelled items, in Label Studio, FiftyOne or plain files.
    """


@app.command(epilog="Example: labelnext run labelnext.yaml --dry-run")
@config_argument
@click.option("--dry-run", is_flag=True, help="Show what would be written; write nothing.")
@click.option("--budget", type=int, help="Size of the batch; selection.budget by default.")
@click.option(
    "--output", type=PATH, help="Also write the ranking to a .jsonl, .csv or .parquet file."
)
@json_option
@verbose_option
@quiet_option
@log_file_option
def run(
    config: Path,
    dry_run: bool,
    budget: int | None,
    output: Path | None,
    as_json: bool,
    verbose: int,
    quiet: bool,
    log_file: Path | None,
) -> None:
    """Rank the unlabelled items and write the ranking back."""
    set_up_output(verbose, quiet)
    from labelnext.runs.run import run as run_pipeline

    settings = logged(config, log_file, output).changed(budget=budget, output=output)
    with progress_bars() as progress:
        report = run_pipeline(settings, dry_run=dry_run, progress=progress)
    logging.getLogger("labelnext").info("%s", report.to_text())
    if as_json:
        print_plain(report.to_json())
    else:
        print_report(report)
    if quiet:
        for notice in report.notices:
            if notice.code.endswith("_not_written"):
                err.print("[yellow]Warning:[/]", escaped(notice.message), soft_wrap=True)
    if report.nothing_ranked:
        err.print(f"[red]Error:[/] {report.nothing_ranked}", soft_wrap=True)
        sys.exit(1)


@app.command(epilog="Example: labelnext check labelnext.yaml")
@config_argument
@json_option
def check(config: Path, as_json: bool) -> None:
    """Check everything a run needs: connection, data and functions. Changes nothing."""
    from labelnext.runs.check import check as check_pipeline

    with progress_bars() as progress:
        result = check_pipeline(config, progress=progress)
    if as_json:
        findings = [vars(finding) for finding in result.findings]
        print_plain(
            json.dumps(
                {"ok": result.ok, "findings": findings, "acquisitions": result.obstacles}, indent=2
            )
        )
    else:
        print_check(result)
    if not result.ok:
        sys.exit(1)


@app.command(epilog="Example: labelnext replay labelnext.yaml")
@config_argument
@json_option
def replay(config: Path, as_json: bool) -> None:
    """Test on your own labels whether any strategy would have beaten random."""
    from labelnext.replays.outcomes import ReplayReport
    from labelnext.replays.replay import replay as replay_labels
    from labelnext.replays.stored import StoredReport

    with progress_bars() as progress:
        report = replay_labels(config, progress=progress)
    if as_json:
        print_plain(report.to_json())
    elif isinstance(report, ReplayReport):
        print_replay(report)
    else:
        print_stored(report)
    if isinstance(report, StoredReport) and not report.rows:  # nothing could be compared
        sys.exit(1)


@app.command(epilog="Example: labelnext explain labelnext.yaml image-17.jpg")
@config_argument
@click.argument("item_id", help="Id of the item, or its address on the platform.")
@json_option
def explain(config: Path, item_id: str, as_json: bool) -> None:
    """Explain why an item ranks where it does, and what would change that. Changes nothing."""
    from labelnext.runs.run import explain as explain_item

    with progress_bars() as progress:
        why = explain_item(config, item_id, progress=progress)
    if as_json:
        print_plain(json.dumps(why.to_dict(), indent=2, ensure_ascii=False))
        return
    if why.address is not None:
        out.print(f"Label at {escaped(why.address)}", soft_wrap=True)
    item = why.item_id if why.name is None else f"{why.name} ({why.item_id})"
    out.print(f"[bold]{escaped(item)}[/]: {why.status}", soft_wrap=True)
    if why.link is not None:
        out.print(f"Open it: {escaped(why.link)}", soft_wrap=True)
    out.print(escaped(why.rule), soft_wrap=True)
    if why.score is not None:
        out.print(f"score {why.score:.4g}; {escaped(why.reason)}", soft_wrap=True)
    if why.parts:
        table = table_of(*why.parts[0])
        for part in why.parts:
            table.add_row(*(escaped(_cell(value)) for value in part.values()))
        print_table(out, table)
    for change in why.changes:
        out.print(" •", escaped(change), soft_wrap=True)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:  # a model version without a prediction
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


@app.command(epilog="Example: labelnext init label-studio")
@click.argument("platform", default="files", help="The adapter, as listed by `labelnext adapters`.")
@click.argument(
    "path", required=False, help="For files: the predictions, a file or folder to look at."
)
@click.option("--output", type=PATH, default=Path("labelnext.yaml"), help="The file to write.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def init(platform: str, path: str | None, output: Path, force: bool) -> None:
    """Write a commented configuration for a platform, or for one of your files."""
    from labelnext.config.places import check_overwritable
    from labelnext.config.template import config_template, required_keys, secret_variables
    from labelnext.support.files import check_writable, write_atomically

    known, in_parts = looked_at(platform, path, output)
    text = config_template(platform, known, output, in_parts=in_parts)
    if output.exists() and not (force or output.is_dir()):
        raise ConfigError(f"{output} already exists.", hint="add --force to overwrite it.")
    check_writable(output)
    check_overwritable(output)
    write_atomically(output, lambda file: file.write(text.encode()))
    todo = [f"fill in {', '.join(keys)}"] if (keys := required_keys(text)) else []
    todo += [f"set {name} in the environment" for name in secret_variables(text)]
    todo.append(f"run: {how('check', output)}")
    tasks = escaped(" and ".join([*todo[:-2], ", then ".join(todo[-2:])]))
    out.print(f"Wrote {escaped(str(output))}. {tasks[0].upper()}{tasks[1:]}", soft_wrap=True)


@app.command(epilog="Example: labelnext export labelnext.yaml pool")
@config_argument
@click.argument("folder", help="A new folder, or a URL such as s3://bucket/pool.")
@click.option("--rows", type=int, default=100_000, help="Rows per file.")
@json_option
def export(config: Path, folder: str, rows: int, as_json: bool) -> None:
    """Export the items of a source to Parquet files, to rank them in parts."""
    from labelnext.runs.large.export import export as export_pool

    with progress_bars() as progress:
        source = export_pool(config, folder, rows=rows, progress=progress)
    if as_json:
        import yaml

        print_plain(json.dumps(yaml.safe_load(source), indent=2, ensure_ascii=False))
        return
    print_plain("# To rank the exported files, start your configuration with:")
    print_plain(source.rstrip("\n"))


@app.command(epilog="Example: labelnext status labelnext.yaml")
@config_argument
@click.option("--html", type=PATH, help="Also write a page for managers: who labelled what.")
@json_option
def status(config: Path, html: Path | None, as_json: bool) -> None:
    """Show your progress, how scores have moved, and what further labelling would gain."""
    from labelnext.runs.status import status as find_status

    with progress_bars() as progress:
        progress_so_far = find_status(config, progress=progress, page=html, work=as_json)
    if as_json:
        print_plain(progress_so_far.to_json())
        return
    print_status(progress_so_far)
    if progress_so_far.path is not None:
        out.print(f"Page: {escaped(str(progress_so_far.path))}", soft_wrap=True)


@app.command(epilog="Example: labelnext watch labelnext.yaml --labels 50")
@config_argument
@click.option(
    "--labels", type=int, help="Rank again after this many new labels; watch.labels by default."
)
@click.option(
    "--minutes",
    type=float,
    help="Also rank again after this many minutes, if anything was labelled.",
)
@click.option("--poll", type=float, default=10.0, help="Seconds between checks.")
@click.option("--once", is_flag=True, help="Check once, rank if needed, and exit.")
@log_file_option
def watch(
    config: Path,
    labels: int | None,
    minutes: float | None,
    poll: float,
    once: bool,
    log_file: Path | None,
) -> None:
    """Rank again whenever enough new labels have come in; run your training command first, if any.

    Ctrl-C, SIGTERM or closing the terminal stops it safely.
    """
    set_up_output(0, False)
    from datetime import datetime

    from labelnext.cli.stopping import stop_on_signals
    from labelnext.runs.watch import Health
    from labelnext.runs.watch import watch as keep_watching

    stop = stop_on_signals()
    said: list[str] = []

    def tell(health: Health) -> None:
        if said[-1:] != [health.message]:
            said[:] = [health.message]
            state = "ok" if health.ok else "error" if once else "waiting"
            print_plain(f"{datetime.now():%Y-%m-%d %H:%M:%S} {state}: {health.message}")
            sys.stdout.flush()

    health = keep_watching(
        logged(config, log_file),
        labels=labels,
        minutes=minutes,
        poll=poll,
        once=once,
        stop=stop,
        tell=tell,
    )
    if stop.is_set():
        print_plain(f"Stopped after {counted(health.runs, 'run')}.")
    if once and not health.ok:
        sys.exit(1)


@app.command(epilog="Example: labelnext schema > labelnext.schema.json")
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors."""
    from labelnext.config.schema import json_schema

    print_plain(json.dumps(json_schema(), indent=2))


def _say_stopped() -> None:
    """What can be done after Ctrl-C: about the run that was begun, never about an earlier one."""
    at_work = run_at_work()
    if at_work is None:
        err.print("Stopped before a run began: there is nothing to undo.")
        return
    run_id, undoing = at_work
    err.print(f"Stopped in {'the undo of ' if undoing else ''}run {run_id}.", soft_wrap=True)
    to_undo, to_resume = ("undo", CONFIG, run_id), ("resume", CONFIG, run_id)
    cures = (
        {"To finish it": to_undo} if undoing else {"To finish it": to_resume, "To undo it": to_undo}
    )
    for what, words in {"To see whether it was finished": ("runs", CONFIG), **cures}.items():
        err.print(f"{what}: {escaped(how(*words))}", soft_wrap=True)


def _end_output() -> None:
    """Write out what is left, for which Python would end in an error if nobody reads any more."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        lead_nowhere(sys.stdout)
    except OSError as error:  # a full disk
        lead_nowhere(sys.stdout)
        print_error(refusal(error))
        sys.exit(1)


def main() -> None:
    """Run the command line; print a LabelnextError on one line and exit with code 1."""
    stdout = sys.stdout
    try:
        asked_threads()  # a wrong number ends no run in its midst
        with warnings_in_one_line():
            app()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _say_stopped()
        _end_output()
        if sys.stdout is not stdout:  # click puts another there if nobody reads the help to its end
            sys.exit(0)
        raise
    except LabelnextError as error:
        print_error(error)
        sys.exit(1)
    except OSError as error:  # no permission, a name too long, a folder where a file should be
        print_error(refusal(error))
        sys.exit(1)
    except UnicodeEncodeError as error:  # of a path, in a locale that lacks its letters
        message = f"{error.object[:200]!a} can't be used in this locale ({error.encoding})"
        err.print("[red]Error:[/]", escaped(f"{message}. Hint: set PYTHONUTF8=1."), soft_wrap=True)
        sys.exit(1)
    except Exception as error:
        print_masked_traceback(error)
        sys.exit(1)


if __name__ == "__main__":
    main()
