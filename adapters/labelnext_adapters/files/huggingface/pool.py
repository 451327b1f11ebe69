"""A table of the Hugging Face library `datasets` to a Pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext_adapters.files.content.item_ids import ITEM_KEYS
from labelnext_adapters.files.huggingface.dataset import (
    classes_of,
    output_column,
    with_objects,
)
from labelnext_adapters.files.huggingface.features import features_in, plain_table
from labelnext_adapters.files.huggingface.nested import Output
from labelnext_adapters.files.huggingface.outputs import pool_of_outputs
from labelnext_adapters.files.tables.inner import with_fields
from labelnext_adapters.files.tables.rows import Rows, texts_of
from labelnext_adapters.files.tables.table_format import pool_of
from labelnext_adapters.files.tables.table_options import TableOptions, named_columns, stated_in


def pool_of_dataset(
    stored: Rows,
    features: Mapping[str, Any],
    options: TableOptions,
    context: Context,
    layout: str = "xywh",
) -> Pool:
    """The rows of a data set.

    Args:
        stored: the rows.
        features: by column.
        options: of tables.
        context: with the key of the ids.
        layout: of boxes in pixels: xywh or xyxy.

    Raises:
        InvalidInput: if a column is missing, ragged or of a wrong type.
    """
    columns = named_columns(options, context)
    table = with_fields(plain_table(stored.table, features), stated_in(columns))
    notices = list(stored.notices)
    table, columns = with_ids(table, columns, notices)
    id_name = columns["item_id"]
    ids = texts_of(table.column(id_name)) if id_name in table.column_names else []
    outputs = None if {"probabilities", "objects"} & columns.keys() else output_column(table)
    if outputs is not None and ids:
        return _of_outputs(table, outputs, ids, options, notices)
    table, columns = with_objects(table, columns, layout, notices, ids)
    classes = options.classes or classes_of(table, features, columns)
    told = options.model_copy(update={"columns": columns, "classes": classes})
    return pool_of(Rows(table, notices, stored.place), told, context)


def plain_part(
    table: pa.Table, columns: dict[str, Any], first: int
) -> tuple[pa.Table, dict[str, Any], list[str] | None]:
    """A part of a data set with our columns, and the names of its classes.

    Args:
        table: some of the rows, with the features that the library wrote.
        columns: our names to the table's.
        first: the number of the first row in the whole data set.

    Raises:
        InvalidInput: if a number is no class, or the rows hold outputs of pipelines.
    """
    features = features_in(table.schema)
    table = with_fields(plain_table(table, features), stated_in(columns))
    table, columns = with_ids(table, columns, [], first)
    if not {"probabilities", "objects"} & columns.keys() and output_column(table) is not None:
        raise InvalidInput(
            "the rows must have class scores or objects; a column holds outputs of a pipeline, "
            "which are read from a single file only.",
            hint="point source.path at one file, or set source.columns: {probabilities: …}.",
        )
    ids = texts_of(table.column(columns["item_id"]))
    table, columns = with_objects(table, columns, "xywh", [], ids)
    return table, columns, classes_of(table, features, columns)


def with_ids(
    table: pa.Table, columns: dict[str, Any], notices: list[Notice], first: int = 0
) -> tuple[pa.Table, dict[str, Any]]:
    """The column of ids; the numbers of the rows, from `first`, where there is none."""
    if "item_id" in columns:
        return table, columns
    candidates = [
        name
        for name in ITEM_KEYS
        if name in table.column_names and _holds_ids(table.schema.field(name).type)
    ]
    known = [name for name in candidates if table.column(name).null_count < len(table)]
    if known:
        return table, {**columns, "item_id": known[0]}
    numbers = pa.array([str(row) for row in range(first, first + table.num_rows)], pa.string())
    message = "The data set has no ids: items are called 0, 1, … as its rows are numbered."
    notices.append(Notice("numbered", message))
    name = "item_id" if "item_id" not in table.column_names else "row number"
    return table.append_column(name, numbers), {**columns, "item_id": name}


def _holds_ids(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)
    )


def _of_outputs(
    table: pa.Table,
    name: str,
    ids: Sequence[str | None],
    options: TableOptions,
    notices: Sequence[Notice],
) -> Pool:
    """Rows with what a pipeline returned in one column."""
    sizes: list[Any] = [None] * len(ids)
    if {"width", "height"} <= set(table.column_names):
        pairs = (table.column(side).to_pylist() for side in ("width", "height"))
        sizes = list(zip(*pairs, strict=True))
    values = table.column(name).to_pylist()
    labelled = "label" in table.column_names and name != "label"
    labels = texts_of(table.column("label")) if labelled else [None] * len(ids)
    outputs = [
        Output(f"row {row}", *parts)
        for row, parts in enumerate(zip(ids, values, sizes, labels, strict=True), 1)
    ]
    return pool_of_outputs(
        outputs, multilabel=options.multilabel, classes=options.classes, notices=notices
    )
