"""Arrow: the IPC file and stream formats, and Feather."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from labelnext.adapter.sample import Sample
from labelnext_adapters.files.tables.table_format import refuse_empty, table_format
from labelnext_adapters.files.tables.table_options import TableOptions

if TYPE_CHECKING:
    from labelnext_adapters.files.json.roles import Roles
    from labelnext_adapters.files.tables.rows import Rows


def read_rows(path: Path, options: TableOptions, roles: Roles) -> Rows:
    """The rows of a file.

    Raises:
        InvalidInput: if the file is empty, cut off or damaged, or unpacks to too much.
    """
    from labelnext_adapters.files.tables.ipc import read_ipc
    from labelnext_adapters.files.tables.rows import Rows

    refuse_empty(path)
    return Rows(read_ipc(path))


def evidence(sample: Sample) -> str | None:
    """Whether the first bytes are those of an Arrow file."""
    if sample.start.startswith((b"ARROW1", b"FEA1")):
        return "its first bytes are those of an Arrow file"
    return None


FORMAT = table_format(
    "arrow",
    "an Arrow (IPC) or Feather file, with the same columns as Parquet",
    (".arrow", ".arrows", ".feather", ".ipc"),
    read_rows,
    evidence=evidence,
)
