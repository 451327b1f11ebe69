"""Parts are read as the whole pool is: shards of the Hugging Face Hub, and mappings of scores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from labelnext.adapter.registry import open_adapter
from labelnext.runs.run import run
from tests.unit.files.reading import order

FEATURES = {
    "label": {"names": ["cat", "dog"], "_type": "ClassLabel"},
    "image": {"_type": "Image"},
    "scores": {"feature": {"dtype": "float64", "_type": "Value"}, "_type": "Sequence"},
}


HUB_ROWS: list[dict[str, Any]] = [
    {"label": label, "image": {"bytes": b"x", "path": f"{n}.jpg"}, "scores": [p, 1 - p]}
    for n, (label, p) in enumerate([(-1, 0.875), (1, 0.5), (-1, 0.75), (-1, 0.625), (0, 0.25)])
]


def hub(path: Path, rows: Sequence[dict[str, Any]], own: Sequence[str] = ()) -> None:
    features = {name: {"dtype": "string", "_type": "Value"} for name in own} | FEATURES
    table = pa.Table.from_pylist(list(rows))
    stored = json.dumps({"info": {"features": features}}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    pa.parquet.write_table(table.replace_schema_metadata({b"huggingface": stored}), path)


@pytest.mark.parametrize("key", [None, "image.path", "image", "id", "numbers"])
def test_shards_of_the_hub_are_the_same_as_one_file(tmp_path: Path, key: str | None) -> None:
    own = ["id"] if key == "id" else []
    rows = [{**row, **dict.fromkeys(own, f"0{n}")} for n, row in enumerate(HUB_ROWS)]
    if key == "numbers":
        rows = [{name: v for name, v in row.items() if name != "image"} for row in rows]
        key = None
        names = "{}"
    else:
        names = "0{}" if key == "id" else "{}.jpg"
    hub(tmp_path / "one.parquet", rows, own)
    hub(tmp_path / "many/train-00000-of-00002.parquet", rows[:3], own)
    hub(tmp_path / "many/train-00001-of-00002.parquet", rows[3:], own)
    options: dict[str, Any] = {"columns": {"probabilities": "scores"}}
    if key is not None:
        options["columns"]["item_id"] = key

    def opened(path: str) -> Any:
        return open_adapter("files", directory=tmp_path, path=path, **options)

    one, many = opened("one.parquet").read(), opened("many").read()
    parts = [opened("many").read_part(part) for part in opened("many").parts()]
    expected = [names.format(n) for n in range(5)]
    assert one.item_ids.tolist() == many.item_ids.tolist() == expected
    assert [name for _, ids in parts for name in ids.to_pylist()] == expected
    assert one.classes == many.classes == ("cat", "dog")
    assert one.labels.tolist() == many.labels.tolist() == [-1, 1, -1, -1, 0]
    assert [pool.classes for pool, _ in parts] == [("cat", "dog")] * 2
    assert [label for pool, _ in parts for label in pool.labels.tolist()] == [-1, 1, -1, -1, 0]
    assert order(one) == order(many) == [expected[n] for n in (3, 2, 0)]
    config = tmp_path / "labelnext.yaml"
    source = {"adapter": "files", "path": "many", **options}
    config.write_text(json.dumps({"source": source, "write": {"output": "ranking"}}), "utf-8")
    run(config)
    ranking = pyarrow.parquet.read_table(next((tmp_path / "ranking").rglob("part-*.parquet")))
    assert ranking.column("item_id").to_pylist() == order(one)


ONE = [{"a": 0.25}, {"b": 0.875}]


SURE = [{"a": 1.0}, {"b": 1.0}]


LISTS = [{"a": 0.5, "b": 0.25}, {"b": 0.625, "c": 0.25}]


@pytest.mark.parametrize(
    "parts",
    [(ONE, LISTS), (LISTS, ONE), (ONE, SURE), (SURE, ONE), (SURE, LISTS), ([None], ONE)],
    ids=["one, lists", "lists, one", "one, sure", "sure, one", "sure, lists", "none, one"],
)
def test_parts_are_read_as_the_whole_pool_is(tmp_path: Path, parts: Sequence[Any]) -> None:
    shares = pa.struct([(name, pa.float64()) for name in "abc"])
    tables = [
        pa.table(
            {
                "item_id": [f"{number}{row}" for row in range(len(rows))],
                "probabilities": pa.array(rows, shares),
            }
        )
        for number, rows in enumerate(parts)
    ]
    (tmp_path / "many").mkdir()
    for number, table in enumerate(tables):
        pa.parquet.write_table(table, tmp_path / "many" / f"{number}.parquet")
    pa.parquet.write_table(pa.concat_tables(tables), tmp_path / "one.parquet")
    one: Any = open_adapter("files", directory=tmp_path, path="one.parquet")
    many: Any = open_adapter("files", directory=tmp_path, path="many")
    whole = one.read()
    pools = [many.read_part(part)[0] for part in many.parts()]
    assert [bool(pool.answers) for pool in pools] == [bool(whole.answers)] * 2
    if whole.answers:
        told = [value for pool in pools for value in pool.answers[0].confidences.tolist()]
        assert told == whole.answers[0].confidences.tolist()
    else:
        rows = [pool.probabilities for pool in pools]
        np.testing.assert_array_equal(np.concatenate(rows), whole.probabilities)
