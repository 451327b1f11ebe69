"""One Parquet file: a row for each item, with lists for vectors and objects."""

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
    import pyarrow.parquet

    refuse_empty(path)
    return pyarrow.parquet.read_table(path)


FORMAT = table_format(
    "parquet",
    "one row per item, with lists for `probabilities`, `objects` and `embedding`",
    (".parquet", ".pq"),
    read_rows,
)
