"""CSV: a row for each item, class or detection; comma, semicolon, tab or bar between values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from labelnext_adapters.files.tables.table_format import table_format
from labelnext_adapters.files.tables.table_options import CsvOptions

if TYPE_CHECKING:
    from labelnext.adapter.sample import Sample
    from labelnext_adapters.files.tables.rows import Rows


def read_rows(path: Path, options: CsvOptions, is_text: Callable[[str], bool]) -> Rows:
    """The rows of a file."""
    from labelnext_adapters.files.tables.cells import with_cells
    from labelnext_adapters.files.tables.column_names import TextColumns
    from labelnext_adapters.files.tables.rows import read_csv

    rows = read_csv(
        path,
        is_text,
        delimiter=options.delimiter,
        decimal=options.decimal,
        encoding=options.encoding,
    )
    return with_cells(rows, is_text if isinstance(is_text, TextColumns) else TextColumns())


def evidence(sample: Sample) -> str | None:
    """Whether a text file without a table's ending has a table's lines: names, then as many values.

    Lines of YOLO and prose have spaces between values, or values of no number.
    """
    if sample.path.suffix.lower() not in ("", ".txt", ".dat") or len(sample.lines) < 2:
        return None
    for sign, name in {"\t": "tabs", ";": "semicolons", ",": "commas"}.items():
        names, *rows = (line.split(sign) for line in sample.lines[:20])
        if len(names) > 2 and all(len(row) == len(names) for row in rows):
            numbers = any(
                value.strip().replace(",", ".", 1).replace(".", "", 1).isdigit()
                for value in rows[0][1:]
            )
            if numbers and not any(value.strip().isdigit() for value in names):
                return f"its lines have {len(names)} values between {name}, with names in the first"
    return None


FORMAT = table_format(
    "csv",
    "a row per item, with `p_<class>` or one column per class; or a row per class or detection",
    (".csv", ".tsv", ".tab"),
    read_rows,
    Options=CsvOptions,
    evidence=evidence,
)
