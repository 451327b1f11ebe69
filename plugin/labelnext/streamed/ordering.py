"""The exact order of scores that do not fit into memory: a sort on disk, by DuckDB."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelnext.errors import InvalidInput, MissingExtra, WriteFailed, listed
from labelnext.streamed.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 500_000
_MEMORY = "400MB"  # with what Python holds, a run of 100 million rows stays below 1 GiB
_THREADS = 4  # each needs room of its own
_COLUMNS = ("item_id", "score", "utility")


def ordered(
    store: Store, names: Sequence[str], *, integers: bool, folder: Path, memory: str = _MEMORY
) -> Iterator[pa.Table]:
    """All scored candidates, the next to label first: by utility, then by id as in memory.

    Args:
        store: of the scores.
        names: of its files with item_id, score and utility; null utilities are left out.
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
        "threads": min(os.cpu_count() or 1, _THREADS),
        "temp_directory": str(folder),
        "preserve_insertion_order": False,
    }
    with duckdb.connect(config=settings) as base:
        scores = _Scores(base, store, names)
        # Ids are sorted by their bytes, which in UTF-8 is the order of code points.
        tie = "item_id::HUGEINT, item_id" if integers else "item_id"
        try:
            _check_distinct(scores)
            found = scores.query(
                "SELECT item_id, score FROM scores WHERE utility IS NOT NULL "
                f"ORDER BY utility DESC, {tie}"
            )
            yield from _in_files(found.to_arrow_reader(_ROWS))
        except duckdb.ConversionException as error:
            raise InvalidInput("integer item_ids must have at most 38 digits.") from error
        except duckdb.Error as error:
            raise WriteFailed(
                f"the scores could not be sorted: {str(error).splitlines()[0]}",
                hint=f"make room in {str(folder)!r}, then resume; the scores are kept.",
            ) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)


class _Scores:
    """Files of scores, as a table that DuckDB can be asked about.

    Args:
        base: a connection to DuckDB.
        store: of the files.
        names: of the files.
    """

    def __init__(self, base: Any, store: Store, names: Sequence[str]) -> None:
        self._base, self._store, self._names = base, store, names

    def query(self, text: str) -> Any:
        """What a query of the table `scores` finds."""
        paths = [self._store.path(name) for name in self._names]
        if self._store.local and not any(sign in self._store.root for sign in "*?["):
            # DuckDB reads with all its threads, and within its memory.
            found = self._base.read_parquet(paths, hive_partitioning=False)
        else:
            import pyarrow as pa

            kinds = zip(_COLUMNS, (pa.string(), pa.float64(), pa.float64()), strict=True)
            batches = self._batches(paths)
            found = self._base.from_arrow(
                pa.RecordBatchReader.from_batches(pa.schema([*kinds]), batches)
            )
        return found.query("scores", text)

    def _batches(self, paths: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """File after file: a dataset would read so many ahead that it holds more than the sort."""
        import pyarrow.parquet as pq

        for path in paths:
            table = pq.read_table(path, columns=[*_COLUMNS], filesystem=self._store.files)
            yield from table.replace_schema_metadata().to_batches()


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


def _check_distinct(scores: _Scores) -> None:
    """Ids are told apart by their hashes, which take a fraction of the room."""
    alike = scores.query(
        "SELECT hash(item_id) AS h FROM scores GROUP BY h HAVING count(*) > 1 ORDER BY h LIMIT 100"
    ).fetchall()
    if not alike:
        return
    among = ", ".join(str(row[0]) for row in alike)
    twice = scores.query(
        f"SELECT item_id FROM scores WHERE hash(item_id) IN ({among}) "
        "GROUP BY item_id HAVING count(*) > 1 ORDER BY item_id LIMIT 6"
    ).fetchall()
    if twice:
        names: Sequence[str] = [row[0] for row in twice]
        raise InvalidInput(
            f"item_ids must be distinct; got ids more than once: {listed(names, 5)}."
        )
