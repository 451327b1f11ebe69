"""JSON: a list of objects, one for each item."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from labelnext_adapters.files.table_format import table_format

if TYPE_CHECKING:
    from labelnext_adapters.files.rows import Rows
    from labelnext_adapters.files.table_options import TableOptions


def read_rows(path: Path, options: TableOptions) -> Rows:
    """The rows of a file.

    Raises:
        InvalidInput: if the file is no list of objects.
    """
    from labelnext_adapters.files.layout import text_columns
    from labelnext_adapters.files.rows import read_json_table

    return read_json_table(path, text_columns(options))


FORMAT = table_format(
    "json",
    "a JSON list of objects, one for each item, with the same keys as JSONL",
    (".json",),
    read_rows,
)
