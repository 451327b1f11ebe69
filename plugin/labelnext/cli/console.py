"""Printing for the command line: tables, progress bars and logs."""

from __future__ import annotations

import logging
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.text import Text

from labelnext.cli.layout import print_table
from labelnext.cli.log import mask_record
from labelnext.errors import (
    LabelnextError,
    LabelnextWarning,
    masked,
    without_secrets,
)
from labelnext.support.started import CONFIG, from_here, how
from labelnext.support.words import cut, done

if TYPE_CHECKING:
    from rich.table import Table

    from labelnext.journal.plan import Progress
    from labelnext.replays.outcomes import ReplayReport
    from labelnext.replays.stored import StoredReport
    from labelnext.report.report import Report
    from labelnext.runs.check import Check
    from labelnext.runs.exchange import Exchange
    from labelnext.runs.status import Status

_MOST_CLASSES = 30  # above that, only the JSON lists the classes


class _Printer(Console):
    """A console whose reader may leave early, as `head` does: the command goes on regardless."""

    def on_broken_pipe(self) -> None:
        """Let the rest lead nowhere; rich would end the command as failed."""
        lead_nowhere(self.file)


out = _Printer(emoji=False, highlight=False)  # an id such as :cat: stays as it is
err = _Printer(stderr=True, emoji=False, highlight=False)
_told = set[str]()  # warnings that were printed before the report, which has them, too


def print_error(error: LabelnextError) -> None:
    """Print what is wrong on one line."""
    logging.getLogger("labelnext").error("%s", error)
    err.print("[red]Error:[/]", escaped(" ".join(str(error).split())), soft_wrap=True)


def print_check(result: Check) -> None:
    """Print the findings, and which acquisition functions the data allows."""
    marks = {
        "ok": "[green]ok     [/]",
        "warning": "[yellow]warning[/]",
        "error": "[red]error  [/]",
    }
    for finding in result.findings:
        print_marked(marks[finding.level], finding.message, hint=finding.hint)
    if any(obstacle is None for obstacle in result.obstacles.values()):
        table = table_of("acquisition function", "usable?")
        for name, obstacle in result.obstacles.items():
            why = "" if obstacle is None else escaped(obstacle.removeprefix(f"{name} "))
            table.add_row(name, f"no: {why}" if why else "[green]yes[/]")
        print_table(out, table)


def print_replay(report: ReplayReport) -> None:
    """Print each strategy compared with random, and the advice."""
    table = table_of("strategy", "points over random", "interval", "better in", "labels to match")
    for outcome in report.outcomes:
        match = outcome.labels_to_match
        low, high = (100 * end for end in outcome.interval)
        table.add_row(
            outcome.strategy,
            f"{100 * outcome.difference:+.1f}",
            f"{low:+.1f} to {high:+.1f}",
            f"{outcome.wins} of {report.n_seeds}",
            "not reached" if match is None else str(match),
        )
    print_table(out, table)
    if len(report.classes) <= _MOST_CLASSES:
        out.print("Labels needed to reach random's final recall of each class:")
        by_class = table_of("class", *(outcome.strategy for outcome in report.outcomes))
        for index, name in enumerate(report.classes):
            needed = [outcome.class_labels_to_match[index] for outcome in report.outcomes]
            by_class.add_row(escaped(name), *("–" if n is None else str(n) for n in needed))
        print_table(out, by_class)
    out.print(f"[bold]{escaped(report.advice)}[/]", soft_wrap=True)
    if report.path is not None:
        out.print(f"Report: {escaped(str(report.path))}", soft_wrap=True)


def print_stored(report: StoredReport) -> None:
    """Print how early each ranking finds its targets, and the advice."""
    table = table_of("version", "to find", "strategy", "in the first 10%", "area", "interval")
    for row in report.rows:
        low, high = row.interval
        table.add_row(
            escaped(row.name),
            f"{row.n_targets} of {row.n_items} {row.target}",
            row.strategy,
            f"{100 * row.shares[1]:.0f}%",
            f"{row.area:.2f}",
            f"{low:.2f} to {high:.2f}",
        )
    if report.rows:
        print_table(out, table)
    for line in report.left_out:
        out.print("Left out:", escaped(line), soft_wrap=True)
    out.print(f"[bold]{escaped(report.advice)}[/]", soft_wrap=True)
    if report.path is not None:
        out.print(f"Report: {escaped(str(report.path))}", soft_wrap=True)


