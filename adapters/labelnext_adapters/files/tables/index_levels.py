"""The levels of pandas' index, which together name the items where none does alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from labelnext.errors import listed
from labelnext.pool.objects import Notice
from labelnext_adapters.files.tables.column_names import ColumnRoles
from labelnext_adapters.files.tables.ids import id_texts
from labelnext_adapters.files.tables.repeats import repeats
from labelnext_adapters.files.tables.rows import Rows


def with_index(rows: Rows, metadata: Mapping[bytes, bytes] | None, roles: ColumnRoles) -> Rows:
    """The rows with ids such as v1/0 where only all levels of their index tell them apart.

    Args:
        rows: of a file.
        metadata: of its schema, where pandas names its index.
        roles: of the columns.
    """
    levels = index_levels(rows.table.column_names, metadata, roles)
    id_name = roles.id_among(rows.table.column_names)
    if not levels or (id_name is not None and not repeats(rows.table.column(id_name))):
        return rows
    table = joined(rows.table, levels)
    if repeats(table.column("item_id")):
        return rows
    return replace(rows, table=table, notices=[*rows.notices, told(levels)])


def index_levels(
    names: Sequence[str], metadata: Mapping[bytes, bytes] | None, roles: ColumnRoles
) -> list[str]:
    """The levels of an index of several, unless another column holds the ids; else none.

    A column of ids, stated or of a usual name, goes before the index.

    Args:
        names: of the columns.
        metadata: of their schema.
        roles: of the columns.
    """
    try:
        index: Any = json.loads((metadata or {}).get(b"pandas", b"{}"))
        levels = [name for name in index.get("index_columns", ()) if isinstance(name, str)]
    except (ValueError, AttributeError, TypeError):
        return []  # a range has no column
    whole = len(levels) > 1 and {*levels} <= {*names} and "item_id" not in roles.columns
    return levels if whole and roles.id_among(names) in (None, *levels) else []


def joined(table: pa.Table, levels: Sequence[str]) -> pa.Table:
    """A table whose first column, item_id, holds the levels with / between them.

    Example:
        >>> table = pa.table({"video": ["a"], "frame": [1], "p": [0.5]})
        >>> joined(table, ["video", "frame"]).column("item_id").to_pylist()
        ['a/1']
    """
    texts = [id_texts(table.column(name).combine_chunks()) for name in levels]
    kept = table.select([name for name in table.column_names if name != "item_id"])
    return kept.add_column(0, "item_id", pc.binary_join_element_wise(*texts, "/"))


def told(levels: Sequence[str]) -> Notice:
    """What items are called."""
    message = f"Items are called by the levels of their index, {listed(levels)}, with / between."
    return Notice("layout", message)
