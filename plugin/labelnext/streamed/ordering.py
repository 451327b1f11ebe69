"""The exact order of scores that do not fit into memory: a sort on disk, by DuckDB."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelnext.errors import InvalidInput, MissingExtra, WriteFailed, listed

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 500_000


def ordered(
    scores: Any, *, integers: bool, folder: Path, memory: str = "2GB"
) -> Iterator[pa.Table]:
    """All scored candidates, the next to label first: by utility, then by id as in memory.

    Args:
        scores: a pyarrow dataset with item_id, score and utility; null utilities are left out.
        integers: every id is an integer, so that ties go by integer value, not by code point.
        folder: for what does not fit into memory; its files go with the connection.
        memory: what the sort may use before it goes to disk.

    Yields:
        Tables with item_id and score, of some hundred thousand rows.

    Raises:
        MissingExtra: if DuckDB is not installed.
        InvalidInput: if an id is there twice, or an integer has more than 38 digits.
        WriteFailed: if memory and disk are not enough for the sort.
    """
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtra(
            "a pool of many files needs the package duckdb, which is not installed.",
            hint="pip install 'labelnext[large]'",
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = {
        "memory_limit": memory,
        "temp_directory": str(folder),
        "preserve_insertion_order": False,
    }
    with duckdb.connect(config=settings) as base:
        base.register("scores", scores)
        # Ids are sorted by their bytes, which in UTF-8 is the order of code points.
        tie = "item_id::HUGEINT, item_id" if integers else "item_id"
        query = (
            "SELECT item_id, score FROM scores WHERE utility IS NOT NULL "
            f"ORDER BY utility DESC, {tie}"
        )
        try:
            _check_distinct(base)
            yield from _in_files(base.sql(query).to_arrow_reader(_ROWS))
        except duckdb.ConversionException as error:
            raise InvalidInput("integer item_ids must have at most 38 digits.") from error
        except duckdb.Error as error:
            raise WriteFailed(
                f"the scores could not be sorted: {str(error).splitlines()[0]}",
                hint=f"make room in {str(folder)!r}, then resume; the scores are kept.",
            ) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _in_files(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same rows, as many at a time as a file is to hold."""
    import pyarrow as pa

    taken: list[pa.RecordBatch] = []
    for batch in batches:
        taken.append(batch)
        if sum(len(b) for b in taken) >= _ROWS:
            yield pa.Table.from_batches(taken)
            taken = []
    if taken:
        yield pa.Table.from_batches(taken)


def _check_distinct(base: Any) -> None:
    twice = base.execute(
        "SELECT item_id FROM scores GROUP BY item_id HAVING count(*) > 1 ORDER BY 1 LIMIT 6"
    ).fetchall()
    if twice:
        names: Sequence[str] = [row[0] for row in twice]
        raise InvalidInput(
            f"item_ids must be distinct; got ids more than once: {listed(names, 5)}."
        )
