"""A format whose files are tables, and a table to a Pool. Arrow is loaded when used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext_adapters.files.tables.table_options import (
    TableOptions,
    check_metadata,
    named_columns,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from labelnext_adapters.files.tables.column_names import ColumnRoles
    from labelnext_adapters.files.tables.rows import Rows


def table_format(
    name: str,
    summary: str,
    endings: tuple[str, ...],
    rows: Callable[[Path, Any, ColumnRoles], Rows],
    **more: Any,
) -> Format:
    """A format whose files are tables.

    Args:
        name: as in `source.format`.
        summary: what it reads, in one line.
        endings: of the names of its files.
        rows: ``rows(path, options, roles)`` reads a file with columns of these roles.
        more: further attributes of `Format`; `Options` are `TableOptions` by default.
    """

    def read_rows(path: Path | str, options: TableOptions, context: Context) -> Rows:
        from labelnext_adapters.files.globs import is_of_tables
        from labelnext_adapters.files.tables.column_names import ColumnRoles

        columns = named_columns(options, context)
        roles = ColumnRoles(columns)
        if Path(path).is_dir() or is_of_tables(path):
            from labelnext_adapters.files.tables.shards import rows_of_shards

            read = rows_of_shards(Path(path), lambda one: rows(one, options, roles), roles)
        else:
            read = rows(Path(path), options, roles)
        return with_values(read, columns, roles)

    def table(path: Path | str, options: TableOptions, context: Context) -> pa.Table:
        return read_rows(path, options, context).table

    def read(path: Path | str, options: TableOptions, context: Context) -> Pool:
        return pool_of(read_rows(path, options, context), options, context)

    options = more.pop("Options", TableOptions)
    return Format(name, summary, endings, options, read, table=table, **more)


def with_values(rows: Rows, columns: dict[str, Any], roles: ColumnRoles) -> Rows:
    """The rows with the numbers, lists and mappings that their texts hold.

    Args:
        rows: as they stand in a file, or in memory.
        columns: our names to those of the rows.
        roles: of the columns.

    Raises:
        InvalidInput: if more than a tenth of the rows can't be used.
    """
    from labelnext_adapters.files.tables.cells import with_cells
    from labelnext_adapters.files.tables.inner import with_inner_columns
    from labelnext_adapters.files.tables.text_numbers import (
        with_inner_numbers,
        with_text_numbers,
    )

    rows = with_cells(rows, roles, usual=True)
    table, inner = with_inner_numbers(rows.table, roles.is_scores)
    rows = replace(rows, table=table, notices=[*rows.notices, *inner])
    table, notices = with_text_numbers(with_inner_columns(rows.table, columns), roles, rows.place)
    return replace(rows, table=table, notices=[*rows.notices, *notices])


def pool_of(rows: Rows, options: TableOptions, context: Context) -> Pool:
    """The items of a table, whatever its layout.

    Raises:
        InvalidInput: if a column is missing, ragged or of a wrong type.
    """
    from labelnext_adapters.files.tables.column_names import first_of, has_our_names
    from labelnext_adapters.files.tables.columns import pool_of_reader
    from labelnext_adapters.files.tables.known_names import MAYBE_LABELS
    from labelnext_adapters.files.tables.layout import laid_out
    from labelnext_adapters.files.tables.passed_over import in_place_of_predictions
    from labelnext_adapters.files.tables.table import TableReader
    from labelnext_adapters.files.tables.vectors import Meaning

    columns, names = named_columns(options, context), rows.table.column_names
    if not rows.table.num_rows and not has_our_names(names, columns):
        raise InvalidInput(
            f"the file has no rows{f' below its columns {listed(names)}' if names else ''}.",
            hint="write the predictions into it, one item per row.",
        )
    check_metadata(names, context)
    out = laid_out(rows, columns, options)
    maybe = first_of(names, MAYBE_LABELS)
    if maybe is not None and "label" not in (*names, *columns):
        cure = f"source.columns: {{label: {maybe}}}"
        message = f"Column {maybe!r} was not read; if it holds what people said, set {cure}."
        out.notices.append(Notice("not_read", message))
    out.notices.extend(in_place_of_predictions(out))
    reader = TableReader(out.table, out.columns, Meaning.of(options), options.labels_are, out.place)
    reader.notices += out.notices
    del rows, out  # so that the reader can free the table before the pool copies its columns
    return pool_of_reader(reader, options.classes)


def refuse_empty(path: Path) -> None:
    """Say so where a file holds nothing.

    Raises:
        InvalidInput: if it is empty.
    """
    if path.stat().st_size == 0:
        raise InvalidInput("the file must not be empty.")