def print_status(status: Status) -> None:
    """Print the labelling progress, the runs, the stopping signals and the forecast."""
    out.print(status.sentence(), soft_wrap=True)
    if status.unchanged:
        out.print(
            "Nothing has changed since the newest run: the predictions and labels are the same.",
            soft_wrap=True,
        )
    elif status.unchanged is False:
        what = (
            "The pool's files were changed or moved"
            if status.in_parts
            else ("Predictions or labels have changed")
        )
        out.print(f"{what} since run {status.newest}: run again to rank by them.", soft_wrap=True)
    if status.accuracy is not None:
        out.print(f"[bold]accuracy[/] {status.accuracy.sentence()}", soft_wrap=True)
    if status.error is not None:
        out.print(f"[bold]error[/] {status.error.sentence()}", soft_wrap=True)
    if status.loop is not None:
        out.print(f"[bold]watch[/] {status.loop.sentence()}", soft_wrap=True)
    if status.runs:
        table = table_of("run", "labelled", "ranked", "acquisition", "median score")
        for run in status.runs:
            median = "" if run.median_score is None else f"{run.median_score:.4g}"
            row = (run.run_id, f"{run.n_labelled:,}", f"{run.n_ranked:,}")
            table.add_row(*row, run.acquisition or "none", median)
        print_table(out, table)
    for signal in status.signals:
        value = "" if signal.value is None else f" {signal.value:.4g}:"
        print_marked(f"[bold]{signal.name}[/]{value}", signal.says)
        if signal.value is not None:
            note = f"{signal.caution.removesuffix('.')} ({signal.reference})."
            print_marked("  But", note, style="dim")

    ahead = status.forecast
    if isinstance(ahead, str):
        print_marked("[bold]forecast[/]", ahead.removeprefix("A forecast "))
        return
    rows = zip(ahead.labels, ahead.expected, ahead.low, ahead.high, strict=True)
    said = [f"{100 * e:.1f}% with {n:,} labels ({100 * a:.1f} to {100 * b:.1f})"
            for n, e, a, b in rows]  # fmt: skip
    now = f"{100 * ahead.accuracies[-1]:.1f}% with {ahead.sizes[-1]:,}"
    print_marked("[bold]forecast[/]", f"accuracy on held-out items: {now}; {', '.join(said)}")
    print_marked("  But", ahead.caution, style="dim")


def print_report(report: Report) -> None:
    """Print the next items, what was written, and what to do now."""
    from labelnext.report.report import counts_line

    if report.address is not None:
        out.print(f"Label at {escaped(report.address)}", soft_wrap=True)
    out.print(
        f"[bold]{escaped(from_here(report.target))}[/]: {counts_line(report.counts)}",
        soft_wrap=True,
    )
    objects = [report.objects_line] if report.objects_line else []
    for line in [*objects, *report.calibration_lines()]:
        out.print(escaped(line[:1].upper() + line[1:]), soft_wrap=True)
    for notice in report.notices:
        if notice.message not in _told:
            print_marked("[yellow]warning[/]", notice.message)
    _told.clear()  # the next round of a watch may tell it again
    rows = report.next_items[:10]
    if rows:
        table = table_of("rank", "item", "score", "priority", "why")
        for row in rows:
            score = "" if row["score"] is None else f"{row['score']:.4f}"
            item = f"{row['name']} ({row['item_id']})" if "name" in row else row["item_id"]
            cells = [str(row["rank"]), item, score, f"{row['priority']:.4f}"]
            cells = [escaped(cut(cell)) for cell in (*cells, row["reason"])]
            if "link" in row:  # a click opens it, where the terminal can
                cells[1] = f"[link={row['link']}]{cells[1]}[/link]"
            table.add_row(*cells)
        print_table(out, table)
    else:
        said = f"Nothing to {report.ranking.purpose} next: {report.why_nothing}."
        out.print(escaped(said), soft_wrap=True)
    if report.steps:
        out.print("[bold]Would do:[/]" if report.dry_run else "[bold]Done:[/]")
    for step in report.steps:
        out.print(" •", escaped(step if report.dry_run else done(step)), soft_wrap=True)
    for line in () if report.dry_run else report.next_steps:
        out.print("[bold]Next:[/]", escaped(line), soft_wrap=True)
    if report.path is not None:
        out.print(f"Report: {escaped(str(report.path))}", soft_wrap=True)
    if report.steps and not report.dry_run:
        out.print(f"To undo it: {escaped(report.undo)}", soft_wrap=True)


