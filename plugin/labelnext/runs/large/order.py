"""Scores that do not fit into memory: their order, and a table of them to ask DuckDB about."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, MissingExtra, WriteFailed, listed
from labelnext.runs.large.part import kept_scores
from labelnext.runs.large.part_findings import REPORTED
from labelnext.selection.sorting import stable_order
from labelnext.support.started import how_to_install
from labelnext.support.store import Store
from labelnext.support.threads import n_threads

if TYPE_CHECKING:
    import pyarrow as pa

#: What is ordered: all, the batch alone, or the batch with approximate ranks of all others.
Order = Literal["all", "batch", "approximate"]

_ROWS = 500_000
_MEMORY = "400MB"  # with what Python holds, a run of 100 million rows stays below 1 GiB
_THREADS = 4  # each needs room of its own
_MOST_DIGITS = 38


@contextmanager
def opened_scores(
    store: Store,
    names: Sequence[str],
    *,
    integers: bool,
    folder: Path,
    memory: str = _MEMORY,
) -> Iterator[Scores]:
    """All scores of a pool, as a table that DuckDB can be asked about and sort.

    Args:
        store: of the scores.
        names: of its files.
        integers: every id is an integer, so that ties go by integer value, not by code point.
        folder: for what does not fit into memory; its files go with the connection.
        memory: what a query may use before it goes to disk.

    Raises:
        MissingExtra: if DuckDB is not installed.
        InvalidInput: if an integer has more than 38 digits.
        WriteFailed: if memory and disk are not enough for a query.
    """
    duckdb = required_duckdb()
    folder.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = {
        "memory_limit": memory,
        "threads": min(n_threads(), _THREADS),
        "temp_directory": str(folder),
        "preserve_insertion_order": False,
    }
    with duckdb.connect(config=settings) as base:
        try:
            yield Scores(base, store, names, integers)
        except duckdb.Error as error:
            if integers and isinstance(error, duckdb.ConversionException):
                raise InvalidInput("integer item_ids must have at most 38 digits.") from error
            raise WriteFailed(
                f"the scores could not be sorted: {str(error).splitlines()[0]}",
                hint=f"free some space in {str(folder)!r}, then resume; the scores are kept.",
            ) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def in_exact_order(items: pa.Table, *, integers: bool) -> pa.Table:
    """Items by utility, the highest first, and by id where utilities are equal.

    Args:
        items: with item_id and utility, of which none is null.
        integers: ids go by their integer values, not by code point.

    Raises:
        InvalidInput: if an integer has more than 38 digits.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    items = items.combine_chunks()  # of which rows are taken in half the time
    utilities = items.column("utility").to_numpy()
    order = stable_order(utilities)
    utilities = utilities[order]
    alike = utilities[1:] == utilities[:-1]
    if alike.any():
        tied = np.flatnonzero(np.append(alike, False) | np.append(False, alike))
        ids = items.column("item_id").take(pa.array(order[tied]))
        keys = {"utility": utilities[tied], "number": _numbers(ids) if integers else ids, "id": ids}
        by = [("utility", "descending"), ("number", "ascending"), ("id", "ascending")]
        order[tied] = order[tied][pc.sort_indices(pa.table(keys), sort_keys=by).to_numpy()]
    return items.take(pa.array(order))


def _numbers(ids: Any) -> Any:
    """Ids as numbers of 38 digits."""
    import pyarrow as pa

    try:
        return ids.cast(pa.decimal128(_MOST_DIGITS))
    except pa.ArrowInvalid as error:
        raise InvalidInput(f"integer item_ids must have at most {_MOST_DIGITS} digits.") from error


def hashes(ids: pa.ChunkedArray) -> NDArray[np.uint64]:
    """DuckDB's hash of each id, the same in every run."""
    import pyarrow as pa

    with _in_memory().cursor() as base:  # a new connection takes ten times as long
        base.register("ids", pa.table({"item_id": ids}))
        hashed = base.sql("SELECT hash(item_id) AS hash FROM ids").to_arrow_table()
    of_ids: NDArray[np.uint64] = hashed.column("hash").to_numpy()
    return of_ids


