"""Fields inside records as columns: of names with a dot, and of an image that has a path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from labelnext_adapters.files.tables.arrow import is_list
from labelnext_adapters.files.tables.column_names import first_of
from labelnext_adapters.files.tables.known_names import IDS
from labelnext_adapters.files.tables.table_options import stated_in

_WIDEST = 100_000  # values of a vector
_NAMES = ("path", "file_name", "filename", "name", "id", "uri", "url", "$oid")


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
    table = with_fields(table, stated_in(columns))
    for at, field in enumerate(table.schema):
        if pa.types.is_struct(field.type) and _is_spark(field.type):
            told = [*map(_vector, table.column(at).to_pylist())]
            vectors = pa.array(told, pa.list_(pa.float64()))
            table = table.set_column(at, field.name, vectors)
        elif (pair := _classes_and_scores(field.type)) is not None:
            told = table.column(at).to_pylist()
            if all(_of_one_length(one) for one in told):
                records = [one and _records(one, *pair) for one in told]
                table = table.set_column(at, field.name, pa.array(records))
    id_name = None if "item_id" in columns else first_of(table.column_names, IDS)
    if id_name is not None and pa.types.is_struct(kind := table.schema.field(id_name).type):
        inside = first_of([field.name for field in kind], _NAMES)
        if inside is not None:
            at = table.column_names.index(id_name)
            table = table.set_column(at, id_name, _field(table, [id_name, inside]))
    return table


def with_fields(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """A table with columns for the fields inside records that are named with a dot.

    Example:
        >>> with_fields(pa.table({"a": [{"b": 1}]}), ["a.b", "c.d"]).column_names
        ['a', 'a.b']
    """
    for name in names:
        if name not in table.column_names and "." in name:
            column = _field(table, name.split("."))
            table = table if column is None else table.append_column(name, column)
    return table


def _is_spark(kind: pa.StructType) -> bool:
    """Whether records are vectors of Spark ML: their type beside their values."""
    names = {field.name: field.type for field in kind}
    if not {"type", "vectorType"} & names.keys() or "values" not in names:
        return False
    inside = names["values"]
    return bool(pa.types.is_list(inside) and pa.types.is_floating(inside.value_type))


def _vector(value: Any) -> list[float] | None:
    """A vector of Spark ML, which may name the places of its values alone.

    Example:
        >>> _vector({"type": 0, "size": 3, "indices": [1], "values": [0.5]})
        [0.0, 0.5, 0.0]
    """
    if value is None or value["values"] is None:
        return None
    places, size = value.get("indices"), value.get("size", value.get("length"))
    if not places or not isinstance(size, int) or not 0 < size <= _WIDEST:
        return list(value["values"])
    known = dict(zip(places, value["values"], strict=False))
    return [known.get(place, 0.0) for place in range(size)]


def _classes_and_scores(kind: pa.DataType) -> tuple[str, str] | None:
    """The fields of records with a list of classes beside that of their scores, and no others."""
    if not pa.types.is_struct(kind) or kind.num_fields != 2:
        return None
    inside = {f.name: f.type.value_type for f in kind if is_list(f.type)}
    classes = [name for name, one in inside.items() if pa.types.is_string(one)]
    scores = [name for name, one in inside.items() if pa.types.is_floating(one)]
    return (classes[0], scores[0]) if classes and scores else None


def _of_one_length(lists: Mapping[str, Any] | None) -> bool:
    """Whether all lists of a record are there and equally long."""
    if lists is None:
        return True
    return None not in lists.values() and len({*map(len, lists.values())}) == 1


def _records(lists: Mapping[str, Any], classes: str, scores: str) -> list[dict[str, Any]]:
    """A class and its score in each record.

    Example:
        >>> _records({"names": ["cat"], "scores": [0.5]}, "names", "scores")
        [{'label': 'cat', 'score': 0.5}]
    """
    pairs = zip(lists[classes], lists[scores], strict=True)
    return [{"label": name, "score": score} for name, score in pairs]


def _field(table: pa.Table, path: Sequence[str]) -> Any:
    """A field of records in records; None if there is none."""
    if path[0] not in table.column_names:
        return None
    column = table.column(path[0])
    for name in path[1:]:
        kind = column.type
        if name == "path" and pa.types.is_string(kind):
            continue  # of an image, which is its path
        if not pa.types.is_struct(kind) or kind.get_field_index(name) < 0:
            return None
        column = pc.struct_field(column, name)
    return column
