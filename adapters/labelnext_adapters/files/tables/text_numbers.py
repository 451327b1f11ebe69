"""Numbers that a table holds as texts."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection

import pyarrow as pa

from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.files.content.oddities import FEW, MOST, Oddities
from labelnext_adapters.files.content.values import number_in, with_point
from labelnext_adapters.files.json.roles import Roles
from labelnext_adapters.files.tables.arrow import is_list, is_text
from labelnext_adapters.files.tables.column_names import is_ranked_class
from labelnext_adapters.files.tables.header import NUMBER

NOTHING = {"", "na", "n/a", "nan", "null", "none", "#n/a"}
_SAMPLED = 2000


def as_numbers(
    table: pa.Table,
    names: Collection[str],
    roles: Roles,
    place: Callable[[int], str],
    *,
    comma: bool = False,
) -> tuple[pa.Table, list[Notice]]:
    """A table with numbers in these columns of texts; a text that is none becomes null.

    A column that has a rule of its own keeps its texts if one is no number: it is told there. So
    does one in which a number has a percent sign.

    Args:
        table: as it stands in the file.
        names: of the columns.
        roles: of the columns.
        place: says in words where a row stands in the file.
        comma: numbers have decimal commas.

    Returns:
        The table, and a notice of rows with a text that is none.

    Raises:
        InvalidInput: if more than a tenth of the rows have one.
    """
    odd = Oddities(seen=table.num_rows, of="number columns")
    met: set[int] = set()
    columns = dict(zip(table.column_names, table.columns, strict=True))
    for name in [name for name in table.column_names if name in names]:
        texts = [_bare(text, comma=comma) for text in columns[name].to_pylist()]
        values = [number_in(text) for text in texts]
        strange = {row for row, text in enumerate(texts) if text and values[row] is None}
        signed = any(str(texts[row]).endswith("%") for row in strange)
        if signed or (strange and roles.has_rule(name)):
            columns[name] = pa.array(texts, pa.string())
            continue
        for row in sorted(strange - met):
            odd.leave_out(place(row), "", f"{name} must be a number; got {texts[row]!r:.40}")
        met |= strange
        columns[name] = pa.array(values, pa.float64())
    return pa.table(columns), odd.notices()


def _bare(text: str | None, *, comma: bool) -> str | None:
    """A text without what surrounds a number; None for nothing."""
    text = (text or "").strip()
    if text.lower() in NOTHING:
        return None
    return text.replace(",", ".") if comma else with_point(text)


def with_text_numbers(
    table: pa.Table, roles: Roles, place: Callable[[int], str]
) -> tuple[pa.Table, list[Notice]]:
    """The table with numbers in columns of texts that nearly all are some; as CSV is read.

    Args:
        table: as it stands in the file.
        roles: of the columns; ids and names stay text, whatever they look like.
        place: says in words where a row stands in the file.

    Returns:
        The table, and a notice of rows with a text that is none.

    Raises:
        InvalidInput: if more than a tenth of the rows have one.
    """
    names = {field.name for field in table.schema if pa.types.is_string(field.type)}
    names = {
        name for name in names if _are_numbers(table.column(name), fraction=roles.is_text(name))
    }
    names -= {"text", *(one for one in names if roles.is_text(one) and not is_ranked_class(one))}
    if not names:
        return table, []
    return as_numbers(table, names, roles, place)


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
        given = [with_point(text) for text in inside if text is not None]
        odd = [text for text in given if not NUMBER.match(text) or "," in text]
        if not given or len(odd) > FEW * len(given):
            continue
        if odd:
            n_odd = counted(len(odd), "text that is none", "texts that are none")
            message = f"{field.name} must hold numbers; it has {n_odd}, such as {odd[0]!r:.40}."
            notices.append(Notice("not_read", message))
        rows = [
            one and ({k: _inner(v) for k, v in one.items()} if mapped else [*map(_inner, one)])
            for one in values
        ]
        table = table.set_column(at, field.name, pa.array(rows))
    return table, notices


def _inner(text: str | None) -> float | None:
    """A number; NaN for any other text."""
    if text is None:
        return None
    text = with_point(text)
    return float(text) if NUMBER.match(text) and "," not in text else math.nan


def _are_numbers(column: pa.ChunkedArray, *, fraction: bool) -> bool:
    """Whether nearly all texts are numbers; class_1 may be a class, but not where it is 0.25."""
    texts = [with_point((text or "").strip()) for text in column.slice(0, _SAMPLED).to_pylist()]
    given = [text for text in texts if text.lower() not in NOTHING]
    numbers = sum(bool(NUMBER.match(text)) and "," not in text for text in given)
    if fraction and not any("." in text for text in given):
        return False
    return bool(given) and numbers >= MOST * len(given)
