"""The rows of a CSV file as Arrow's columns, and those of another length than the first."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.csv

from labelnext.errors import InvalidInput
from labelnext.support.threads import arrow_threads
from labelnext.support.words import counted
from labelnext_adapters.files.content.content import file_of
from labelnext_adapters.files.content.oddities import Oddities
from labelnext_adapters.files.tables.header import LONGEST_LINE


@dataclass(frozen=True)
class Dialect:
    """How the values of a CSV file are separated and written.

    Attributes:
        delimiter: between values.
        decimal: of numbers.
    """

    delimiter: str
    decimal: Literal[".", ","]


class Ragged:
    """Leaves out the lines whose number of values isn't that of the header.

    Args:
        n_values: of the header.
        dialect: of the file.
        n_above: how many lines stand above the rows.
    """

    def __init__(self, n_values: int, dialect: Dialect, n_above: int) -> None:
        self._n_values, self._dialect, self._n_above = n_values, dialect, n_above
        self._lines: list[tuple[int, int, int]] = []  # number, values, lines that it swallowed

    def __call__(self, row: pyarrow.csv.InvalidRow) -> str:
        """What pyarrow does with such a line."""
        swallowed = row.text.rstrip("\n").count("\n")
        self._lines.append((row.number, row.actual_columns, swallowed))
        return "skip"

    def forget(self) -> None:
        """Begin again."""
        self._lines.clear()

    def place(self, row: int) -> str:
        """Where a row of the table stands in the file."""
        line = row + 1 + self._n_above
        for number, _, _ in self._lines:
            line += number <= line
        return f"line {line}"

    def refuse_cut_off(self, n_rows: int, blocks: Callable[[], Iterator[bytes]]) -> None:
        """Refuse a file that ends in the middle of a line: nobody knows what else is missing.

        Args:
            n_rows: how many lines could be read.
            blocks: of the file's bytes.
        """
        last = n_rows + len(self._lines) + self._n_above
        number, n_values, _ = self._lines[-1] if self._lines else (0, 0, 0)
        if number != last or n_values >= self._n_values:
            return
        if not deque(blocks(), 1)[-1].endswith((b"\n", b"\r")):
            raise InvalidInput(
                f"every line must have {counted(self._n_values, 'value')}, like the first; the "
                f"last, line {number}, has {n_values} and no end.",
                hint="the file may be cut off; write or copy it again.",
            )

    def leave_out(self, odd: Oddities) -> None:
        """Count the lines.

        Raises:
            InvalidInput: if they are too many, or one swallowed others: a quotation mark is open.
        """
        for number, _, swallowed in self._lines:
            if swallowed:
                raise InvalidInput(
                    f"every quotation mark must be closed; line {number} runs on over "
                    f"{counted(swallowed, 'more line')}.",
                    hint="write a quoted value's own marks twice.",
                )
        odd.seen += len(self._lines)
        for number, n_values, _ in self._lines:
            why = f"it must have {counted(self._n_values, 'value')}, like the first line"
            odd.leave_out(f"line {number}", "", f"{why}; got {n_values}")
        if odd.too_many:
            number, n_values, _ = self._lines[0]
            name = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars"}
            sign = name.get(self._dialect.delimiter, repr(self._dialect.delimiter))
            raise InvalidInput(
                f"every line must have {counted(self._n_values, 'value')}, like the first; "
                f"line {number} has {n_values} (read as separated by {sign}).",
                hint="remove what stands above the names of the columns."
                if self._n_values == 1
                else "put values that contain the delimiter in quotes, or set source.delimiter.",
            )


class _Quoted(Exception):
    """There is a quotation mark, so that a value may go over several lines."""


def parsed_rows(
    blocks: Callable[[], Iterator[bytes]],
    *,
    header: Sequence[str],
    kinds: Mapping[str, pa.DataType],
    dialect: Dialect,
    n_above: int,
    ragged: Ragged | None = None,
) -> pa.Table:
    """The rows as columns; those of another length are an error unless `ragged` takes them.

    Args:
        blocks: of the file's bytes, from the start at each call.
        header: names of the columns.
        kinds: types of the columns.
        dialect: of the file.
        n_above: how many lines stand above the rows.
        ragged: takes rows of another length.

    Raises:
        InvalidInput: if a row is too long.
        pa.ArrowInvalid: if a value isn't of the type of its column, or bytes are no UTF-8.
    """
    read = pyarrow.csv.ReadOptions(
        column_names=list(header),
        skip_rows=n_above,
        block_size=LONGEST_LINE,
        use_threads=ragged is None and arrow_threads(),  # with threads rows have no numbers
    )
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict(kinds),
        decimal_point=dialect.decimal,
        null_values=["", "NA", "N/A", "n/a", "nan", "NaN", "null", "NULL", "None", "#N/A"],
    )

    def parsed(file: io.BufferedReader, quoted: bool) -> pa.Table:
        parse = pyarrow.csv.ParseOptions(
            delimiter=dialect.delimiter, newlines_in_values=quoted, invalid_row_handler=ragged
        )
        return pyarrow.csv.read_csv(file, read, parse, convert)

    try:
        try:
            return parsed(file_of(_unquoted(blocks())), quoted=False)
        except _Quoted:  # takes longer: where a row ends depends on all before it
            if ragged is not None:
                ragged.forget()
            return parsed(file_of(blocks()), quoted=True)
    except pa.ArrowInvalid as error:
        short = sum(len(name.encode()) + 1 for name in header) < LONGEST_LINE
        if "Could not skip initial" in str(error) and short:
            raise InvalidInput(
                "the file must have rows below its header; it ends before the header's line does."
            ) from error
        if short and "straddling" not in str(error):
            raise
        raise InvalidInput(
            f"every line must have at most {LONGEST_LINE:,} bytes; one is longer.",
            hint="a quotation mark may be open: write a quoted value's own marks twice.",
        ) from error


def _unquoted(blocks: Iterator[bytes]) -> Iterator[bytes]:
    for block in blocks:
        if b'"' in block:
            raise _Quoted
        yield block
