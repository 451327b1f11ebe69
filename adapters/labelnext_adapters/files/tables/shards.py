"""The rows of a table whose parts are the files of a folder."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from labelnext.adapter.sample import Sample
from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext_adapters.files.content.shards import (
    items_called,
    read_shards,
    shards_in,
    whole_parts,
)
from labelnext_adapters.files.globs import base_of, is_glob
from labelnext_adapters.files.json.records import table_of_records
from labelnext_adapters.files.tables.column_names import (
    ColumnRoles,
    corners_in,
    sides_in,
    spans_in,
)
from labelnext_adapters.files.tables.rows import Rows


def rows_of_shards(folder: Path, read: Callable[[Path], Rows], roles: ColumnRoles) -> Rows:
    """The rows of all files; what has no id, but is alone in its file, is called by its name.

    Such is a record of JSON, or a table of the objects or segments of one item.

    Args:
        folder: of the files, or a glob of them.
        read: reads one that isn't JSON.
        roles: of the columns.

    Raises:
        InvalidInput: if the folder holds something else, too, or the columns don't go together.
    """
    shards = shards_in(folder)
    base = base_of(folder) if is_glob(folder) else folder
    if Sample(shards[0]).may_hold_json:
        called = items_called(shard.relative_to(base).as_posix() for shard in shards)
        return _of_json(folder, called, roles)
    whole, notices = whole_parts(shards, "a table", read)
    shards, parts = [shard for shard, _ in whole], [part for _, part in whole]
    notices += [notice for part in parts for notice in part.notices]
    if all(_of_one_item(part.table.column_names, roles) for part in parts):
        names = items_called(shard.relative_to(base).as_posix() for shard in shards)
        parts = [_called(part, name) for part, name in zip(parts, names, strict=True)]
        notices.append(Notice("layout", "Named items after their files: no column has their ids."))
    columns = [part.table.column_names for part in parts]
    odd = next((i for i, one in enumerate(columns) if set(one) != set(columns[0])), None)
    if odd is not None:
        raise InvalidInput(
            f"the files of a folder must have the same columns; {shards[0].name} has "
            f"{listed(columns[0])}, {shards[odd].name} has {listed(columns[odd])}.",
            hint="point path at one of them.",
        )
    tables = [part.table.select(columns[0]) for part in parts]
    table = pa.concat_tables(_of_one_type(tables), promote_options="permissive")
    name = roles.id_among(table.column_names)
    if name is not None and not pa.types.is_nested(table.schema.field(name).type):
        notices += _in_several([one.column(name).cast(pa.string()) for one in tables])
    ends = list(accumulate(part.table.num_rows for part in parts))

    def place(row: int) -> str:
        at = bisect_right(ends, row)
        first = ends[at - 1] if at else 0
        return f"{shards[at].name} {parts[at].place(row - first)}"

    return Rows(table, notices, place)


def _of_json(folder: Path, called: list[str], roles: ColumnRoles) -> Rows:
    """The records of files of JSON; `called` are the items that single ones are of."""
    key = roles.columns.get("item_id")
    files = list(read_shards(folder, key if isinstance(key, str) else None).values())
    records = [record for inside in files for record in inside]
    values = [record if isinstance(record, dict) else {} for _, record in records]
    if len(records) == len(called) and not any(roles.id_among(list(v)) for v in values):
        records = [
            (place, {"item_id": name, **value} if value else one)
            for name, (place, one), value in zip(called, records, values, strict=True)
        ]
    table, notices, place = table_of_records(records, roles)
    name = roles.id_among(table.column_names)
    told = [[one.get(name) for _, one in inside if isinstance(one, dict)] for inside in files]
    ids = [pa.array([str(i) for i in one if i is not None], pa.string()) for one in told]
    return Rows(table, [*notices, *_in_several(ids)], place)


def _in_several(ids: list[Any]) -> list[Notice]:
    """A notice of ids that are in several files, as where each numbers its own images."""
    met = pa.chunked_array([one.unique().drop_null() for one in ids], pa.string())
    counts = met.value_counts()
    several = counts.field("values").filter(pc.greater(counts.field("counts"), 1)).to_pylist()
    if not several:
        return []
    amount = "1 id is" if len(several) == 1 else f"{len(several):,} ids are"
    message = f"{amount} in several files, and read as one item each: {listed(several)}."
    return [Notice("in_several_files", message, tuple(several))]


def _of_one_item(names: list[str], roles: ColumnRoles) -> bool:
    """Whether a table without ids has boxes or segments, of one image or recording."""
    drawn = corners_in(names) or sides_in(names) or spans_in(names)
    return roles.id_among(names) is None and bool(drawn)


def _called(part: Rows, name: str) -> Rows:
    """The rows with the id of their item; without any, one that says that nothing was found."""
    table = part.table
    if not table.num_rows:
        table = pa.table({field.name: pa.nulls(1, field.type) for field in table.schema})
    ids = pa.array([name] * table.num_rows, pa.string())
    return replace(part, table=table.append_column("item_id", ids))


def _of_one_type(tables: list[pa.Table]) -> list[pa.Table]:
    """Tables with columns of the same types: one of numbers here and texts there is of texts."""
    for name in tables[0].column_names:
        kinds = {table.schema.field(name).type for table in tables if table.num_rows}
        kind = pa.string() if len(kinds) != 1 else kinds.pop()
        tables = [
            table.set_column(table.column_names.index(name), name, table.column(name).cast(kind))
            for table in tables
        ]
    return tables
