"""The levels of pandas' index, which together name the items where none does alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow.compute as pc

from labelnext.errors import listed
from labelnext.pool.objects import Notice
from labelnext_adapters.files.tables.column_names import ColumnRoles
from labelnext_adapters.files.tables.ids import id_texts
from labelnext_adapters.files.tables.repeats import repeats
from labelnext_adapters.files.tables.rows import Rows


def with_index(rows: Rows, metadata: Mapping[bytes, bytes] | None, roles: ColumnRoles) -> Rows:
    """The rows with ids such as v1/0 where only all levels of their index tell them apart.

    A column of ids, stated or of a usual name, goes before the index.

    Args:
        rows: of a file.
        metadata: of its schema, where pandas names its index.
        roles: of the columns.
    """
    levels = _levels(metadata)
    names = rows.table.column_names
    id_name = roles.id_among(names)
    if len(levels) < 2 or not {*levels} <= {*names} or "item_id" in roles.columns:
        return rows
    if id_name is not None and (id_name not in levels or not repeats(rows.table.column(id_name))):
        return rows
    texts = [id_texts(rows.table.column(name).combine_chunks()) for name in levels]
    ids = pc.binary_join_element_wise(*texts, "/")
    if repeats(ids):
        return rows
    kept = [name for name in names if name != "item_id"]
    table = rows.table.select(kept).add_column(0, "item_id", ids)
    message = f"Items are called by the levels of their index, {listed(levels)}, with / between."
    return replace(rows, table=table, notices=[*rows.notices, Notice("layout", message)])


def _levels(metadata: Mapping[bytes, bytes] | None) -> list[str]:
    """The columns that pandas wrote its index as; those of a range aren't written."""
    try:
        told: Any = json.loads((metadata or {}).get(b"pandas", b"{}"))
        return [name for name in told.get("index_columns", ()) if isinstance(name, str)]
    except (ValueError, AttributeError, TypeError):
        return []
