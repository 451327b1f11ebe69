"""Tables lose nothing, in a pipe and on narrow terminals."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from labelnext.cli.console import table_of
from labelnext.cli.layout import print_table

PATH = "folder with spaces/" + "deep/" * 20 + "digit-0173.png"


def printed(width: int, *, terminal: bool) -> list[str]:
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=terminal, color_system=None)
    table = table_of("run", "item", "score", "why")
    table.add_row("20261130T215311-885139", PATH, "0.1000", "cat 0.55, [green]dog[/] 0.45")
    table.add_row("20261130T215315-420202", "b", "", "")
    print_table(console, table)
    return text.getvalue().splitlines()


@pytest.mark.parametrize("width", [20, 80])
def test_a_pipe_gets_each_row_on_one_line(width: int) -> None:
    heading, first, second = printed(width, terminal=False)
    assert heading.split() == ["run", "item", "score", "why"]
    assert first == f"20261130T215311-885139  {PATH}  0.1000  cat 0.55, dog 0.45"
    assert second == "20261130T215315-420202  b"


def test_a_terminal_folds_what_is_too_long() -> None:
    lines = printed(80, terminal=True)
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["run", "item", "score", "why"]


@pytest.mark.parametrize("width", [20, 38])
def test_a_terminal_too_narrow_for_the_headings_gets_a_line_a_row(width: int) -> None:
    first, second = printed(width, terminal=True)
    assert first == (f"20261130T215311-885139: item {PATH}, score 0.1000, why cat 0.55, dog 0.45")
    assert second == "20261130T215315-420202: item b"


def test_a_table_without_rows_is_its_headings(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(Console(width=20, force_terminal=False), table_of("name", "what it is"))
    assert capsys.readouterr().out == "name  what it is\n"