def print_exchange(result: Exchange, *, as_json: bool = False) -> None:
    """Print what was sent or fetched, and what to do now."""
    if as_json:
        print_plain(result.to_json())
        return
    counts = ", ".join(f"{n:,} {name}" for name, n in result.counts.items())
    out.print(f"[bold]{escaped(from_here(result.target))}[/]: {counts}", soft_wrap=True)
    for notice in result.notices:
        print_marked("[yellow]warning[/]", notice.message)
    if result.steps:
        out.print("[bold]Would do:[/]" if result.dry_run else "[bold]Done:[/]")
    else:
        out.print(escaped(result.nothing), soft_wrap=True)
    for step in result.steps:
        out.print(" •", escaped(step if result.dry_run else done(step)), soft_wrap=True)
    for line in () if result.dry_run else result.next_steps:
        out.print("[bold]Next:[/]", escaped(line), soft_wrap=True)
    if result.run_id is not None:
        out.print(f"To undo it: {escaped(how('undo', CONFIG))}", soft_wrap=True)


def set_up_output(verbose: int, quiet: bool) -> None:
    """Set how much is printed."""
    out.quiet = quiet
    root = logging.getLogger("labelnext")
    root.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
    if verbose:
        from rich.logging import RichHandler

        shown = RichHandler(console=err, show_path=False)
        shown.addFilter(mask_record)
        root.addHandler(shown)


@contextmanager
def progress_bars() -> Iterator[Progress | None]:
    """Show a progress bar for each stage; none if the output isn't a terminal."""
    if out.quiet or not err.is_terminal:
        yield None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column

    class TimeLeft(TimeRemainingColumn):
        """The time that is left, in words, once it can be estimated."""

        def render(self, task: Task) -> Text:
            known = task.time_remaining is not None and not task.finished
            return Text.assemble(super().render(task), " left") if known else Text()

    # The bar gives way, so that a line is never wider than the terminal.
    columns = (
        TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis")),
        BarColumn(bar_width=None, table_column=Column(max_width=40, ratio=1)),
        MofNCompleteColumn(),
        TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=len("0:00:00"))),
        TimeLeft(table_column=Column(no_wrap=True)),
    )
    with Progress(*columns, console=err, transient=True, expand=True) as bars:
        tasks: dict[str, Any] = {}

        def report(stage: str, done: int, total: int | None) -> None:
            name = stage.partition(":")[0]
            if name not in tasks:
                for task in bars.tasks:  # a stage of unknown length ends when the next one begins
                    if task.total is None:
                        done_so_far = max(1, int(task.completed))
                        bars.update(task.id, total=done_so_far, completed=done_so_far)
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total, description=escaped(stage))

        yield report


class _LoggedWarnings(logging.Handler):
    """Prints each warning of the log once."""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.levelno == logging.WARNING and not out.quiet and text not in _told:
            _told.add(text)
            err.print("[yellow]Warning:[/]", escaped(text), soft_wrap=True)


@contextmanager
def warnings_in_one_line() -> Iterator[None]:
    """Print labelnext's own warnings on one line, without the source code line."""
    logging.getLogger("labelnext").addHandler(_LoggedWarnings(logging.WARNING))
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if not issubclass(category, LabelnextWarning):
                others(message, category, filename, lineno, file, line)
            elif not out.quiet:
                _told.add(str(message))
                text = escaped(" ".join(str(message).split()))
                err.print("[yellow]Warning:[/]", text, soft_wrap=True)

        warnings.showwarning = show
        yield


def print_marked(
    mark: str, message: str, *, hint: str | None = None, style: str | None = None
) -> None:
    """Print a message after its mark, and the hint indented below it.

    Only the terminal breaks the lines, so that a command in them can be copied whole.
    """
    out.print(mark, escaped(message), style=style, soft_wrap=True)
    if hint:
        indent = " " * Text.from_markup(mark).cell_len
        out.print(indent, f"[dim]{escaped(hint)}[/]", soft_wrap=True)


def table_of(*headings: str) -> Table:
    """An empty table with these headings."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        right = heading in ("rank", "score", "priority")
        table.add_column(
            heading,
            justify="right" if right else "left",
            overflow="fold",
            no_wrap=heading
            in ("name", "run", "acquisition function", "group", "package", "started"),
        )
    return table


def print_masked_traceback(error: Exception) -> None:
    """Print what Python prints for an error that nobody expected, without secrets."""
    sys.stderr.write(masked("".join(traceback.format_exception(error))))


def print_plain(text: str) -> None:
    """Print text to standard output, for other programs; only secrets are changed."""
    try:
        sys.stdout.write(without_secrets(text) + "\n")
    except BrokenPipeError:
        lead_nowhere(sys.stdout)


def lead_nowhere(stream: IO[str]) -> None:
    """Let a stream that nobody reads any more take what is still written."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def escaped(text: str) -> str:
    """Text escaped for rich, without secrets and control characters."""
    from rich.markup import escape

    return escape(printable(text))


def printable(text: str) -> str:
    """Text without secrets and control characters."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in masked(text))
