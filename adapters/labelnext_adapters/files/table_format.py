"""A format whose files are tables, and a table to a Pool. Arrow is loaded when used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext_adapters.files.table_options import TableOptions, named_columns

if TYPE_CHECKING:
    import pyarrow as pa

    from labelnext_adapters.files.rows import Rows


def table_format(
    name: str, summary: str, endings: tuple[str, ...], rows: Callable[[Path], pa.Table]
) -> Format:
    """A format whose files are tables, one item a row.

    Args:
        name: as in `source.format`.
        summary: what it reads, in one line.
        endings: of the names of its files.
        rows: reads a file.
    """

    def table(path: Path | str, options: TableOptions, context: Context) -> pa.Table:
        return rows(Path(path))

    def read(path: Path | str, options: TableOptions, context: Context) -> Pool:
        from labelnext_adapters.files.rows import Rows

        return pool_of(Rows(rows(Path(path))), options, context)

    return Format(name, summary, endings, TableOptions, read, table=table)


def pool_of(rows: Rows, options: TableOptions, context: Context) -> Pool:
    """The items of a table.

    Raises:
        InvalidInput: if a column is missing, ragged or of a wrong type.
    """
    from labelnext_adapters.files.columns import pool_of_table

    columns = named_columns(options, context)
    return pool_of_table(
        rows.table,
        columns,
        options.classes,
        multilabel=options.multilabel,
        notices=rows.notices,
    )


def refuse_empty(path: Path) -> None:
    """Say so where a file holds nothing.

    Raises:
        InvalidInput: if it is empty.
    """
    if path.stat().st_size == 0:
        raise InvalidInput("the file must not be empty.")
