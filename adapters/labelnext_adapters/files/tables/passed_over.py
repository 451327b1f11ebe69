"""Columns that hold class scores or numbers, where others were read."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import and_

import numpy as np
import pyarrow as pa

from labelnext.errors import listed
from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.files.content.oddities import FEW
from labelnext_adapters.files.tables.arrow import nulls
from labelnext_adapters.files.tables.column_names import first_of, plain, spelt
from labelnext_adapters.files.tables.known_names import INDEXES, LOGITS, VECTORS
from labelnext_adapters.files.tables.laid_out import LaidOut
from labelnext_adapters.files.tables.nested import is_vector
from labelnext_adapters.files.tables.numbered import is_number
from labelnext_adapters.files.tables.score_columns import are_scores
from labelnext_adapters.files.tables.table_options import NAMES, TableOptions, flat_columns

_PREDICTED = ("probabilities", "objects", "prediction", "confidence", "uncertainty")
_P_VALUES = ("p_value", "p_values", "p_val", "pvalue")


def free_numbers(out: LaidOut) -> list[str]:
    """The number columns that have no meaning yet."""
    taken = out.mapped | set(NAMES) | set(flat_columns("embedding", out.table.column_names))
    return [
        field.name
        for field in out.table.schema
        if field.name not in taken
        and plain(field.name) not in ("y_true", "y_pred")
        and not field.name.lower().startswith("unnamed")
        and field.name.lower() not in INDEXES
        and is_number(field.type)
    ]


def beside_answers(out: LaidOut, options: TableOptions) -> LaidOut:
    """The table with a notice of class scores that stand beside answers and their confidences."""
    names = out.table.column_names
    ours = {*names, *out.columns}
    answered = {"confidence", "uncertainty"} & ours and not {"probabilities", "objects"} & ours
    if not answered or flat_columns("probabilities", names):
        return out
    free = [field for field in out.table.schema if field.name not in out.mapped | set(NAMES)]
    vectors = [field.name for field in free if is_vector(field.type)]
    if name := first_of(vectors, (*VECTORS, *LOGITS)):
        cure, subject = f"{{probabilities: {spelt(name)}}}", f"Column {name!r} was"
        cure += " and source.logits: softmax" if plain(name) in LOGITS else ""
    elif are_class_scores(out.table, columns := free_numbers(out), options):
        cure, subject = (
            f"{{probabilities: [{', '.join(map(spelt, columns))}]}}",
            f"Columns {listed(columns)} were",
        )
    else:
        return out
    message = f"{subject} not read, but the answers beside; to read class scores, set "
    told = Notice("not_read", f"{message}source.columns: {cure}.")
    return replace(out, notices=[*out.notices, told])


def in_place_of_predictions(out: LaidOut) -> list[Notice]:
    """A notice of columns that aren't read, and have values where the predictions have none."""
    names = out.table.column_names
    stated = [out.columns.get(ours, ours) for ours in _PREDICTED]
    read = {name for one in stated for name in ([one] if isinstance(one, str) else one)}
    read = {*names} & {*read, *flat_columns("probabilities", names)}
    columns = [out.table.column(name) for name in read]
    if not columns or not all(column.null_count for column in columns):
        return []
    bare = reduce(and_, map(nulls, columns))
    others, rows = list[str](), np.zeros(len(bare), dtype=bool)
    known = {*out.mapped, *NAMES, *read}
    for field in out.table.schema:
        if field.name in known:
            continue
        told = ~nulls(out.table.column(field.name)) & (
            is_number(field.type) or pa.types.is_nested(field.type)
        )
        if (told & bare).any() and (told & ~bare).sum() <= FEW * told.sum():
            others.append(field.name)
            rows |= told & bare
    if not others:
        return []
    ids = out.table.column(str(out.columns.get("item_id", "item_id")))
    items = [str(ids[row].as_py()) for row in np.flatnonzero(rows).tolist()]
    message = (
        f"{counted(len(items), 'item')} without a prediction, but with {listed(others)}, which "
        f"wasn't read: {listed(items)}. Give all records the same keys."
    )
    return [Notice("not_read", message, tuple(items))]


def without_p_value(out: LaidOut, options: TableOptions) -> LaidOut:
    """A table without a p-value, which would be one more class, if the others sum to 1."""
    columns = flat_columns("probabilities", out.table.column_names)
    name = first_of(columns, _P_VALUES)
    others = [column for column in columns if column != name]
    if name is None or "probabilities" in out.columns or options.multilabel or options.logits:
        return out
    if are_class_scores(out.table, columns, options) or not are_class_scores(
        out.table, others, options
    ):
        return out
    told = Notice("not_read", f"Column {name!r} was not read: without it, the others sum to 1.")
    return replace(out, table=out.table.drop_columns([name]), notices=[*out.notices, told])


def are_class_scores(table: pa.Table, names: list[str], options: TableOptions) -> bool:
    """Whether several columns of numbers look like class scores."""
    kinds = [table.schema.field(name).type for name in names]
    if len(names) < 2 or not all(map(is_number, kinds)):
        return False
    columns = [table.column(n).to_numpy(zero_copy_only=False).astype(float) for n in names]
    return are_scores(np.stack(columns, axis=1), options)
