"""JSON: a list of objects, one for each item."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from labelnext_adapters.files.tables.table_format import table_format
from labelnext_adapters.files.tables.table_options import TableOptions

if TYPE_CHECKING:
    from labelnext_adapters.files.json.roles import Roles
    from labelnext_adapters.files.tables.rows import Rows


def read_rows(path: Path, options: TableOptions, roles: Roles) -> Rows:
    """The rows of a file."""
    from labelnext_adapters.files.tables.json_rows import read_json_table

    return read_json_table(path, roles)


FORMAT = table_format(
    "json",
    "a JSON list of objects, one for each item, with the same keys as JSONL",
    (".json",),
    read_rows,
)
