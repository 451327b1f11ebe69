"""Rows: a table as it stands in a file, before anybody asks what its columns mean."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv

from labelnext.errors import InvalidInput
from labelnext.pool.objects import Notice
from labelnext.support.started import how
from labelnext.support.words import counted
from labelnext_adapters.files.content.content import (
    byte_blocks,
    decoded,
    file_of,
    json_lines,
    read_bytes,
    read_text,
)
from labelnext_adapters.files.content.oddities import Oddities
from labelnext_adapters.files.json.columns import table_of_lines
from labelnext_adapters.files.json.records import table_of_records
from labelnext_adapters.files.tables.vectors import ROUNDED

_DELIMITERS = (",", ";", "\t", "|")
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?$|[+-]?(nan|inf|infinity)$", re.I)
_NOTHING = {"", "na", "n/a", "nan", "null", "none", "#n/a"}
_SAMPLED = 2000
_START = 1 << 18  # bytes of the sample
_LONGEST_LINE = 1 << 20  # bytes, also of a value that goes over several lines


def _no_text(name: str) -> bool:
    return False


@dataclass(frozen=True)
class Rows:
    """The rows of a file.

    Attributes:
        table: its columns, as they are named in the file.
        notices: of records that were left out.
        place: ``place(row)`` says in words where a row stands in the file.
    """

    table: pa.Table
    notices: list[Notice] = field(default_factory=list)
    place: Callable[[int], str] = lambda row: f"row {row + 1}"


@dataclass(frozen=True)
class Dialect:
    """How the values of a CSV file are separated and written.

    Attributes:
        delimiter: between values.
        decimal: of numbers.
    """

    delimiter: str
    decimal: Literal[".", ","]


def read_csv(
    path: Path,
    is_text: Callable[[str], bool] = _no_text,
    *,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
) -> Rows:
    """A CSV file: comma, semicolon, tab or bar between values, decimal point or comma.

    Numbers are read as such only in columns that hold nothing else; ids and names stay the text
    that they are.

    Args:
        path: of the file.
        is_text: whether a column is text, whatever it looks like.
        delimiter: between values; from the first lines when None.
        decimal: `.` or `,`; from the first lines when None.
        encoding: of the file; UTF-8, or what its byte order mark says, when None.

    Raises:
        InvalidInput: if the file is empty, not text, or its lines differ in length or are too long.
    """
    blocks = partial(byte_blocks, path)
    start = file_of(blocks()).read(_START + 1)
    if encoding is not None or start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in start[:4096]:
        data = decoded(read_bytes(path), encoding).encode("utf-8")
        blocks, start = partial(iter, [data]), data[: _START + 1]
    if not start.strip():
        raise InvalidInput("the file must not be empty.")
    more, start = len(start) > _START, start[:_START]
    try:
        text = start.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not more or error.start < _START - 4:
            decoded(read_bytes(path))  # says where
        text = start[: error.start].decode("utf-8-sig")
    lines = text.splitlines()
    if more and len(lines) > 1:
        lines.pop()
    dialect = _dialect(lines, delimiter, decimal)
    sample = list(csv.reader(lines[:_SAMPLED], delimiter=dialect.delimiter))
    header = [name.strip() for name in sample[0]] if sample else []
    _check_header(header)
    numeric = _number_columns(header, sample[1:], is_text)
    kinds = {name: pa.float64() if name in numeric else pa.string() for name in header}
    try:
        table = _arrow_csv(blocks(), header, kinds, dialect)
    except pa.ArrowInvalid as error:
        if "columns" in str(error) or "straddling" in str(error):
            raise _ragged(error, header, dialect) from error
        if "UTF8" in str(error) or "utf8" in str(error).lower():
            decoded(read_bytes(path))
        strings = dict.fromkeys(header, pa.string())
        table = _arrow_csv(blocks(), header, strings, dialect)
        return _with_numbers(table, numeric, dialect)
    return Rows(table, [], lambda row: f"line {row + 2}")


def _arrow_csv(
    blocks: Iterator[bytes],
    header: Sequence[str],
    kinds: Mapping[str, pa.DataType],
    dialect: Dialect,
) -> pa.Table:
    return pyarrow.csv.read_csv(
        file_of(blocks),
        read_options=pyarrow.csv.ReadOptions(
            column_names=list(header), skip_rows=1, block_size=_LONGEST_LINE
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=dialect.delimiter, newlines_in_values=True
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict(kinds),
            decimal_point=dialect.decimal,
            null_values=["", "NA", "N/A", "n/a", "nan", "NaN", "null", "NULL", "None", "#N/A"],
        ),
    )


def _dialect(lines: Sequence[str], delimiter: str | None, decimal: str | None) -> Dialect:
    """The delimiter of the header; a decimal comma where numbers have one."""
    if delimiter is None:
        head = lines[0] if lines else ""
        counts = {sign: head.count(sign) for sign in _DELIMITERS}
        delimiter = max(_DELIMITERS, key=lambda sign: counts[sign])
    if decimal is None:
        rows = list(csv.reader(lines[1:200], delimiter=delimiter))
        values = [value.strip() for row in rows for value in row]
        comma = any(re.fullmatch(r"[+-]?\d+,\d+", value) for value in values)
        point = any(re.fullmatch(r"[+-]?\d+\.\d+", value) for value in values)
        decimal = "," if comma and not point and delimiter != "," else "."
    if len(delimiter) != 1 or decimal not in (".", ",") or delimiter == decimal:
        raise InvalidInput(
            "delimiter must be one character, and decimal a point or a comma that isn't the "
            f"delimiter; got {delimiter!r} and {decimal!r}."
        )
    return Dialect(delimiter, decimal)  # type: ignore[arg-type]  # checked above


def _check_header(header: Sequence[str]) -> None:
    doubled = sorted({name for name in header if header.count(name) > 1})
    if doubled:
        raise InvalidInput(
            f"columns must have distinct names; got {doubled[0]!r} more than once.",
            hint="rename it in the first line of the file.",
        )
    if header and all(NUMBER.match(name) for name in header):
        raise InvalidInput(
            f"the first line must name the columns; got numbers only: {', '.join(header[:5])}."
        )


def _number_columns(
    header: Sequence[str], rows: Sequence[Sequence[str]], is_text: Callable[[str], bool]
) -> set[str]:
    """The columns whose sampled values are all numbers, but for those that are text."""
    numeric = set()
    for index, name in enumerate(header):
        if is_text(name):
            continue
        values = [row[index].strip() for row in rows if index < len(row)]
        given = [value for value in values if value.lower() not in _NOTHING]
        numbers = sum(bool(NUMBER.match(value)) for value in given)
        if given and numbers >= 0.9 * len(given):
            numeric.add(name)
    return numeric


def _with_numbers(table: pa.Table, numeric: Collection[str], dialect: Dialect) -> Rows:
    """Number columns that hold a few other values: these become NaN, and are counted."""
    odd = Oddities("row", seen=table.num_rows)
    for index, name in enumerate(table.column_names):
        if name not in numeric:
            continue
        values: list[float | None] = []
        for row, value in enumerate(table.column(name).to_pylist()):
            text = (value or "").strip()
            number = None
            if text.lower() not in _NOTHING:
                try:
                    plain = text.replace(",", ".") if dialect.decimal == "," else text
                    number = float(plain)
                except ValueError:
                    why = f"{name} must be a number; got {value!r:.40}"
                    odd.leave_out(f"line {row + 2}", "", why)
            values.append(number)
        table = table.set_column(index, name, pa.array(values, pa.float64()))
    return Rows(table, odd.notices(), lambda row: f"line {row + 2}")


def _ragged(error: Exception, header: Sequence[str], dialect: Dialect) -> InvalidInput:
    if "straddling" in str(error):
        return InvalidInput(
            f"every line must have at most {_LONGEST_LINE:,} bytes; one is longer.",
            hint="a quotation mark may be open: write a quoted value's own marks twice.",
        )
    told = re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", str(error))
    where = f"line {told[1]} has {told[3]}" if told else " ".join(str(error).split())
    name = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars"}.get(dialect.delimiter)
    return InvalidInput(
        f"every line must have {counted(len(header), 'value')}, like the first; {where} "
        f"(read as separated by {name or repr(dialect.delimiter)}).",
        hint="put values that contain the delimiter in quotes, or set source.delimiter.",
    )


def read_jsonl(path: Path, is_text: Callable[[str], bool] = _no_text) -> Rows:
    """A JSON object on each line.

    Where all lines have the types of the first ones, these are the columns; otherwise each record
    is looked at by itself, and what can't be used is left out and counted.

    Args:
        path: of the file.
        is_text: whether a column is of ids and names: text or whole numbers.

    Raises:
        InvalidInput: if the file is empty or not JSON.
    """
    table = table_of_lines(path)
    if table is not None:
        return Rows(table, [], lambda row: f"line {row + 1}")
    text = decoded(read_bytes(path))
    return Rows(*table_of_records([(f"line {n}", one) for n, one in json_lines(text)], is_text))


def read_json_table(path: Path, is_text: Callable[[str], bool] = _no_text) -> Rows:
    """A JSON list of objects, one an item, alone or as the only list of an object; or columns.

    Raises:
        InvalidInput: if it is something else.
    """
    from labelnext_adapters.files.content.content import parsed

    text = read_text(path)
    value = parsed(text)
    if isinstance(value, dict):
        value = _listed_records(value)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value[:1]):
        what = type(value).__name__ if not isinstance(value, list) else "a list of other values"
        raise InvalidInput(
            f"a JSON file must be a list of objects, one for each item; got {what}.",
            hint=f"{how('formats')} lists the formats that are recognised.",
        )
    return Rows(*table_of_records([(f"record {n}", r) for n, r in enumerate(value, 1)], is_text))


#: Keys of an object whose only list may be of the records.
_WRAPPERS = (
    "predictions",
    "results",
    "outputs",
    "responses",
    "data",
    "items",
    "records",
    "samples",
)


def _listed_records(value: dict[str, Any]) -> list[dict[str, Any]]:
    columns = list(value.values())
    lists = [name for name, column in value.items() if isinstance(column, list)]
    if len(lists) == 1 and lists[0].lower() in _WRAPPERS:
        records: list[dict[str, Any]] = value[lists[0]]
        if records and all(isinstance(one, dict) for one in records):
            return records
    if columns and all(isinstance(column, list) for column in columns):
        if all(map(_sums_to_one, columns)) and len({len(row) for row in columns}) == 1:
            return [{"item_id": name, "probabilities": row} for name, row in value.items()]
        if len({len(column) for column in columns}) > 1:
            raise InvalidInput("the columns of a JSON file must have the same length.")
        return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
    if columns and all(isinstance(column, dict) for column in columns):
        if (by_item := _scores_by_item(value)) is not None:
            return by_item
        keys = list(columns[0])
        if all(list(column) == keys for column in columns):  # pandas' to_json()
            return [{name: value[name][key] for name in value} for key in keys]
    shown = ", ".join(list(value)[:8])
    raise InvalidInput(
        "this JSON has none of the formats that labelnext recognises; it has "
        f"{f'the keys {shown}' if shown else 'no keys'}.",
        hint="convert it to a JSON list of objects, one for each item, with item_id and "
        f"probabilities or objects; {how('formats')} lists all formats.",
    )


def _scores_by_item(value: dict[str, dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Class scores by item, or by class; None if it can't be told which, or they are neither.

    Example:
        >>> _scores_by_item({"a": {"cat": 0.75, "dog": 0.25}, "b": {"cat": 0.5, "dog": 0.5}})[0]
        {'item_id': 'a', 'probabilities': {'cat': 0.75, 'dog': 0.25}}
    """
    turned: dict[str, dict[str, Any]] = {}
    for name, inside in value.items():
        for key, number in inside.items():
            turned.setdefault(key, {})[name] = number
    mappings = [
        one
        for one in (value, turned)
        if all(_sums_to_one(list(scores.values())) for scores in one.values())
    ]
    if len(mappings) != 1:
        return None
    return [{"item_id": name, "probabilities": scores} for name, scores in mappings[0].items()]


def _sums_to_one(numbers: list[Any]) -> bool:
    if len(numbers) < 2 or not all(type(n) in (int, float) and n >= 0 for n in numbers):
        return False
    return bool(abs(sum(numbers) - 1) <= ROUNDED)


def texts_of(column: Any) -> list[str | None]:
    """A column as texts: numbers in digits, bytes as UTF-8, None where there is nothing."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return list(column.to_pylist())
    return [None if v is None else _text(v) for v in column.to_pylist()]


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value).lower() if isinstance(value, bool) else str(value)
