"""CSV: a row for each item, a column for each number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labelnext_adapters.files.table_format import refuse_empty, table_format

if TYPE_CHECKING:
    import pyarrow as pa


def read_rows(path: Path, texts: Sequence[str] = ()) -> pa.Table:
    """The rows of a file.

    Args:
        path: of the file.
        texts: columns that are no numbers, whatever they look like.

    Raises:
        InvalidInput: if the file is empty.
    """
    import pyarrow.csv

    refuse_empty(path)
    kinds = dict.fromkeys(texts, "string")
    options = pyarrow.csv.ConvertOptions(column_types=kinds)
    return pyarrow.csv.read_csv(path, convert_options=options)


FORMAT = table_format(
    "csv",
    "one row per item: `item_id`, `p_<class>` for probabilities, `e_0`, … for an embedding",
    (".csv",),
    read_rows,
)
