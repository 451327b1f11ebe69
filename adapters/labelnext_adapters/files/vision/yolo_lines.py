"""The numbers of many small text files, in one pass."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from labelnext_adapters.files.content.content import decoded

_BLOCK = 1 << 14  # bytes read at once, more than most files have
_NEWLINE = 10
_ONE_A_LINE = bytes.maketrans(b"\t\v\f\r ", b"\n" * 5)
_DECIMAL = re.compile(r"\d,\d+[ \t]+-?\d+,\d")
_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")


@dataclass(frozen=True)
class Lines:
    """The lines of many files that aren't empty.

    Attributes:
        files: shape (n_lines,), the position of each line's file.
        numbers: shape (n_lines,), its number in the file, from 1.
        starts: shape (n_lines,), where its values begin.
        widths: shape (n_lines,), how many values it has; 0 if it isn't all numbers.
        values: of all lines, one after another.
    """

    files: NDArray[np.int64]
    numbers: NDArray[np.int64]
    starts: NDArray[np.int64]
    widths: NDArray[np.int64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.files)

    def at(self, column: int | NDArray[np.int64], lines: NDArray[np.intp]) -> NDArray[np.float64]:
        """The value at a place of each of these lines, counted from the line's first."""
        values: NDArray[np.float64] = self.values[self.starts[lines] + column]
        return values


def spaced(text: str) -> str:
    """Numbers between commas or semicolons as numbers between spaces; decimal commas as points.

    Example:
        >>> spaced("0,0.5, 0.25"), spaced("0 0,5 0,25"), spaced("0;0,5;0,25")
        ('0 0.5  0.25', '0 0.5 0.25', '0 0.5 0.25')
    """
    text = text.replace(";", " ")
    if "," not in text:
        return text
    return text.replace(",", "." if _DECIMAL.search(text) else " ")


def contents_of(folder: Path, names: Sequence[str]) -> list[bytes]:
    """The bytes of files in a folder.

    Raises:
        OSError: if one can't be read.
    """
    contents = []
    place = os.open(folder, os.O_RDONLY)  # found once: a third of the time of Path.read_bytes
    try:
        for name in names:
            file = os.open(name, os.O_RDONLY, dir_fd=place)
            try:
                data = os.read(file, _BLOCK)
                while len(data) % _BLOCK == 0 and (more := os.read(file, _BLOCK)):
                    data += more
            finally:
                os.close(file)
            contents.append(data)
    finally:
        os.close(place)
    return contents


def numbers_of(contents: Sequence[bytes]) -> Lines:
    r"""The numbers of each line that isn't empty.

    Args:
        contents: of the files.

    Example:
        >>> lines = numbers_of([b"0 0.5\n1 0.25\n", b"", b"2 x"])
        >>> lines.files.tolist(), lines.widths.tolist(), lines.values.tolist()
        ([0, 0, 2], [2, 2, 0], [0.0, 0.5, 1.0, 0.25])
    """
    joined = b"\n".join(contents) + b"\n"
    signs = np.frombuffer(joined, dtype=np.uint8)
    if signs.max() > 127:  # a byte order mark, if they are numbers at all
        contents = [_plain(data) for data in contents]
        joined = b"\n".join(contents) + b"\n"
        signs = np.frombuffer(joined, dtype=np.uint8)
    if b"," in joined or b";" in joined:
        joined = spaced(joined.decode("latin-1")).encode("latin-1")
        signs = np.frombuffer(joined, dtype=np.uint8)
    apart = joined.translate(_ONE_A_LINE)
    spaces = np.frombuffer(apart, dtype=np.uint8) == _NEWLINE
    tokens = np.flatnonzero(spaces[:-1] > spaces[1:]) + 1
    if not spaces[0]:
        tokens = np.concatenate([[0], tokens])
    ends = np.flatnonzero(signs == _NEWLINE)
    until = np.searchsorted(tokens, ends)
    counts = np.diff(until, prepend=0)
    file_ends = np.cumsum([len(data) + 1 for data in contents])
    files = np.searchsorted(file_ends, ends, side="right")
    firsts = np.searchsorted(files, np.arange(len(contents)))
    numbers = np.arange(len(ends)) - firsts[np.minimum(files, len(contents) - 1)] + 1
    used = np.flatnonzero(counts)
    values = _values(apart, len(tokens))
    widths = counts[used]
    if values is None:
        lines = joined.split(b"\n")
        parsed = [_numbers(lines[i]) for i in used.tolist()]
        widths = np.array([len(row) for row in parsed], dtype=np.int64)
        values = np.array([value for row in parsed for value in row], dtype=np.float64)
    starts = np.concatenate([[0], np.cumsum(widths)])[:-1].astype(np.int64)
    return Lines(files[used], numbers[used], starts, widths, values)


def _values(text: bytes, n_values: int) -> NDArray[np.float64] | None:
    """One number a line; None if something else is among them."""
    if not n_values:
        return np.zeros(0)
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(text),
            read_options=pyarrow.csv.ReadOptions(column_names=["value"], block_size=1 << 22),
            parse_options=pyarrow.csv.ParseOptions(delimiter="\x01", quote_char=False),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={"value": pa.float64()}, null_values=[]
            ),
        )
    except pa.ArrowInvalid:
        return None
    if len(table) != n_values:
        return None
    values: NDArray[np.float64] = table.column(0).to_numpy()
    return values


def _numbers(line: bytes) -> list[float]:
    try:
        return [] if b"_" in line else [float(token) for token in line.split()]
    except ValueError:
        return []


def _plain(data: bytes) -> bytes:
    if not data.startswith(_MARKS):
        return data
    try:
        return decoded(data).encode("utf-8")
    except ValueError:  # its lines aren't numbers then, and are counted
        return data
