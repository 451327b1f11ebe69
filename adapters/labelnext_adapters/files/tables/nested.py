"""Columns of lists under usual names: class scores, or records of classes and objects."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelnext.pool.objects import Notice
from labelnext_adapters.files.content.oddities import Oddities, mostly
from labelnext_adapters.files.tables.arrow import is_list, is_number
from labelnext_adapters.files.tables.box_rows import with_box_records
from labelnext_adapters.files.tables.column_names import (
    corners_in,
    first_of,
    list_of,
    plain,
    shape_in,
    sizes_in,
    spans_in,
)
from labelnext_adapters.files.tables.known_names import (
    ANSWERS,
    CLASS_LISTS,
    CLASSES,
    LOGITS,
    OBJECT_LISTS,
    SCORE_LISTS,
    SCORES,
    VECTORS,
)
from labelnext_adapters.files.tables.laid_out import LaidOut
from labelnext_adapters.files.tables.logit_names import check_no_logits
from labelnext_adapters.files.tables.long_rows import detections, grouped_scores
from labelnext_adapters.files.tables.table_options import TableOptions
from labelnext_adapters.files.tables.vectors import ROUNDED, Meaning

_OTHERS = ("embedding", "feature", "vector", "hidden", "votes")  # lists that are no scores


def read_nested(out: LaidOut, taken: Collection[str], options: TableOptions) -> LaidOut | None:
    """Class scores or objects from a nested column; None if no column holds any.

    Args:
        out: one row for each item.
        taken: columns that hold something else.
        options: of the format.

    Raises:
        InvalidInput: if scores are logits, by the column's name, and `logits` isn't set.
    """
    names = [name for name in out.table.column_names if name not in taken]
    out = replace(out, table=with_box_records(out.table, names))
    return (
        _records(out, names, options)
        or _parallel(out, names, options)
        or _vectors(out, names, options)
    )


def _kind(table: pa.Table, name: str) -> pa.DataType:
    return table.schema.field(name).type


def _is_number(kind: pa.DataType) -> bool:
    return is_number(kind) or bool(pa.types.is_decimal(kind))


def is_vector(kind: pa.DataType) -> bool:
    """Whether a column holds lists of numbers, or mappings of names to numbers."""
    if pa.types.is_struct(kind):
        kinds = [field.type for field in kind]
        plain_kinds = [k for k in kinds if not pa.types.is_null(k)]
        return bool(plain_kinds) and all(map(_is_number, plain_kinds))
    return is_list(kind) and _is_number(kind.value_type)


def _is_list_of_vectors(kind: pa.DataType) -> bool:
    """Whether a column holds what each of several model versions says."""
    return is_list(kind) and is_vector(kind.value_type)


def _vectors(out: LaidOut, names: Sequence[str], options: TableOptions) -> LaidOut | None:
    table = out.table
    vectors = [name for name in names if is_vector(_kind(table, name))]
    several = [name for name in names if _is_list_of_vectors(_kind(table, name))]
    chosen = first_of([*vectors, *several], (*VECTORS, *LOGITS))
    if chosen is None:
        others = [n for n in vectors if not any(word in plain(n) for word in _OTHERS)]
        if len(others) != 1 or not _sum_to_one(table.column(others[0])):
            return None
        (chosen,) = others
    check_no_logits([chosen], options)
    out = replace(out, columns={**out.columns, "probabilities": chosen})
    return out.told(f"Read column {chosen!r} as class probabilities.")


def _sum_to_one(column: pa.ChunkedArray) -> bool:
    """Whether nine rows in ten are numbers from 0 that sum to 1."""
    rows = column.slice(0, 10_000).drop_null().to_pylist()
    values = [list(row.values()) if isinstance(row, dict) else row for row in rows]
    fits = [
        len(v) > 1 and None not in v and min(v) >= 0 and abs(sum(v) - 1) <= ROUNDED for v in values
    ]
    return bool(fits) and mostly(fits)


def _records(out: LaidOut, names: Sequence[str], options: TableOptions) -> LaidOut | None:
    """A column of lists of records that have a class and how sure the model is of it."""
    for name in names:
        out = replace(out, table=_with_list(out.table, name))
        kind = _kind(out.table, name)
        if not is_list(kind) or not pa.types.is_struct(kind.value_type):
            continue
        column = out.table.column(name).combine_chunks()
        parents = pc.list_parent_indices(column).to_numpy()
        parts = _fields(pc.list_flatten(column))
        answer = first_of(parts, CLASSES)
        sure = first_of([field for field in parts if field != answer], SCORES)
        drawn = corners_in(parts) or shape_in(parts) or plain(name) in OBJECT_LISTS
        if sure is None or (answer is None and not drawn):
            continue
        parts[sure] = _unlisted(parts[sure])
        return _exploded(out, name, pa.table(parts), parents, (answer, sure), options)
    return None


def _with_list(table: pa.Table, name: str) -> pa.Table:
    """The table with a record of a class and its score as a list of this one."""
    kind = _kind(table, name)
    if not pa.types.is_struct(kind) or first_of([name], (*VECTORS, *ANSWERS)) is None:
        return table
    fields = [field.name for field in kind]
    answer = first_of(fields, CLASSES)
    if answer is None or first_of([one for one in fields if one != answer], SCORES) is None:
        return table
    column = table.column(name).combine_chunks()
    known = pc.is_valid(column)
    ends = np.cumsum(known.to_numpy(zero_copy_only=False))
    offsets = pa.array(np.concatenate([[0], ends]), pa.int32())
    lists = pa.ListArray.from_arrays(offsets, column.drop_null(), mask=pc.invert(known))
    return table.set_column(table.column_names.index(name), name, lists)


def _unlisted(values: pa.Array) -> pa.Array:
    """Lists of one number each as numbers, as SAM's scores are; other values as they are."""
    if not is_list(values.type) or not len(values):
        return values
    single = pc.all(pc.equal(pc.list_value_length(values), 1)).as_py()
    return pc.list_element(values, 0) if single else values


