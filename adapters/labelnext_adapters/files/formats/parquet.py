"""One Parquet file: a row for each item, with lists for vectors and objects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from labelnext_adapters.files.tables.table_format import refuse_empty, table_format
from labelnext_adapters.files.tables.table_options import TableOptions

if TYPE_CHECKING:
    from labelnext_adapters.files.tables.column_names import ColumnRoles
    from labelnext_adapters.files.tables.rows import Rows


def read_rows(path: Path, options: TableOptions, roles: ColumnRoles) -> Rows:
    """The rows of a file.

    Raises:
        InvalidInput: if the file is empty, or unpacks to too much.
    """
    import pyarrow.parquet

    from labelnext_adapters.files.tables.index_levels import with_index
    from labelnext_adapters.files.tables.parquet import read_columns
    from labelnext_adapters.files.tables.rows import Rows

    refuse_empty(path)
    file = pyarrow.parquet.ParquetFile(path)
    return with_index(Rows(read_columns(file, path)), file.schema_arrow.metadata, roles)


FORMAT = table_format(
    "parquet",
    "one row per item, with lists for `probabilities`, `objects` and `embedding`",
    (".parquet", ".pq"),
    read_rows,
)
