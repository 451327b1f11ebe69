"""CSV: a row for each item, class or detection; comma, semicolon, tab or bar between values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from labelnext.errors import InvalidInput
from labelnext_adapters.files.tables.table_format import table_format
from labelnext_adapters.files.tables.table_options import CsvOptions

if TYPE_CHECKING:
    from labelnext.adapter.sample import Sample
    from labelnext_adapters.files.tables.column_names import ColumnRoles
    from labelnext_adapters.files.tables.rows import Rows


_TEXTS = ("", ".txt", ".dat", ".out", ".log", ".md", ".prn", ".asc", ".fwf")


def read_rows(path: Path, options: CsvOptions, roles: ColumnRoles) -> Rows:
    """The rows of a file."""
    from labelnext_adapters.files.tables.cells import with_cells
    from labelnext_adapters.files.tables.rows import read_csv

    rows = read_csv(
        path,
        roles,
        delimiter=options.delimiter,
        decimal=options.decimal,
        encoding=options.encoding,
    )
    return with_cells(rows, roles)


def evidence(sample: Sample) -> str | None:
    """Whether a text file without a table's ending has a table's lines: names, then as many values.

    Lines of YOLO begin with numbers, and those of prose differ in length.
    """
    if sample.suffix not in _TEXTS or len(sample.lines) < 2 or sample.json is not None:
        return None
    from labelnext_adapters.files.tables.printed import printed_by, with_tabs

    lines, between = sample.lines, {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas"}
    if split := printed_by(lines):
        try:
            text, _ = with_tabs("\n".join(lines), split)
        except InvalidInput:  # said when it is read
            return "its lines are a printed table"
        lines, between = [line for line in text.splitlines() if line], {"\t": "spaces or bars"}
    for sign, name in between.items():
        names, *rows = (line.split(sign) for line in lines[:20])
        if len(names) < (3 if sign == "," else 2) or any(len(row) != len(names) for row in rows):
            continue
        if any(map(_is_number, rows[0][1:])) and not any(map(_is_number, names)):
            return f"its lines have {len(names)} values between {name}, with names in the first"
    return None


def _is_number(value: str) -> bool:
    return value.strip().replace(",", ".", 1).replace(".", "", 1).isdigit()


FORMAT = table_format(
    "csv",
    "a row per item, with `p_<class>` or one column per class; or a row per class or detection",
    (".csv", ".tsv", ".tab"),
    read_rows,
    Options=CsvOptions,
    evidence=evidence,
)
