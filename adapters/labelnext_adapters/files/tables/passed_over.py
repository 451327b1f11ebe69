"""Columns that hold class scores or numbers, where others were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import and_, or_
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelnext.errors import listed
from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.files.content.oddities import FEW, mostly
from labelnext_adapters.files.tables.arrow import is_number, nulls, number_rows
from labelnext_adapters.files.tables.column_names import first_of, plain, spelt
from labelnext_adapters.files.tables.known_names import (
    CERTAINTIES,
    CLASSES,
    INDEXES,
    LOGITS,
    OBJECT_LISTS,
    SCORES,
    VECTORS,
)
from labelnext_adapters.files.tables.laid_out import LaidOut
from labelnext_adapters.files.tables.nested import is_vector
from labelnext_adapters.files.tables.score_columns import are_scores
from labelnext_adapters.files.tables.table_options import NAMES, TableOptions, flat_columns
from labelnext_adapters.files.tables.vectors import sums_to_one

_FULLEST = ("probabilities", "objects")
_PREDICTED = (*_FULLEST, "prediction", "confidence", "uncertainty")
_TELLING = (*_PREDICTED, *VECTORS, *LOGITS, *CERTAINTIES, *OBJECT_LISTS)
_SHOWN = 20  # values that are looked at
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
    """A notice of columns that aren't read, and have predictions where those that are have none."""
    names = out.table.column_names
    stated = {ours: out.columns.get(ours, ours) for ours in _PREDICTED}
    flat = flat_columns("probabilities", names)
    fullest = [*flat, *(n for ours in _FULLEST for n in _listed(stated[ours]) if n in names)]
    read = {*fullest} or {*names} & {name for one in stated.values() for name in _listed(one)}
    columns = [out.table.column(name) for name in read]
    if not columns or not all(column.null_count for column in columns):
        return []
    bare = reduce(and_, map(nulls, columns))
    known = (out.mapped | set(NAMES)) - {*_PREDICTED} | read
    told = {
        field.name: ~nulls(out.table.column(field.name)) & bare
        for field in out.table.schema
        if field.name not in known and (is_number(field.type) or pa.types.is_nested(field.type))
    }
    told = {name: rows for name, rows in told.items() if rows.any() and _rarely(out, name, bare)}
    others = _of_predictions(out.table, told)
    if not others:
        return []
    rows = reduce(or_, (told[name] for name in others))
    ids = out.table.column(str(out.columns.get("item_id", "item_id")))
    items = [str(ids[row].as_py()) for row in np.flatnonzero(rows).tolist()]
    message = (
        f"{counted(len(items), 'item')} without a prediction, but with {listed(others)}, which "
        f"wasn't read: {listed(items)}. Give all records the same keys."
    )
    return [Notice("not_read", message, tuple(items))]


def _listed(columns: str | Sequence[str]) -> Sequence[str]:
    return [columns] if isinstance(columns, str) else columns


def _rarely(out: LaidOut, name: str, bare: NDArray[np.bool_]) -> bool:
    """Whether few of a column's values stand beside predictions."""
    told = ~nulls(out.table.column(name))
    return bool((told & ~bare).sum() <= FEW * told.sum())


def _of_predictions(table: pa.Table, told: Mapping[str, NDArray[np.bool_]]) -> list[str]:
    """The columns that hold predictions by their names or their values.

    Args:
        table: the rows.
        told: by column, the rows that count.
    """
    named = [name for name in told if first_of((name,), _TELLING)]
    first = {name: np.flatnonzero(rows)[:_SHOWN].tolist() for name, rows in told.items()}
    values = {name: table.column(name).take(pa.array(rows)) for name, rows in first.items()}
    scored = [
        name
        for name, column in values.items()
        if pa.types.is_nested(column.type) and mostly(map(_scores, column.to_pylist()))
    ]
    numbers = [name for name in told if is_number(table.schema.field(name).type)]
    alike = bool(numbers) and all(first[name] == first[numbers[0]] for name in numbers)
    rows = zip(*(values[name].to_pylist() for name in numbers), strict=True) if alike else ()
    flat = numbers if rows and mostly(map(_scores, map(list, rows))) else []
    return [name for name in told if name in {*named, *scored, *flat}]


def _scores(value: Any) -> bool:
    """Whether a value is class scores, or records with some.

    Example:
        >>> [*map(_scores, ({"a": 0.5, "b": 0.5}, [{"label": "a", "score": 1}], [640, 480]))]
        [True, True, False]
    """
    inside = list(value.values()) if isinstance(value, dict) else value
    if isinstance(inside, list) and inside and all(isinstance(one, dict) for one in inside):
        return all(first_of(one, CLASSES) and first_of(one, SCORES) for one in inside)
    return isinstance(inside, list) and sums_to_one([one for one in inside if one is not None])


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
    return are_scores(number_rows(table, names), options)
