"""Lists: aligned in a terminal, JSON if asked for, one record a line in a pipe."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from labelnext.cli.console import escaped, out, print_plain, printable, table_of
from labelnext.cli.layout import print_table as print_laid_out


def print_rows(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print records, one a line, without ever breaking one.

    In a terminal with headings and aligned columns; otherwise the cells alone, with tabs between.
    """
    lines = [[printable(cell) for cell in row] for row in rows]
    if not out.is_terminal:
        for line in lines:
            print_plain("\t".join(line))
        return
    widths = [max(map(len, column)) for column in zip(headings, *lines, strict=True)]
    for number, line in enumerate([list(headings), *lines]):
        padded = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        text = escaped("  ".join(padded).rstrip())
        out.print(text, style=None if number else "bold", soft_wrap=True)


def print_table(
    headings: tuple[str, str],
    rows: Sequence[Mapping[str, Any]],
    facts: Sequence[Sequence[str]],
    *,
    as_json: bool,
) -> None:
    """Print names with their summaries, and facts below each; in a pipe, one name a line.

    Args:
        headings: of the name and the summary.
        rows: with name and summary, and whatever else the JSON has.
        facts: of each row, one line each in a terminal.
        as_json: print the rows as JSON.
    """
    if as_json:
        print_plain(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    named = [(str(row["name"]), str(row["summary"])) for row in rows]
    if not out.is_terminal:
        print_rows(headings, [(*pair, *more) for pair, more in zip(named, facts, strict=True)])
        return
    table = table_of(*headings)
    for (name, summary), more in zip(named, facts, strict=True):
        table.add_row(name, escaped(summary))
        for fact in more:
            table.add_row("", f"[dim]{escaped(fact)}[/]")
    print_laid_out(out, table)
