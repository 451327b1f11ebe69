"""CSV: a row for each item, class or detection; comma, semicolon, tab or bar between values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from labelnext_adapters.files.tables.table_format import table_format
from labelnext_adapters.files.tables.table_options import CsvOptions

if TYPE_CHECKING:
    from labelnext_adapters.files.tables.rows import Rows


def read_rows(path: Path, options: CsvOptions, is_text: Callable[[str], bool]) -> Rows:
    """The rows of a file."""
    from labelnext_adapters.files.tables.rows import read_csv

    return read_csv(
        path,
        is_text,
        delimiter=options.delimiter,
        decimal=options.decimal,
        encoding=options.encoding,
    )


FORMAT = table_format(
    "csv",
    "a row per item, with `p_<class>` or one column per class; or a row per class or detection",
    (".csv", ".tsv", ".tab"),
    read_rows,
    Options=CsvOptions,
)
