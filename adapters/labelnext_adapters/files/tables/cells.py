"""Lists and mappings in the cells of a table, as pandas, Python and numpy write them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa

from labelnext.errors import InvalidInput
from labelnext_adapters.files.content.oddities import MOST
from labelnext_adapters.files.json.records import table_of_records
from labelnext_adapters.files.json.roles import Roles
from labelnext_adapters.files.tables.arrow import plain_type, whole_lists
from labelnext_adapters.files.tables.column_names import ColumnRoles, first_of, list_of
from labelnext_adapters.files.tables.known_names import (
    ANSWERS,
    CERTAINTIES,
    CLASS_LISTS,
    SCORE_LISTS,
)
from labelnext_adapters.files.tables.rows import Rows, texts_of
from labelnext_adapters.files.tables.written_scores import (
    lengths_of,
    scores_reader,
    split_classes,
)

_SAMPLED = 200
_LONGEST = 1 << 20  # characters
#: What libraries write around a value: array([0.5], dtype=float32), tensor(0.5, device='cuda:0').
_CALLS = re.compile(r"\b(?:np\.|numpy\.)?(?:array|tensor|float16|float32|float64|int64|str_)\(")
_DTYPE = re.compile(r",\s*(?:dtype|device|grad_fn|requires_grad)=(?:'[^']*'|<[^<>]*>|[\w.]+)")
_GAP = re.compile(r"(?<=[\d.\]'\"])\s+(?=[-\d.\['\"])")  # numpy puts no comma between values
#: A word without quotes, as DuckDB, Athena, Spark and Java print mappings: {cat=0.5}, {cat -> 0.5}.
_WORD = re.compile(r"(?<=[\[{,:])\s*([^\W\d][^\[\]{},:='\"]*)(?=[\]},:])")
_NAN = re.compile(r"\b(?:nan|NaN)\b")


def with_cells(rows: Rows, roles: ColumnRoles, *, usual: bool = False) -> Rows:
    """The rows with the lists and mappings that texts hold; the same rows where none do.

    Args:
        rows: of a file.
        roles: of the columns; ids stay text.
        usual: look only at columns that people use for predictions.

    Raises:
        InvalidInput: if more than a tenth of the rows can't be used, or numpy left out values.
    """
    rows = replace(rows, table=stored(rows.table))
    table, id_name = rows.table, roles.id_among(rows.table.column_names)
    readers = {
        name: reader
        for name in table.column_names
        if name != id_name and (roles.is_read(name) or not usual)
        if (reader := _reader_of(table, name, roles)) is not None
    }
    columns: dict[str, Sequence[Any]] = {
        name: list(map(reader, texts_of(table.column(name)))) for name, reader in readers.items()
    }
    columns |= _classes_beside(table, columns)
    columns |= _only_values(table, columns)
    if not columns:
        return rows
    columns = {
        name: columns[name] if name in columns else table.column(name).to_pylist()
        for name in table.column_names
    }
    records = [
        (rows.place(row), dict(zip(columns, values, strict=True)))
        for row, values in enumerate(zip(*columns.values(), strict=True))
    ]
    read, notices, place = table_of_records(records, _Kept(roles))
    return replace(rows, table=read, notices=[*rows.notices, *notices], place=place)


def stored(table: pa.Table) -> pa.Table:
    """A table whose columns of extension types, such as UUIDs and JSON, are what these store.

    Views of lists are lists, texts are of one kind, and what is stored as runs is written out.
    """
    for at, field in enumerate(table.schema):
        column = whole_lists(table.column(at))
        if pa.types.is_large_string(field.type) or pa.types.is_string_view(field.type):
            with suppress(pa.ArrowInvalid):  # more than a column of short offsets holds
                column = column.cast(pa.string())
        if isinstance(field.type, pa.BaseExtensionType) or pa.types.is_run_end_encoded(field.type):
            column = plain_type(column)
        if column.type != field.type:
            table = table.set_column(at, field.name, column)
    return table


class _Kept(Roles):
    """Texts stay texts: their numbers were told apart before."""

    def __init__(self, roles: ColumnRoles) -> None:
        self._roles = roles

    def id_among(self, names: Iterable[str]) -> str | None:
        return self._roles.id_among(names)

    def is_read(self, name: str) -> bool:
        return self._roles.is_read(name)


def _reader_of(
    table: pa.Table, name: str, roles: ColumnRoles
) -> Callable[[str | None], Any] | None:
    """What reads a column's texts; None if these are texts."""
    if not pa.types.is_string(table.schema.field(name).type):
        return None
    texts = [text for text in table.column(name).slice(0, _SAMPLED).to_pylist() if text]
    if _is_nested(name, texts):
        return _cell
    scores = scores_reader(texts) if roles.is_scores(name) and texts else None
    return None if scores is None else partial(_written, scores)


