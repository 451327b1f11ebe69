"""A column of ids, whatever their type, as texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelnext.errors import InvalidInput
from labelnext.pool.objects import Notice
from labelnext.pool.texts import LONGEST
from labelnext.pool.utf8 import Utf8Texts
from labelnext_adapters.files.content.oddities import Oddities
from labelnext_adapters.files.tables.arrow import plain_type, undivided


def id_texts(column: Any) -> pa.Array:
    """A column of ids as texts: text as it is, numbers in digits, times in ISO form.

    Raises:
        InvalidInput: if it holds something else.

    Example:
        >>> id_texts(pa.array([7, 8])).to_pylist(), id_texts(pa.array([b"a"])).to_pylist()
        (['7', '8'], ['a'])
    """
    while pa.types.is_dictionary(column.type):
        column = undivided(column)
    if pa.types.is_decimal(column.type):
        return column.cast(pa.string())
    column = plain_type(column)
    kind = column.type
    if pa.types.is_timestamp(kind):
        texts = pc.replace_substring(column.cast(pa.string()), " ", "T", max_replacements=1)
        return pc.replace_substring_regex(texts, r"\.0+(Z|[+-]\d+)?$", r"\1")
    if pa.types.is_floating(kind):
        values = column.to_numpy(zero_copy_only=False)
        known = values[~np.isnan(values)]
        if (known == np.floor(known)).all() and (np.abs(known) < 1 << 53).all():
            column, kind = pc.cast(column, pa.int64(), safe=False), pa.int64()
            column = pc.if_else(pa.array(np.isnan(values)), pa.scalar(None, pa.int64()), column)
    simple = pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_temporal(kind)
    if pa.types.is_null(kind) or not simple:
        hint = "write ids as texts, such as str(id): a float has several."
        raise InvalidInput(
            f"item_id must be text or whole numbers; got {kind}.",
            hint=hint if pa.types.is_floating(kind) else None,
        )
    texts = column.cast(pa.string())
    if pa.types.is_temporal(kind) and pc.any(pc.starts_with(texts, "<value out of")).as_py():
        raise InvalidInput(f"item_id must be text or whole numbers; got a {kind} of no calendar.")
    return texts


def ids_rewritten(column: Any) -> list[Notice]:
    """How ids are written that were no texts or whole numbers; empty for others.

    Args:
        column: of ids, as it stands in the file.
    """
    kind = column.type
    while pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_floating(kind):
        how = "are floats, as gaps make them, and were read as whole numbers"
    elif pa.types.is_decimal(kind):
        how = "are decimals, written with all their digits"
    elif pa.types.is_timestamp(kind):
        how = "are times, written in ISO form"
    else:
        return []
    shown = id_texts(column.slice(0, 1)).to_pylist()[:1]
    return [
        Notice("ids", f"The ids {how}{f', such as {shown[0]}' if shown[0:] and shown[0] else ''}.")
    ]


def utf8_texts(column: Any) -> Utf8Texts:
    """A column of texts without null, its bytes where they are."""
    _, offsets, data = column.buffers()
    bounds = np.frombuffer(offsets or b"", dtype=np.int32)[column.offset :][: len(column) + 1]
    lengths = pc.utf8_length(column).to_numpy()
    return Utf8Texts(memoryview(data or b""), bounds, lengths)


def usable_ids(
    texts: pa.Array, place: Callable[[int], str]
) -> tuple[pa.Array | None, list[Notice]]:
    """Which rows have an id of use, None if all have; and a notice of the others, left out.

    Args:
        texts: the ids.
        place: says in words where a row stands in the file.

    Raises:
        InvalidInput: if more than a tenth have none.
    """
    lacking = pc.equal(texts, "").fill_null(True)
    data = texts.buffers()[2]
    whole = data is None or np.frombuffer(data, dtype=np.uint8).all()
    short = (pc.max(pc.binary_length(texts)).as_py() or 0) <= LONGEST
    if whole and short and not pc.any(lacking).as_py():
        return None, []
    rules = {
        "not hold a NUL character": pc.match_substring(texts, "\0"),
        f"have at most {LONGEST:,} characters": pc.greater(pc.utf8_length(texts), LONGEST),
        "be set": lacking,
    }
    broken = {rule: rows.fill_null(False).to_numpy(False) for rule, rows in rules.items()}
    unusable = np.any([*broken.values()], axis=0)
    if not unusable.any():
        return None, []
    odd = Oddities("row", seen=len(texts))
    for row in np.flatnonzero(unusable).tolist():
        rule = next(rule for rule, rows in broken.items() if rows[row])
        odd.leave_out(place(row), "", f"item_id must {rule}")
    return pa.array(~unusable), odd.notices()