def _fields(records: pa.StructArray) -> dict[str, pa.Array]:
    """The fields of records; those of a record inside, such as a box, beside the others."""
    parts: dict[str, pa.Array] = {}
    for field, values in zip(records.type, records.flatten(), strict=True):
        if pa.types.is_struct(field.type):
            inner = zip(field.type, values.flatten(), strict=True)
            parts |= {one.name: v for one, v in inner if one.name not in parts}
        parts[field.name] = values
    return parts


def _parallel(out: LaidOut, names: Sequence[str], options: TableOptions) -> LaidOut | None:
    """A column of lists of classes beside one of lists of their scores."""
    table = out.table
    lists = [n for n in names if is_list(_kind(table, n))]
    answer = list_of([n for n in lists if _is_name(_kind(table, n).value_type)], CLASS_LISTS)
    kinds = {n: _kind(table, n).value_type for n in lists}
    floats = [n for n, k in kinds.items() if pa.types.is_floating(k) or pa.types.is_decimal(k)]
    sure = list_of([name for name in floats if name != answer], SCORE_LISTS)
    if answer is None or sure is None:
        return None
    columns = {name: table.column(name).combine_chunks() for name in (answer, sure)}
    columns, notices = _of_equal_length(columns, out.place)
    table = table.set_column(table.column_names.index(sure), sure, columns[sure])
    parts = {name: pc.list_flatten(column) for name, column in columns.items()}
    parents = pc.list_parent_indices(columns[sure]).to_numpy()
    shaped = shape_in(lists)
    more = {} if shaped is None else {shaped: pa.nulls(len(parents))}
    out = replace(out, table=table.drop_columns([answer]), notices=[*out.notices, *notices])
    return _exploded(out, sure, pa.table({**parts, **more}), parents, (answer, sure), options)


def _of_equal_length(
    columns: dict[str, pa.Array], place: Callable[[int], str]
) -> tuple[dict[str, pa.Array], list[Notice]]:
    """Two columns of lists, null in both where these differ in length; and which rows do.

    Raises:
        InvalidInput: if too many do.
    """
    lengths = [pc.fill_null(pc.list_value_length(c), 0) for c in columns.values()]
    same = pc.equal(*lengths)
    if pc.all(same).as_py():
        return columns, []
    odd = Oddities("item", seen=len(same))
    for row in np.flatnonzero(~same.to_numpy(zero_copy_only=False)).tolist():
        n, m = (one[row].as_py() for one in lengths)
        odd.leave_out(place(row), "", f"{' must be as many as '.join(columns)}; got {n} and {m}")
    kept = {n: pc.if_else(same, c, pa.scalar(None, c.type)) for n, c in columns.items()}
    return kept, odd.notices()


def pairs_of(column: pa.MapArray) -> pa.Array:
    """A map as a list of records with label and score.

    Example:
        >>> kind = pa.map_(pa.string(), pa.float64())
        >>> pairs_of(pa.array([[("cat", 0.5)], None], kind)).to_pylist()
        [[{'label': 'cat', 'score': 0.5}], None]
    """
    records = pa.StructArray.from_arrays([column.keys, column.items], ["label", "score"])
    return pa.ListArray.from_arrays(column.offsets, records, mask=column.is_null())


def _is_name(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_integer(kind))


def _one_each(parents: NDArray[np.int64]) -> bool:
    return len(np.unique(parents)) == len(parents)


