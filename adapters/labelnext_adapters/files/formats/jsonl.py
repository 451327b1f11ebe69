"""JSONL: a JSON object for each item, one a line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from labelnext_adapters.files.table_format import refuse_empty, table_format

if TYPE_CHECKING:
    import pyarrow as pa


def read_rows(path: Path) -> pa.Table:
    """The rows of a file.

    Raises:
        InvalidInput: if the file is empty.
    """
    import pyarrow.json

    refuse_empty(path)
    # A block must hold a whole line: an item with many objects makes a long one.
    options = pyarrow.json.ReadOptions(block_size=min(max(path.stat().st_size, 1), 1 << 30))
    return pyarrow.json.read_json(path, read_options=options)


FORMAT = table_format(
    "jsonl",
    'one item per line: `{"item_id": "a.jpg", "probabilities": {"cat": 0.9, "dog": 0.1}}`',
    (".jsonl", ".ndjson"),
    read_rows,
)
