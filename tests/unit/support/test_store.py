"""Files in a store: what a table is packed with."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
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


def test_packed_floats_are_read_as_they_were_written(tmp_path: Path) -> None:
    largest = float(np.finfo(np.float32).max)
    columns = {
        "short": [0.5, None, -0.0, math.inf, -math.inf, largest],
        "long": [0.1, None, 1.0, 2.0, 3.0, 4.0],
        "far": [2 * largest, None, 1.0, 2.0, 3.0, 4.0],
        "nan": [math.nan, None, 1.0, 2.0, 3.0, 4.0],
    }
    table = pa.table(columns).replace_schema_metadata({"told": "once"})
    store = Store(str(tmp_path))
    store.write_rows("one.arrow", table, packed=True)
    with pa.ipc.open_file(tmp_path / "one.arrow") as file:
        kept = {field.name: str(field.type) for field in file.schema}
    assert kept == {"short": "float", "long": "double", "far": "double", "nan": "double"}
    for wanted in (None, ["short", "nan"]):
        read = store.read_columns("one.arrow", wanted)
        assert read.schema.equals(table.select(read.column_names).schema, check_metadata=True)
        for name in read.column_names:
            assert [*map(repr, read.column(name).to_pylist())] == [*map(repr, columns[name])]


def test_only_what_can_not_be_made_again_waits_for_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr("labelnext.support.files.sync_directory", lambda f: synced.append(f.name))
    store = Store(str(tmp_path))
    store.write_rows("scores/one.arrow", TABLE)
    store.write_table("ranking/one.parquet", TABLE)
    assert synced == ["ranking"]
