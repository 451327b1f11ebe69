"""What is printed can be copied."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from labelnext.cli import console


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