def _written(read: Callable[[str], Any], text: str | None) -> Any:
    """The scores of a cell; the text itself if it lists none."""
    if text is None or not text.strip():
        return None
    scores = read(text)
    return text if scores is None else scores


def _classes_beside(
    table: pa.Table, lists: Mapping[str, Sequence[Any]]
) -> dict[str, Sequence[Any]]:
    """The column of classes, several in a cell, beside one of as many scores in each."""
    free = [n for n in table.column_names if pa.types.is_string(table.schema.field(n).type)]
    sure = list_of([name for name, values in lists.items() if _are_lists(values)], SCORE_LISTS)
    answer = list_of([name for name in free if name not in lists], CLASS_LISTS)
    if sure is None or answer is None:
        return {}
    split = split_classes(texts_of(table.column(answer)), lengths_of(lists[sure]))
    return {} if split is None else {answer: split}


def _only_values(table: pa.Table, lists: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """The class and the certainty of each row, where they stand in lists of one value each."""
    usual = (first_of(table.column_names, names) for names in (ANSWERS, CERTAINTIES))
    pair = [name for name in usual if name is not None]
    single = [n for n in pair if n in lists and all(map(_is_single, lists[n]))]
    return {n: [one and one[0] for one in lists[n]] for n in single} if len(pair) > 1 else {}


def _is_single(value: Any) -> bool:
    return value is None or (isinstance(value, list) and len(value) == 1)


def _are_lists(values: Sequence[Any]) -> bool:
    return any(isinstance(value, list) for value in values)


def _is_nested(name: str, texts: Sequence[str]) -> bool:
    """Whether nearly all of a column's texts are in brackets, and some of them can be read."""
    bare = {text: _bare(text) for text in texts}
    inside = [bare[text] for text in texts if _holds_values(text.strip(), bare[text])]
    if not texts or len(inside) < MOST * len(texts):
        return False
    for text in inside:
        if isinstance(_cell(text), str) and re.search(r"\d\s+\.\.\.\s+\S", text):
            raise InvalidInput(
                f"{name} must hold all numbers; numpy left some out of {text!r:.60}.",
                hint="write lists: frame[name] = [list(map(float, row)) for row in array].",
            )
    return any(not isinstance(_cell(text), str) for text in inside)


def _holds_values(text: str, bare: str) -> bool:
    """Whether a text is a list, a mapping, or what a library writes around a value."""
    return bare[:1] + bare[-1:] in ("[]", "{}") or bare != text


def _bare(text: str) -> str:
    """A text without what numpy writes around it.

    Example:
        >>> _bare("array([0.5, 0.5], dtype=float32)"), _bare(" [1] ")
        ('[0.5, 0.5]', '[1]')
    """
    called = re.fullmatch(rf"{_CALLS.pattern}(.*?)(?:{_DTYPE.pattern})*\)", text.strip(), re.S)
    return called[1] if called else text.strip()


def _cell(text: str | None) -> Any:
    """The value of a cell; the text itself if it can't be read.

    Example:
        >>> _cell('{"cat": 0.5}'), _cell("{'cat': 0.5}"), _cell("[0.9 0.1]"), _cell("[n/a]")
        ({'cat': 0.5}, {'cat': 0.5}, [0.9, 0.1], '[n/a]')
        >>> _cell("{cat=0.5, big dog=0.5}")
        {'cat': 0.5, 'big dog': 0.5}
    """
    if text is None or not text.strip():
        return None
    readers: tuple[Callable[[str], Any], ...] = (json.loads, _of_python, _of_numpy, _of_database)
    for read in readers:
        try:
            return read(_bare(text))
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
    return text


def _of_python(text: str) -> Any:
    if len(text) > _LONGEST:
        raise ValueError("too long")
    plain = _NAN.sub("'nan'", _CALLS.sub("(", _DTYPE.sub("", text)))
    return _lists(ast.literal_eval(plain))


def _of_numpy(text: str) -> Any:
    if "..." in text:
        raise ValueError("numpy left out values")
    return _of_python(_GAP.sub(", ", text))


def _of_database(text: str) -> Any:
    if "{" not in text:
        raise ValueError("no mapping")
    colons = text if ":" in text else text.replace("->", ":").replace("=", ":")
    nothing = {"null": "None", "NULL": "None", "None": "None", "NaN": "NaN", "nan": "nan"}

    def quoted(found: re.Match[str]) -> str:
        word = found[1].rstrip()
        return nothing.get(word) or json.dumps(word)

    return _of_python(_WORD.sub(quoted, colons))


def _lists(value: Any) -> Any:
    """Tuples and sets as lists, and the text nan as a number."""
    if isinstance(value, dict):
        return {str(name): _lists(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [float("nan") if one == "nan" else _lists(one) for one in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise ValueError("no value of JSON")
