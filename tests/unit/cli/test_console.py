"""What is printed can be copied, and says what to do next."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from labelnext.cli import INTERRUPTED, commands, console
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


def test_a_stop_says_how_to_look_finish_and_undo(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop() -> None:
        raise SystemExit(INTERRUPTED)

    monkeypatch.setattr(commands, "app", stop)
    monkeypatch.setattr(commands, "err", Console(stderr=True))
    with working_on("labelnext.yaml"), pytest.raises(SystemExit):
        commands.main()
    assert capsys.readouterr().err.splitlines() == [
        "Stopped.",
        f"To see whether anything was written: {how('runs', 'labelnext.yaml')}",
        f"To finish a run that is broken: {how('resume', 'labelnext.yaml')}",
        f"To take it back: {how('undo', 'labelnext.yaml')}",
    ]


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
