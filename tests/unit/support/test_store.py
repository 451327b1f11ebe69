"""Files in a store: what a table is packed with."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labelnext.errors import InvalidInput
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


@pytest.mark.parametrize("packed", [False, True])
def test_columns_of_an_arrow_file_are_read_alone(tmp_path: Path, packed: bool) -> None:
    store, names = Store(tmp_path), pa.array(["a", "b", "a"]).dictionary_encode()
    table = pa.table({"n": [1, 2, None], "name": names, "x": [0.5, 1.5, 2.5]})
    store.write_rows("one.arrow", table, packed=packed)
    assert store.read_columns("one.arrow").equals(table)
    assert store.read_columns("one.arrow", ["x", "name"]).equals(table.select(["x", "name"]))
    store.write_rows("none.arrow", table.slice(0, 0), packed=packed)
    assert store.read_columns("none.arrow", ["n"]).equals(table.slice(0, 0).select(["n"]))
    content = (tmp_path / "one.arrow").read_bytes()
    (tmp_path / "one.arrow").write_bytes(content[: len(content) // 2])
    with pytest.raises(InvalidInput, match="must be as labelnext wrote it"):
        store.read_columns("one.arrow", ["x"])
