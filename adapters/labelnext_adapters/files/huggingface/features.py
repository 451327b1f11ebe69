"""Columns as the Hugging Face library `datasets` stores them, made plain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelnext.errors import InvalidInput
from labelnext_adapters.files.tables.arrow import is_list

METADATA = b"huggingface"
_MEDIA = {"bytes", "path"}  # the fields of an image, audio or video


def features_in(schema: pa.Schema) -> dict[str, Any]:
    """The features that the library wrote into a schema; empty if it didn't.

    Example:
        >>> features_in(pa.schema({"a": pa.int64()}))
        {}
    """
    try:
        stored = json.loads((schema.metadata or {}).get(METADATA, b"{}"))
        features = stored["info"]["features"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def class_names(features: Mapping[str, Any], column: str) -> list[str] | None:
    """The names of the classes of a column of class labels; None if it is none."""
    feature = features.get(column)
    if not isinstance(feature, Mapping) or feature.get("_type") != "ClassLabel":
        return None
    names = feature.get("names")
    if isinstance(names, Mapping):  # from position to name
        names = list(names.values())
    return [str(name) for name in names] if isinstance(names, list) else None


def is_media(kind: pa.DataType) -> bool:
    """Whether a type is that of images, audio or videos: a struct of bytes and path."""
    return bool(pa.types.is_struct(kind)) and {field.name for field in kind} == _MEDIA


def plain_table(table: pa.Table, features: Mapping[str, Any] | None = None) -> pa.Table:
    """A table with names of classes for their numbers, paths for images, and lists of structs.

    Tables that the library didn't write stay as they are, but for structs of bytes and path, and
    for structs of lists of equal length.

    Args:
        table: as stored.
        features: by column; those of the schema when None.

    Raises:
        InvalidInput: if a number is no class.

    Example:
        >>> image = [{"bytes": None, "path": "a.jpg"}]
        >>> plain_table(pa.table({"image": image})).column("image").to_pylist()
        ['a.jpg']
        >>> objects = [{"category": ["x", "y"], "score": [0.5, 0.25]}]
        >>> plain_table(pa.table({"objects": objects})).column("objects").to_pylist()[0][1]
        {'category': 'y', 'score': 0.25}
    """
    known = features_in(table.schema) if features is None else features
    columns = {}
    for name in dict.fromkeys(table.column_names):
        column = table.column(name)
        if _is_plain(column.type) and not isinstance(known.get(name), Mapping):
            columns[name] = column
            continue
        chunks = [_plain(name, chunk, known.get(name)) for chunk in column.chunks]
        kinds = {chunk.type for chunk in chunks}
        if len(kinds) > 1:  # a struct of lists that is whole in some chunks only
            chunks = [_plain(name, column.combine_chunks(), known.get(name))]
        columns[name] = pa.chunked_array(chunks) if chunks else column
    return pa.table(columns) if columns else table


def _is_plain(kind: pa.DataType) -> bool:
    return not pa.types.is_nested(kind)


def _plain(name: str, column: Any, feature: Any) -> Any:
    kind = column.type
    if isinstance(feature, list) and feature:  # how older versions write a list
        feature = {"feature": feature[0]}
    inner = feature if isinstance(feature, Mapping) else {}
    if inner.get("_type") == "ClassLabel" and pa.types.is_integer(kind):
        return _names(name, column, class_names({name: inner}, name) or [])
    if is_media(kind):
        return pc.struct_field(column, "path")
    if is_list(kind):
        return _of_list(name, column, inner.get("feature"))
    if pa.types.is_struct(kind):
        inside = inner.get("feature", inner) if "feature" in inner else inner
        inside = inside if isinstance(inside, Mapping) else {}
        sequence = "feature" in inner
        fields = [field.name for field in kind]
        parts = []
        for field in fields:
            inner_feature = inside.get(field)
            part = pc.struct_field(column, field)
            parts.append(
                _plain(
                    f"{name}.{field}",
                    part,
                    {"feature": inner_feature} if sequence else inner_feature,
                )
            )
        if not fields:
            return column
        return _turned(column, fields, parts)
    return column


def _names(name: str, column: Any, names: list[str]) -> Any:
    """The names of numbers; null for −1, which stands for no class."""
    low, high = (pc.min_max(column)[key].as_py() for key in ("min", "max"))
    if low is not None and (low < -1 or high >= len(names)):
        wrong = high if high >= len(names) else low
        raise InvalidInput(f"{name} must be one of {len(names)} classes, or −1; got {wrong}.")
    places = pc.if_else(pc.less(column, 0), pa.scalar(None, column.type), column)
    return pa.array(names, pa.string()).take(places)


def _of_list(name: str, column: Any, feature: Any) -> Any:
    values = pc.list_flatten(column)
    plain = _plain(f"{name}[]", values, feature)
    if plain is values or plain.type == values.type:
        return column
    return _listed(column, plain)


def _listed(column: Any, values: Any) -> Any:
    """Values in lists as long as those of a column."""
    missing = column.is_null()
    lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    if offsets[-1] != len(values):
        raise InvalidInput("a list must have as many entries as its offsets say.")
    mask = missing if column.null_count else None
    if offsets[-1] > np.iinfo(np.int32).max:
        return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), values, mask=mask)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, mask=mask)


def _turned(column: Any, fields: list[str], parts: list[Any]) -> Any:
    """A struct of lists as a list of structs, if the lists of each row have equal length."""
    missing = column.is_null() if column.null_count else None
    if all(is_list(part.type) for part in parts):
        lengths = [
            pc.list_value_length(part).fill_null(0).to_numpy(zero_copy_only=False) for part in parts
        ]
        if all(np.array_equal(lengths[0], other) for other in lengths[1:]):
            flat = pa.StructArray.from_arrays([pc.list_flatten(part) for part in parts], fields)
            shape = parts[0]
            if missing is not None and shape.null_count < column.null_count:
                shape = pc.if_else(missing, pa.scalar(None, shape.type), shape)
            return _listed(shape, flat)
    return pa.StructArray.from_arrays(parts, fields, mask=missing)
