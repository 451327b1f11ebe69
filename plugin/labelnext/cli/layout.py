"""How a table is laid out: whole in a pipe, and row by row where a terminal is too narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_ENDLESS = 10_000
_GAP = 2  # columns between cells


def print_table(console: Console, table: Table) -> None:
    """Print a table so that nothing of it is lost.

    In a pipe its lines are as long as they must be. A terminal folds cells; where not even the
    headings fit side by side, each row is a line of its own.
    """
    if not console.is_terminal:
        for cells in console.render_lines(table, console.options.update(width=_ENDLESS)):
            whole = "".join(segment.text for segment in cells).rstrip()
            console.print(whole, markup=False, soft_wrap=True)
    elif _narrowest(table) <= console.width:
        console.print(table)
    else:
        for line in _lines(table):
            console.print(line, soft_wrap=True)


def _narrowest(table: Table) -> int:
    """The width at which all headings stand whole, and the cells that must not be folded."""
    widths = [
        max(
            _text(column.header).cell_len,
            *(_text(cell).cell_len for cell in column.cells if column.no_wrap),
            0,
        )
        for column in table.columns
    ]
    return sum(widths) + _GAP * (len(widths) - 1)


def _lines(table: Table) -> list[Text]:
    """A line for each row: its first cell, then the others after their headings."""
    headings = [column.header for column in table.columns]
    lines = []
    for row in zip(*(column.cells for column in table.columns), strict=True):
        first, *others = map(_text, row)
        cells = zip(headings[1:], others, strict=True)
        said = [Text.assemble(f"{heading} ", cell) for heading, cell in cells if cell.plain]
        lines.append(Text.assemble(first, ": ", Text(", ").join(said)))
    return lines


def _text(cell: object) -> Text:
    return cell if isinstance(cell, Text) else Text.from_markup(str(cell), emoji=False)
