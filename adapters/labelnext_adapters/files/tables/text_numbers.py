"""Numbers that a table holds as texts."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection

import pyarrow as pa

from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.files.content.oddities import Oddities
from labelnext_adapters.files.tables.arrow import is_list, is_text
from labelnext_adapters.files.tables.column_names import is_ranked_class
from labelnext_adapters.files.tables.header import NUMBER

NOTHING = {"", "na", "n/a", "nan", "null", "none", "#n/a"}
_MOSTLY = 0.9
_SAMPLED = 2000


def as_numbers(
    table: pa.Table,
    names: Collection[str],
    odd: Oddities,
    place: Callable[[int], str],
    *,
    comma: bool = False,
) -> pa.Table:
    """A table with numbers in these columns of texts; a text that is none becomes null.

    Args:
        table: as it stands in the file.
        names: of the columns.
        odd: counts the rows with such a text.
        place: says in words where a row stands in the file.
        comma: numbers have decimal commas.
    """
    met: set[int] = set()
    columns = dict(zip(table.column_names, table.columns, strict=True))
    for name in table.column_names:
        if name not in names:
            continue
        values: list[float | None] = []
        for row, value in enumerate(columns[name].to_pylist()):
            text = (value or "").strip()
            number = None
            if text.lower() not in NOTHING:
                try:
                    number = float(text.replace(",", ".") if comma else text)
                except ValueError:
                    if row not in met:
                        why = f"{name} must be a number; got {value!r:.40} (its other values stay)"
                        odd.leave_out(place(row), "", why)
                    met.add(row)
            values.append(number)
        columns[name] = pa.array(values, pa.float64())
    return pa.table(columns)


def with_text_numbers(
    table: pa.Table, is_text: Callable[[str], bool], place: Callable[[int], str]
) -> tuple[pa.Table, list[Notice]]:
    """The table with numbers in columns of texts that nearly all are some; as CSV is read.

    Args:
        table: as it stands in the file.
        is_text: whether a column is text, whatever it looks like.
        place: says in words where a row stands in the file.

    Returns:
        The table, and a notice of rows with a text that is none.

    Raises:
        InvalidInput: if more than a tenth of the rows have one.
    """
    names = {field.name for field in table.schema if pa.types.is_string(field.type)}
    names = {name for name in names if _are_numbers(table.column(name), fraction=is_text(name))}
    names -= {name for name in names if is_text(name) and not is_ranked_class(name)}
    if not names:
        return table, []
    odd = Oddities("row", seen=table.num_rows)
    return as_numbers(table, names, odd, place), odd.notices()


def with_inner_numbers(
    table: pa.Table, is_scores: Callable[[str], bool]
) -> tuple[pa.Table, list[Notice]]:
    """The table with numbers in lists and mappings of texts that nearly all are some.

    Any other text is NaN, and a notice counts them.

    Args:
        table: as it stands in the file.
        is_scores: whether a column holds class scores.

    Example:
        >>> table = pa.table({"probs": [["0.5", ".5"], None]})
        >>> with_inner_numbers(table, lambda name: True)[0].to_pydict()
        {'probs': [[0.5, 0.5], None]}
    """
    notices: list[Notice] = []
    for at, field in enumerate(table.schema):
        kind = field.type
        listed = is_list(kind) and is_text(kind.value_type)
        mapped = pa.types.is_struct(kind) and all(is_text(f.type) for f in kind)
        if not (listed or mapped) or not is_scores(field.name):
            continue
        values = table.column(at).to_pylist()
        inside = [v for one in values if one for v in (one.values() if mapped else one)]
        given = [text for text in inside if text is not None]
        odd = [text for text in given if not NUMBER.match(text) or "," in text]
        if not given or len(odd) > (1 - _MOSTLY) * len(given):
            continue
        if odd:
            n_odd = counted(len(odd), "text that is none", "texts that are none")
            message = f"{field.name} must hold numbers; it has {n_odd}, such as {odd[0]!r:.40}."
            notices.append(Notice("not_read", message))
        rows = [
            one and ({k: _number(v) for k, v in one.items()} if mapped else [*map(_number, one)])
            for one in values
        ]
        table = table.set_column(at, field.name, pa.array(rows))
    return table, notices


def _number(text: str | None) -> float | None:
    """A number; NaN for any other text."""
    if text is None:
        return None
    return float(text) if NUMBER.match(text) and "," not in text else math.nan


def _are_numbers(column: pa.ChunkedArray, *, fraction: bool) -> bool:
    """Whether nearly all texts are numbers; class_1 may be a class, but not where it is 0.25."""
    texts = [(text or "").strip() for text in column.slice(0, _SAMPLED).to_pylist()]
    given = [text for text in texts if text.lower() not in NOTHING]
    numbers = sum(bool(NUMBER.match(text)) and "," not in text for text in given)
    if fraction and not any("." in text for text in given):
        return False
    return bool(given) and numbers >= _MOSTLY * len(given)
