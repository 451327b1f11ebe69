"""What is printed can be copied, and says what to do next."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextvars import Context
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from labelnext.cli import INTERRUPTED, commands, console
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan
from labelnext.runs.exchange import Exchange
from labelnext.support.started import how, working_on


def test_a_command_in_a_long_message_stays_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(console, "out", Console(file=printed, width=40))
    command = "labelnext undo labelnext.yaml 20261130T061157-838788"
    console.print_marked("Note:", f"What is there again is taken away by {command}.")
    console.print_marked("[green]ok     [/]", "Much is as it should be.", hint=f"run {command}.")
    assert printed.getvalue().splitlines() == [
        f"Note: What is there again is taken away by {command}.",
        "ok      Much is as it should be.",
        f"        run {command}.",
    ]


def test_what_was_sent_can_be_undone_by_the_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(console, "out", Console(file=printed, width=40))
    steps = ("Store predictions of 2 tasks",)
    sent = Exchange("push", "20261130T061157-838788", "project 1", False, {"stored": 2}, steps)
    with working_on("labelnext.yaml"):
        console.print_exchange(sent)
        console.print_exchange(replace(sent, run_id=None, dry_run=True))
    assert printed.getvalue().count(f"To undo it: {how('undo', 'labelnext.yaml')}\n") == 1


def stopped(monkeypatch: pytest.MonkeyPatch, command: Callable[[], object]) -> None:
    def stop() -> None:
        command()
        raise SystemExit(INTERRUPTED)

    monkeypatch.setattr(commands, "app", stop)
    monkeypatch.setattr(commands, "err", Console(stderr=True))

    def run() -> None:
        with working_on("labelnext.yaml"), pytest.raises(SystemExit):
            commands.main()

    Context().run(run)  # of a process of its own, without the runs of other tests


def test_a_stop_says_how_to_look_finish_and_undo_the_run_that_was_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = Plan(adapter="files", run="labelnext", target="a.csv")
    begun: list[Journal] = []
    stopped(monkeypatch, lambda: begun.append(Journal.create(tmp_path, plan)))
    run = begun[0].run_id
    said = [
        f"Stopped in run {run}.",
        f"To see whether it was finished: {how('runs', 'labelnext.yaml')}",
        f"To finish it: {how('resume', 'labelnext.yaml', run)}",
        f"To undo it: {how('undo', 'labelnext.yaml', run)}",
    ]
    assert capsys.readouterr().err.splitlines() == said
    stopped(monkeypatch, lambda: begun[0].record("undoing"))
    assert capsys.readouterr().err.splitlines() == [
        f"Stopped in the undo of run {run}.",
        f"To see whether it was finished: {how('runs', 'labelnext.yaml')}",
        f"To finish it: {how('undo', 'labelnext.yaml', run)}",
    ]


def test_a_stop_before_a_run_began_offers_no_undo_of_an_earlier_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped(monkeypatch, lambda: None)
    said = capsys.readouterr().err.splitlines()
    assert said == ["Stopped before a run began: there is nothing to undo."]


def test_a_name_between_colons_stays_text(capsys: pytest.CaptureFixture[str]) -> None:
    table = console.table_of("class")
    table.add_row(console.escaped(":cat:"))
    for printer in (console.out, console.err):
        printer.print(console.escaped("class :cat:"))
        printer.print(table)
    said = capsys.readouterr()
    assert said.out == said.err
    assert [line.split() for line in said.out.splitlines()] == [
        ["class", ":cat:"],
        ["class"],
        [":cat:"],
    ]