def _answers(
    out: LaidOut, name: str, long: pa.Table, parents: NDArray[np.int64], read: tuple[str, str]
) -> LaidOut:
    """One class of each item with its confidence; null for items without one."""
    table, columns = out.table, dict(out.columns)
    rows = np.full(table.num_rows, -1)
    rows[parents] = np.arange(len(parents))
    places = pa.array(rows, mask=rows < 0)
    for ours, theirs in zip(("prediction", "confidence"), read, strict=True):
        columns[ours] = f"{name}.{theirs}"
        table = table.append_column(columns[ours], long.column(theirs).take(places))
    out = replace(out, table=table, columns=columns)
    return out.told(f"Read {name!r} as the class of each item and its confidence ({read[1]!r}).")


def _exploded(
    out: LaidOut,
    name: str,
    long: pa.Table,
    parents: NDArray[np.int64],
    read: tuple[str | None, str],
    options: TableOptions,
) -> LaidOut:
    """Records of all items as class scores, or as objects where they have a shape or repeat."""
    (answer, sure), table = read, out.table
    n_items, taken = table.num_rows, [c for c in table.column_names if c != name]
    fields = set(long.column_names)
    corners, shape, spans = corners_in(fields), shape_in(fields), spans_in(fields)
    told = f"{answer!r}, {sure!r}" if answer else repr(sure)

    def place_of(row: int) -> str:
        return out.place(int(parents[row]))

    of_objects = bool(corners or shape or spans) or plain(name) in OBJECT_LISTS
    if answer is not None and not of_objects:
        if not options.multilabel and options.logits is None and _one_each(parents):
            bare = replace(out, table=table.select(taken))
            return _answers(bare, name, long, parents, (answer, sure))
        scores = grouped_scores(long, parents, n_items, answer, sure, options, place_of)
        if scores is not None:
            read_as = out.told(f"Read {name!r} as the classes of each item ({told}).")
            table = table.select(taken).append_column("probabilities", scores[0])
            return _with(read_as, table, "probabilities", scores[1])
    sides = sizes_in(taken)
    for side in sides or []:
        if side not in fields:
            long = long.append_column(side, table.column(side).take(pa.array(parents)))
    objects, notices = detections(
        long,
        parents,
        n_items,
        answer,
        sure,
        sides,
        place_of,
        Meaning.of(options),
        spans,
    )
    absent = pc.is_null(table.column(name).combine_chunks())
    objects = pc.if_else(absent, pa.scalar(None, objects.type), objects)
    told = f"Read {name!r} as the objects of each item ({told})."
    notices.append(Notice("layout", told))
    if corners is None and shape is not None:
        message = (
            f"Left out {shape!r} of the objects, but not the objects: it doesn't say whether a box "
            "is two corners or a corner and a size, in pixels or as fractions. To read boxes, "
            "write a column objects of records with confidence, class and box (x1, y1, x2, y2 as "
            "fractions of the image)."
        )
        notices.append(Notice("no_boxes", message))
    return _with(out, table.select(taken).append_column("objects", objects), "objects", notices)


def _with(out: LaidOut, table: pa.Table, name: str, notices: Sequence[Notice]) -> LaidOut:
    """A table with a column of ours under its own name, and what was understood."""
    columns, told = {**out.columns, name: name}, [*out.notices, *notices]
    return replace(out, table=table, columns=columns, notices=told)


def usual_records(table: pa.Table, columns: Mapping[str, str | Sequence[str]]) -> set[str]:
    """The columns of `probabilities` and `objects` whose records aren't ours: usual ones are read.

    Example:
        >>> records = pa.array([[{"label": "cat", "score": 0.9}]])
        >>> usual_records(pa.table({"probabilities": records, "objects": [None]}), {})
        {'probabilities'}
    """
    found = set()
    for ours in ("probabilities", "objects"):
        name = columns.get(ours, ours)
        if not isinstance(name, str) or name not in table.column_names:
            continue
        kind = _kind(table, name)
        record = kind.value_type if is_list(kind) else pa.null()
        keys = [field.name for field in record] if pa.types.is_struct(record) else []
        others = [key for key in keys if key != first_of(keys, CLASSES)]
        ours_already = ours == "objects" and "confidence" in keys
        if first_of(others, SCORES) is not None and not ours_already:
            found.add(name)
    if "label" in table.column_names and _are_listed_classes(table, "label"):
        found.add("label")
    return found


def _are_listed_classes(table: pa.Table, name: str) -> bool:
    """Whether a column holds lists of classes, each beside a list of as many scores."""
    if not is_list(_kind(table, name)) or not _is_name(_kind(table, name).value_type):
        return False
    lists = [n for n in table.column_names if n != name and is_vector(_kind(table, n))]
    sure = first_of([n for n in lists if is_list(_kind(table, n))], SCORE_LISTS)
    if sure is None:
        return False
    lengths = [pc.list_value_length(table.column(one)) for one in (name, sure)]
    return bool(pc.all(pc.equal(*lengths)).as_py())
