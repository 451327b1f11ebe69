"""Ranking files: JSONL, CSV or Parquet."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from labelnext.errors import ConfigError
from labelnext.support.files import write_atomically

FORMATS = (".jsonl", ".csv", ".parquet")


def ranking_format(path: Path) -> str:
    """The format of a ranking file, from its extension.

    Raises:
        ConfigError: if the extension is unknown.
    """
    if path.suffix.lower() not in FORMATS:
        raise ConfigError(f"output must end in one of {', '.join(FORMATS)}; got {str(path)!r}.")
    return path.suffix.lower()


def write_ranking(
    path: Path, rows: list[dict[str, Any]], *, ready: Callable[[Path], object] | None = None
) -> None:
    """Write ranked rows atomically: readers see either the old file or the new one.

    Args:
        path: ends in .jsonl, .csv or .parquet.
        rows: with item_id, rank, priority, score and batch.
        ready: called with the complete temporary file, before it takes the earlier one's place.

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

        table = pa.Table.from_pylist(rows, schema=_schema())
        if kind == ".csv":
            import pyarrow.csv

            pyarrow.csv.write_csv(table, file)
        else:
            import pyarrow.parquet

            pyarrow.parquet.write_table(table, file)

    write_atomically(path, write, ready=ready)


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
