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
from labelnext.support.words import counted
from labelnext_adapters.files.content.content import (
    byte_blocks,
    decoded,
    file_of,
    json_lines,
    read_bytes,
)
from labelnext_adapters.files.content.oddities import Oddities
from labelnext_adapters.files.json.columns import table_of_lines
from labelnext_adapters.files.json.records import table_of_records, with_doubled
from labelnext_adapters.files.tables.column_names import TextColumns

_DELIMITERS = (",", ";", "\t", "|")
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?$|[+-]?(nan|inf|infinity)$", re.I)
_NOTHING = {"", "na", "n/a", "nan", "null", "none", "#n/a"}
_SAMPLED = 2000
_START = 1 << 18  # bytes of the sample
_LONGEST_LINE = 1 << 20  # bytes, also of a value that goes over several lines


def no_text(name: str) -> bool:
    """No column is of ids or names."""
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
    is_text: Callable[[str], bool] = no_text,
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
        whole = r"[01]" if delimiter == "," else r"\d+"  # in quotes it may group thousands
        comma = any(re.fullmatch(rf"[+-]?{whole},\d+", value) for value in values)
        point = any(re.fullmatch(r"[+-]?\d+\.\d+", value) for value in values)
        return Dialect(_one_sign(delimiter), "," if comma and not point else ".")
    if decimal not in (".", ",") or delimiter == decimal:
        raise InvalidInput(
            "delimiter must be one character, and decimal a point or a comma that isn't the "
            f"delimiter; got {delimiter!r} and {decimal!r}."
        )
    return Dialect(_one_sign(delimiter), decimal)  # type: ignore[arg-type]  # checked above


def _one_sign(delimiter: str) -> str:
    if len(delimiter) != 1:
        raise InvalidInput(f"delimiter must be one character; got {delimiter!r}.")
    return delimiter


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
    met: set[int] = set()
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
                    if row not in met:
                        odd.leave_out(f"line {row + 2}", "", why)
                    met.add(row)
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


def read_jsonl(path: Path, is_text: Callable[[str], bool] = no_text) -> Rows:
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
    if table is not None and not _has_float_ids(table, is_text):
        return Rows(table, [], lambda row: f"line {row + 1}")
    text = decoded(read_bytes(path))
    records = with_doubled(text, [(f"line {n}", one) for n, one in json_lines(text)])
    return Rows(*table_of_records(records, is_text))


def _has_float_ids(table: pa.Table, is_text: Callable[[str], bool]) -> bool:
    """Whether ids are written as floats, of which each has several texts."""
    name = is_text.id_among(table.column_names) if isinstance(is_text, TextColumns) else None
    return name in table.column_names and bool(pa.types.is_floating(table.schema.field(name).type))


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
