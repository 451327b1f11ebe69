"""Arrow types of JSON values, so that nobody guesses them twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa


def type_of(value: Any) -> pa.DataType | None:
    """The type of a JSON value; None if Arrow has none for it."""
    if value is None:
        return pa.null()
    if isinstance(value, bool):
        return pa.bool_()
    if isinstance(value, str):
        return pa.string()
    if isinstance(value, int):
        return pa.int64() if abs(value) < 1 << 53 else None
    if isinstance(value, float):
        return pa.float64()
    if isinstance(value, list):
        kind: pa.DataType | None = pa.null()
        for one in value[:50]:
            kind = merged(kind, type_of(one))
            if kind is None:
                return None
        return pa.list_(kind)
    kinds = {name: type_of(one) for name, one in value.items()}
    if not kinds or any(kind is None for kind in kinds.values()):
        return None
    return pa.struct(list(kinds.items()))


def merged(one: pa.DataType | None, other: pa.DataType | None) -> pa.DataType | None:
    """A type for the values of both; None if there is none."""
    if one is None or other is None:
        return other if one is None else None
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    numbers = (pa.int64(), pa.float64())
    if one in numbers and other in numbers:
        return pa.float64()
    if pa.types.is_list(one) and pa.types.is_list(other):
        inner = merged(one.value_type, other.value_type)
        return None if inner is None else pa.list_(inner)
    if pa.types.is_struct(one) and pa.types.is_struct(other):
        fields: dict[str, pa.DataType | None] = {f.name: f.type for f in one}
        for f in other:
            known = fields.get(f.name)
            fields[f.name] = f.type if known is None else merged(known, f.type)
        if all(kind is not None for kind in fields.values()):
            return pa.struct(list(fields.items()))
    return None


def common(kinds: Iterable[pa.DataType]) -> pa.DataType | None:
    """One type for the values of all kinds that agree, the first ones first; None without any.

    Where each of many records has names of its own, this takes linear time, unlike `merged`.
    """
    known = [kind for kind in kinds if not pa.types.is_null(kind)] or list(kinds)
    if not known:
        return None
    first = known[0]
    if pa.types.is_list(first):
        lists = [kind.value_type for kind in known if pa.types.is_list(kind)]
        return pa.list_(common(lists))
    if pa.types.is_struct(first):
        fields: dict[str, pa.DataType] = {}
        for kind in known:
            if pa.types.is_struct(kind):
                new = {f.name: merged(fields.get(f.name), f.type) for f in kind}
                if None not in new.values():
                    fields |= new
        return pa.struct(list(fields.items()))
    whole = first
    for kind in known:
        whole = merged(whole, kind) or whole
    return whole


def fits(kind: pa.DataType, whole: pa.DataType) -> bool:
    """Whether values of a type are also values of another, as `common` makes it of many."""
    if kind == whole or pa.types.is_null(kind):
        return True
    if pa.types.is_list(kind) and pa.types.is_list(whole):
        return fits(kind.value_type, whole.value_type)
    if pa.types.is_struct(kind) and pa.types.is_struct(whole):
        places = [whole.get_field_index(f.name) for f in kind]
        return all(
            at >= 0 and fits(f.type, whole.field(at).type)
            for f, at in zip(kind, places, strict=True)
        )
    return bool(kind == pa.int64() and whole == pa.float64())
