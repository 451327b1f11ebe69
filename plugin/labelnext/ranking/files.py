"""Ranking files: JSONL, CSV or Parquet."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

from labelnext.errors import ConfigError
from labelnext.support.files import write_atomically
from labelnext.support.started import from_here

FORMATS = (".jsonl", ".csv", ".parquet")
_FIRST_LINE = 100_000  # characters of a line that is looked at

# What spreadsheets may take for a formula, also behind the quote that keeps them from it.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")


def safe_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula: one that looks like it gets a quote before.

    Example:
        >>> safe_cell("=1+2"), safe_cell("'=1"), safe_cell("it's"), text_of_cell(safe_cell("=1+2"))
        ("'=1+2", "''=1", "it's", '=1+2')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def text_of_cell(cell: str) -> str:
    """The text that `safe_cell` made a cell of."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def ranking_format(path: Path) -> str:
    """The format of a ranking file, from its extension.

    Raises:
        ConfigError: if the extension is unknown.
    """
    if path.suffix.lower() not in FORMATS:
        raise ConfigError(
            f"output must end in one of {', '.join(FORMATS)}; got {from_here(str(path))!r}."
        )
    return path.suffix.lower()


def is_ranking(path: Path) -> bool:
    """Whether a file is empty or a ranking that `write_ranking` made, by its columns."""
    names: list[str] = _schema().names
    try:
        if path.suffix.lower() == ".parquet":
            import pyarrow as pa
            import pyarrow.parquet

            try:
                return bool(pyarrow.parquet.read_schema(path).names == names)
            except pa.ArrowException:
                return False
        with path.open(encoding="utf-8") as file:
            first = file.readline(_FIRST_LINE)
        if path.suffix.lower() == ".jsonl" and first.strip():
            return [*json.loads(first)] == names
    except (OSError, ValueError):  # also text that is none
        return False
    return not first.strip() or first.strip() == ",".join(f'"{name}"' for name in names)


def write_ranking(
    path: Path,
    rows: list[dict[str, Any]],
    *,
    excel_safe: bool = False,
    ready: Callable[[Path], object] | None = None,
) -> None:
    """Write ranked rows atomically: readers see either the old file or the new one.

    Args:
        path: ends in .jsonl, .csv or .parquet.
        rows: with item_id, rank, priority, score and batch.
        excel_safe: whether ids in a .csv file become texts that are no formula; see `safe_cell`.
        ready: called with the complete temporary file, before it takes the earlier one's place.

    Raises:
        ConfigError: if the extension is unknown.
        WriteFailed: if the disk is full, or the folder isn't writable.
    """
    write_rows(path, rows, _schema, excel_safe=excel_safe, ready=ready)


def write_rows(
    path: Path,
    rows: Iterable[dict[str, Any]],
    schema: Callable[[], Any],
    *,
    flat: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    excel_safe: bool = False,
    ready: Callable[[Path], object] | None = None,
    private: bool = False,
) -> None:
    """Write rows as JSON lines, or as a table in CSV or Parquet, atomically.

    Args:
        path: ends in .jsonl, .csv or .parquet.
        rows: JSON-able.
        schema: gives Arrow's schema of the table; called for tables alone.
        flat: makes the cells of a row of a table; None: they are the row's own.
        excel_safe: whether texts in a .csv file become such that are no formula; see `safe_cell`.
        ready: called with the complete temporary file, before it takes the earlier one's place.
        private: whether only this user may read a new file.

    Raises:
        ConfigError: if the extension is unknown.
        WriteFailed: if the disk is full, or the folder isn't writable.
    """
    kind = ranking_format(path)

    def write(file: IO[bytes]) -> None:
        if kind == ".jsonl":
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            return
        import pyarrow as pa

        cells = rows if flat is None else map(flat, rows)
        if excel_safe and kind == ".csv":
            cells = map(_without_formulas, cells)
        table = pa.Table.from_pylist([*cells], schema=schema())
        if kind == ".csv":
            import pyarrow.csv

            pyarrow.csv.write_csv(table, file)
        else:
            import pyarrow.parquet

            pyarrow.parquet.write_table(table, file)

    write_atomically(path, write, ready=ready, private=private)


def _without_formulas(row: dict[str, Any]) -> dict[str, Any]:
    # −0 would begin with a sign.
    plain = {name: cell + 0.0 if isinstance(cell, float) else cell for name, cell in row.items()}
    return {name: safe_cell(c) if isinstance(c, str) else c for name, c in plain.items()}


def _schema() -> Any:
    import pyarrow as pa

    return pa.schema(
        [
            ("item_id", pa.string()),
            ("rank", pa.int64()),
            ("priority", pa.float64()),
            ("score", pa.float64()),
            ("batch", pa.bool_()),
        ]
    )
