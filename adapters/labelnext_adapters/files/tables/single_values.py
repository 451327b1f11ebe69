"""Columns with one value an item: costs, groups, numbers that items are labelled with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.objects import Notice
from labelnext_adapters.files.content.oddities import Oddities
from labelnext_adapters.files.content.values import number_in
from labelnext_adapters.files.tables.arrow import numbers
from labelnext_adapters.files.tables.flags import flags
from labelnext_adapters.files.tables.items import Items


def single_values(name: str, column: Any, items: Items) -> list[Any]:
    """The values of a column: truth values, costs and numbers as such, others as texts.

    Args:
        name: ours.
        column: with one value an item.
        items: notes those whose value is left out.

    Raises:
        InvalidInput: if the column holds lists or records, or too many values break its rule.
    """
    if pa.types.is_nested(column.type):
        raise InvalidInput(f"{name} must be one value for each item; got {column.type}.")
    if name == "labelled":
        return list(flags(name, column, items).tolist())
    if name == "cost":
        return list(numbers(name, column).tolist())
    texts: list[Any] = column.cast(pa.string()).to_pylist()
    return _numbers(name, texts, items) if name == "label_number" else texts


def _numbers(name: str, texts: Sequence[str | None], items: Items) -> list[Any]:
    """The finite numbers that texts are; NaN for nothing and for those that are left out."""
    values, why = list[float](), dict[int, str]()
    for row, text in enumerate(texts):
        value = _number(text)
        if np.isinf(value):
            why[row] = f"{name} must be a number, or empty for none; got {text!r:.60}"
        values.append(np.nan if np.isinf(value) else value)
    items.leave_out(name, why, sum(bool(text) for text in texts))
    return values


def with_costs(
    column: Any, ids: Sequence[Any], place: Callable[[int], str]
) -> tuple[NDArray[np.bool_], list[Notice]]:
    """Which items have a cost above 0, and a notice of the others, which are left out.

    Args:
        column: of the costs.
        ids: of the items.
        place: says in words where an item stands in the file.

    Raises:
        InvalidInput: if more than a tenth have none.
    """
    if pa.types.is_nested(column.type) or pa.types.is_null(column.type):
        return np.ones(len(column), dtype=bool), []  # said, or of no use, where it is read
    texts = column.to_pylist() if pa.types.is_string(column.type) else None
    values = numbers("cost", column) if texts is None else np.array([*map(_number, texts)])
    usable: NDArray[np.bool_] = (values > 0) & (values < np.inf)
    if usable.all():
        return usable, []
    odd = Oddities("item", seen=len(values))
    for row in np.flatnonzero(~usable).tolist():
        got = "none" if np.isnan(values[row]) else f"{values[row]:.6g}"
        got = f"{texts[row]!r:.60}" if texts and texts[row] else got
        odd.leave_out(place(row), ids[row], f"cost must be a number above 0; got {got}")
    return usable, odd.notices("give each item what it takes to label it, such as seconds.")


def _number(text: str | None) -> float:
    """The number that a text is; NaN for nothing, infinity for a text that is none."""
    number = number_in(text or "nan")
    return np.inf if number is None else number
