"""Fields inside records as columns: of names with a dot, and of an image that has a path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from labelnext_adapters.files.tables.column_names import IDS, first_of

_NAMES = ("path", "file_name", "filename", "name", "id", "uri", "url")


def with_inner_columns(table: pa.Table, columns: Mapping[str, str | Sequence[str]]) -> pa.Table:
    """A table with a column for each field that is named, or that holds the ids.

    Args:
        table: as it stands in the file.
        columns: our names to the table's.

    Example:
        >>> table = pa.table({"data": [{"image": "a.jpg"}]})
        >>> with_inner_columns(table, {"item_id": "data.image"}).column("data.image").to_pylist()
        ['a.jpg']
    """
    for name in _stated(columns):
        column = None if name in table.column_names else _field(table, name.split("."))
        if column is not None:
            table = table.append_column(name, column)
    id_name = None if "item_id" in columns else first_of(table.column_names, IDS)
    if id_name is not None and pa.types.is_struct(kind := table.schema.field(id_name).type):
        inside = first_of([field.name for field in kind], _NAMES)
        if inside is not None:
            at = table.column_names.index(id_name)
            table = table.set_column(at, id_name, _field(table, [id_name, inside]))
    return table


def _stated(columns: Mapping[str, str | Sequence[str]]) -> Iterator[str]:
    for names in columns.values():
        yield from (name for name in ([names] if isinstance(names, str) else names) if "." in name)


def _field(table: pa.Table, path: Sequence[str]) -> Any:
    """A field of records in records; None if there is none."""
    if path[0] not in table.column_names:
        return None
    column = table.column(path[0])
    for name in path[1:]:
        kind = column.type
        if not pa.types.is_struct(kind) or kind.get_field_index(name) < 0:
            return None
        column = pc.struct_field(column, name)
    return column