def among(ids: pa.ChunkedArray, batch: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which ids of a part are in the batch, as booleans."""
    import pyarrow.compute as pc

    if len(batch) > len(ids):  # a table is made of what is looked for, so of the smaller one
        batch = batch.filter(pc.is_in(batch, ids.combine_chunks()))
    return pc.is_in(ids, batch.combine_chunks())


@cache
def _in_memory() -> Any:
    return required_duckdb().connect(config={"threads": 1})


def required_duckdb() -> Any:
    """The module duckdb.

    Raises:
        MissingExtra: if it is not installed.
    """
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtra(
            "a pool of many files needs the package duckdb, which is not installed.",
            hint=how_to_install("labelnext[large]"),
        ) from error
    return duckdb


class Scores:
    """Files of scores, as a table that DuckDB can be asked about.

    Args:
        base: a connection to DuckDB.
        store: of the files.
        names: of the files.
        integers: every id is an integer.

    Attributes:
        tie: what rows are sorted by where they are equal otherwise.
        integers: as given.
    """

    def __init__(self, base: Any, store: Store, names: Sequence[str], integers: bool) -> None:
        self._base, self._store, self._names = base, store, names
        # Ids are sorted by their bytes, which in UTF-8 is the order of code points.
        self.tie = "item_id::HUGEINT, item_id" if integers else "item_id"
        self.integers = integers

    def add(self, name: str, table: pa.Table) -> None:
        """A further table for queries."""
        self._base.register(name, table)

    def rows(self, text: str) -> list[tuple[Any, ...]]:
        """The rows that a query of the table `scores` finds: few."""
        fetched: list[tuple[Any, ...]] = self._query(text).fetchall()
        return fetched

    def tables(self, text: str) -> Iterator[pa.Table]:
        """What a query finds, some hundred thousand rows at a time; a table of none for nothing."""
        return _in_files(self._query(text).to_arrow_reader(_ROWS))

    def check_distinct(self) -> None:
        """Refuse ids that are there twice; they are told apart by their hashes, in little room.

        Raises:
            InvalidInput: naming some.
        """
        alike = self.rows(
            "SELECT hash(item_id) AS h FROM scores "
            "GROUP BY h HAVING count(*) > 1 ORDER BY h LIMIT 100"
        )
        if alike:
            self.refuse_twice(f"hash(item_id) IN ({', '.join(str(row[0]) for row in alike)})")

    def refuse_twice(self, among: str) -> None:
        """Refuse ids that are there twice among those that meet a condition.

        Raises:
            InvalidInput: naming some.
        """
        twice = self.rows(
            f"SELECT item_id FROM scores WHERE {among} "
            "GROUP BY item_id HAVING count(*) > 1 ORDER BY item_id LIMIT 6"
        )
        if twice:
            names: Sequence[str] = [row[0] for row in twice]
            raise InvalidInput(
                f"item_ids must be distinct; got ids more than once: {listed(names, 5)}."
            )

    def _query(self, text: str) -> Any:
        import pyarrow as pa

        # DuckDB refuses lists of names that are all empty, which only the report looks at.
        kinds = self._read(self._names[0]).schema
        schema = pa.schema([field for field in kinds if field.name not in REPORTED])
        # File after file: a dataset would read so many ahead that it holds more than the sort.
        tables = (self._read(name, schema.names) for name in self._names)
        batches = (batch for table in tables for batch in table.to_batches())
        reader = pa.RecordBatchReader.from_batches(schema, batches)
        return self._base.from_arrow(reader).query("scores", text)

    def _read(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        return kept_scores(self._store, name, columns).replace_schema_metadata()


def _in_files(reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """The same rows, as many at a time as a file is to hold."""
    import pyarrow as pa

    taken = [pa.RecordBatch.from_pylist([], reader.schema)]
    for batch in reader:
        taken.append(batch)
        if sum(len(b) for b in taken) >= _ROWS:
            yield pa.Table.from_batches(taken)
            taken = []
    if taken:
        yield pa.Table.from_batches(taken)
