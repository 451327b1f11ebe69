"""JSONL: a JSON object for each item, one a line."""

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
    from labelnext_adapters.files.json.keyed_lines import lines_are_keyed

    if lines_are_keyed(path, roles):
        from labelnext_adapters.files.tables.json_rows import read_json_table

        return read_json_table(path, roles)
    from labelnext_adapters.files.tables.rows import read_jsonl

    return read_jsonl(path, roles)


FORMAT = table_format(
    "jsonl",
    'one item per line: `{"item_id": "a.jpg", "probabilities": {"cat": 0.9, "dog": 0.1}}`',
    (".jsonl", ".ndjson"),
    read_rows,
)
