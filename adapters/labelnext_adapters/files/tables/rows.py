"""Rows: a table as it stands in a file, before anybody asks what its columns mean."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.files.content.content import (
    byte_blocks,
    decoded,
    file_of,
    json_lines,
    parsed_lines,
    read_bytes,
)
from labelnext_adapters.files.content.item_ids import as_texts
from labelnext_adapters.files.content.marks import text_blocks
from labelnext_adapters.files.content.oddities import MOST, Oddities
from labelnext_adapters.files.json.columns import table_of_lines
from labelnext_adapters.files.json.float_ids import float_ids
from labelnext_adapters.files.json.records import table_of_records
from labelnext_adapters.files.json.roles import UNKNOWN, Roles
from labelnext_adapters.files.tables.csv_rows import Dialect, Ragged, parsed_rows
from labelnext_adapters.files.tables.header import (
    DELIMITERS,
    LONGEST_LINE,
    NUMBER,
    check_header,
    n_comments_above,
    values_of,
)
from labelnext_adapters.files.tables.printed import printed_by, with_tabs
from labelnext_adapters.files.tables.text_numbers import NOTHING, as_numbers

_SAMPLED = 2000
_START = 1 << 18  # bytes of the sample


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


def read_csv(
    path: Path,
    roles: Roles = UNKNOWN,
    *,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
) -> Rows:
    """A CSV file: comma, semicolon, tab or bar between values, decimal point or comma.

    Numbers are read as such only in columns of nothing else; ids and names stay as they are.

    Args:
        path: of the file.
        roles: of the columns; ids and names stay text, whatever they look like.
        delimiter: between values; from the first lines when None.
        decimal: `.` or `,`; from the first lines when None.
        encoding: of the file; UTF-8, or what its byte order mark says, when None.

    Raises:
        InvalidInput: if the file is empty, not text, or its lines differ in length or are too long.
    """
    blocks = partial(text_blocks, path)
    start = _start(byte_blocks(path))
    if encoding is not None or start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in start[:4096]:
        data = decoded(read_bytes(path), encoding).encode("utf-8")
        blocks, start = partial(iter, [data]), _start(iter([data]))
    lines = _first_lines(path, start)
    n_comments = n_comments_above(lines)
    n_above = 1 + n_comments  # lines above the rows
    del lines[:n_comments]
    if delimiter in (None, " ") and (split := printed_by(lines)):
        text, n_above = with_tabs(decoded(read_bytes(path), encoding), split, n_comments)
        blocks, delimiter = partial(iter, [text.encode("utf-8")]), "\t"
        lines = [line for line in text.splitlines() if line]
    if lines and (stated := re.fullmatch(r'"?sep=(.)"?', lines[0].strip("\r\n"))):
        n_above, delimiter = n_above + 1, delimiter or stated[1]  # Excel's first line
        lines.pop(0)
    dialect = _dialect(lines, delimiter, decimal)
    sample = values_of(lines[:_SAMPLED], dialect.delimiter)
    header = [name.strip() for name in sample[0]] if sample else []
    sample = [row for row in sample[1:] if [value.strip() for value in row] != header]
    check_header(header, sample)
    numeric = _number_columns(header, sample, roles, dialect.decimal)
    kinds = {name: pa.float64() if name in numeric else pa.string() for name in header}
    ragged = Ragged(len(header), dialect, n_above)
    read = partial(parsed_rows, blocks, header=header, n_above=n_above, dialect=dialect)
    try:
        table = read(kinds=kinds)
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error) or "utf8" in str(error).lower():
            decoded(read_bytes(path))
        rows = _careful(partial(read, ragged=ragged), header, ragged, blocks)
        comma = dialect.decimal == ","
        table, odd = as_numbers(rows.table, numeric, roles, rows.place, comma=comma)
        return replace(rows, table=table, notices=[*rows.notices, *odd])
    return _without_headers(Rows(table, [], ragged.place))


def _careful(
    read: Callable[..., pa.Table],
    header: Sequence[str],
    ragged: Ragged,
    blocks: Callable[[], Iterator[bytes]],
) -> Rows:
    """The rows as texts, without those of another length than the header."""
    table = read(kinds=dict.fromkeys(header, pa.string()))
    ragged.refuse_cut_off(table.num_rows, blocks)
    odd = Oddities("row", seen=table.num_rows)
    ragged.leave_out(odd)
    return _without_headers(Rows(table, odd.notices(), ragged.place))


def _without_headers(rows: Rows) -> Rows:
    """The rows but for those that are the header again, as where files were put together."""
    again: Any = True
    for name in rows.table.column_names:
        column = rows.table.column(name)
        if not pa.types.is_string(column.type):
            if not NUMBER.match(name):
                return rows
            same = pc.equal(column, float(name.replace(",", ".")))
        else:
            same = pc.equal(pc.utf8_trim_whitespace(column), name)
        again = pc.and_(again, pc.fill_null(same, False))
        if not pc.any(again).as_py():
            return rows
    headers = np.flatnonzero(again.to_numpy(zero_copy_only=False))
    kept = np.setdiff1d(np.arange(rows.table.num_rows), headers)
    message = (
        f"Left out {counted(len(headers), 'line')} with the names of the columns again: "
        f"{listed(map(rows.place, headers.tolist()))}."
    )
    return Rows(
        rows.table.take(pa.array(kept)),
        [*rows.notices, Notice("left_out", message)],
        lambda row: rows.place(int(kept[row])),
    )


def _start(blocks: Iterator[bytes]) -> bytes:
    """The sample of a file and a byte more, or as much more as the first line takes."""
    file = file_of(blocks)
    start = file.read(_START + 1)
    return start if b"\n" in start or b"\r" in start else start + file.read(LONGEST_LINE - _START)


def _first_lines(path: Path, start: bytes) -> list[str]:
    """The whole lines of the beginning of a file, which has a byte more if the file goes on.

    Raises:
        InvalidInput: if it is empty, or no text.
    """
    if not start.strip():
        raise InvalidInput("the file must not be empty.")
    sampled = _START if len(start) <= _START + 1 else LONGEST_LINE
    more, start = len(start) > sampled, start[:sampled]
    try:
        text = start.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not more or error.start < sampled - 4:
            decoded(read_bytes(path))  # says where
        text = start[: error.start].decode("utf-8-sig")
    lines = text.splitlines()
    return lines[:-1] if more and len(lines) > 1 else lines


def _dialect(lines: Sequence[str], delimiter: str | None, decimal: str | None) -> Dialect:
    """The delimiter of the header; a decimal comma where numbers have one."""
    if delimiter is None:
        head = lines[0] if lines else ""
        counts = {sign: head.count(sign) for sign in DELIMITERS}
        delimiter = max(DELIMITERS, key=lambda sign: counts[sign])
    if decimal is None:
        rows = values_of(lines[1:200], delimiter)
        columns = [
            [value.strip() for value in column] for column in zip_longest(*rows, fillvalue="")
        ]
        whole = r"[01]" if delimiter == "," else r"\d+"  # in quotes it may group thousands
        commas = [_matching(rf"[+-]?{whole},\d+", column) for column in columns]
        points = [_matching(r"[+-]?\d+\.\d+", column) for column in columns]
        if delimiter == "," and any(points):
            return Dialect(_one_sign(delimiter), ".")
        # Other columns, such as versions, may have points; one odd number doesn't decide.
        comma = any(map(operator.gt, commas, points))
        return Dialect(_one_sign(delimiter), "," if comma else ".")
    if decimal not in (".", ",") or delimiter == decimal:
        raise InvalidInput(
            "delimiter must be one character, and decimal a point or a comma that isn't the "
            f"delimiter; got {delimiter!r} and {decimal!r}."
        )
    return Dialect(_one_sign(delimiter), decimal)  # type: ignore[arg-type]  # checked above


def _matching(pattern: str, values: Iterable[str]) -> int:
    return sum(bool(re.fullmatch(pattern, value.strip())) for value in values)


def _one_sign(delimiter: str) -> str:
    if len(delimiter) != 1:
        raise InvalidInput(f"delimiter must be one character; got {delimiter!r}.")
    return delimiter


def _number_columns(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    roles: Roles,
    decimal: str,
) -> set[str]:
    """The columns whose sampled values are all numbers, but for those that are text."""
    foreign = "," if decimal == "." else "\0"  # of thousands
    numeric = set()
    for index, name in enumerate(header):
        if roles.is_text(name):
            continue
        values = [row[index].strip() for row in rows if index < len(row)]
        given = [value for value in values if value.lower() not in NOTHING]
        numbers = sum(bool(NUMBER.match(value)) and foreign not in value for value in given)
        if given and numbers >= MOST * len(given):
            numeric.add(name)
    return numeric


def read_jsonl(path: Path, roles: Roles = UNKNOWN) -> Rows:
    """A JSON object on each line.

    Where not all lines have the types of the first ones, each is looked at by itself.

    Args:
        path: of the file.
        roles: of the columns; ids and names are text or whole numbers.

    Raises:
        InvalidInput: if the file is empty or not JSON.
    """
    if (table := table_of_lines(path)) is not None and not _has_float_ids(table, roles):
        return Rows(table, [], lambda row: f"line {row + 1}")
    text = decoded(read_bytes(path))
    records = _records_of(text)
    if (name := float_ids((one for _, one in records), roles)) is not None:
        records = _records_of(as_texts(name, text))
    rows = Rows(*table_of_records(records, roles))
    return rows if name is None else with_float_ids(rows, name)


def with_float_ids(rows: Rows, name: str) -> Rows:
    """The rows with a notice that ids under this key were floats."""
    message = f"Floats under {name} are ids, and were read as they are written: 1.0 isn't 1."
    return replace(rows, notices=[*rows.notices, Notice("ids", message)])


def _records_of(text: str) -> list[tuple[str, Any]]:
    """The records of a list or of lines, each with its place."""
    whole = parsed_lines(text) if text.lstrip()[:1] == "[" else []
    records = [(f"record {n}", one) for n, one in enumerate(whole, 1)]
    return records or [(f"line {n}", v) for n, v in json_lines(text)]


def _has_float_ids(table: pa.Table, roles: Roles) -> bool:
    """Whether ids are written as floats, of which each has several texts."""
    name = roles.id_among(table.column_names)
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
