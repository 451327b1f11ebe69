"""Files in a store: what a table is packed with."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labelnext.support.store import Store

NAMES = pa.array(["cat", "dog"]).dictionary_encode()
TABLE = pa.table(
    {
        "item_id": ["a", "b"],
        "score": [0.5, None],
        "predicted": NAMES,
        "classes": pa.ListArray.from_arrays([0, 1, 2], NAMES),
        "rank": [1, 2],
    }
)


@pytest.mark.parametrize("table", [TABLE, TABLE.slice(0, 0)])
def test_table_is_read_as_it_was_written(tmp_path: Path, table: pa.Table) -> None:
    store = Store(str(tmp_path))
    store.write_table("one.parquet", table)
    assert store.read_table("one.parquet").equals(table)


def test_floats_are_not_compressed(tmp_path: Path) -> None:
    Store(str(tmp_path)).write_table("one.parquet", TABLE)
    group = pq.read_metadata(tmp_path / "one.parquet").row_group(0)
    columns = [group.column(n) for n in range(group.num_columns)]
    assert {column.path_in_schema: column.compression for column in columns} == {
        "item_id": "SNAPPY",
        "score": "UNCOMPRESSED",
        "predicted": "SNAPPY",
        "classes.list.element": "SNAPPY",
        "rank": "SNAPPY",
    }
