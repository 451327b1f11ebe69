"""Damaged and odd files: a pool or a clear error, never anything else."""

from __future__ import annotations

import io
import json
import os
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labelnext import rank
from labelnext.adapter.registry import open_adapter
from labelnext.errors import LabelnextError

ODD: list[Any] = [
    None, True, False, 0, -1, 7, 1.5, -0.5, 1e308, float("nan"), float("inf"), 10**30, "", "a",
    "007", "1e5", "nan", "\0", [], [None], [1], ["a"], {}, {"a": 1}, {"a": {"b": []}}, [[[]]],
]  # fmt: skip
ROWS: list[dict[str, Any]] = [
    {"item_id": f"i{i}", "probabilities": {"a": 0.25, "b": 0.75}, "label": "a", "group": "g"}
    for i in range(12)
]
FOUND: list[dict[str, Any]] = [
    {"item_id": f"i{i}", "objects": [{"confidence": 0.5, "class": "a", "box": [0, 0, 0.5, 1]}]}
    for i in range(12)
]
COCO: list[dict[str, Any]] = [
    {"image_id": i % 3, "category_id": 1 + i % 2, "bbox": [1, 1, 4, 4], "score": 0.5}
    for i in range(12)
]
IMAGES: dict[str, Any] = {
    "images": [{"id": i, "file_name": f"{i}.jpg", "width": 10, "height": 10} for i in range(3)],
    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
}
SETTINGS = settings(
    max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def outcome(name: str, content: bytes, images: bytes | None = None) -> str:
    """Read and rank a file: "ranked", or the error in words."""
    with TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(content)
        options: dict[str, Any] = {}
        if images is not None:
            (Path(folder) / "images.json").write_bytes(images)
            options["images"] = "images.json"
        try:
            adapter = open_adapter("files", directory=Path(folder), path=name, **options)
            pool = adapter.read()  # type: ignore[attr-defined]  # of the files adapter
            ranking = rank(pool)
        except LabelnextError as error:
            return error.message or "an error without a message"
        assert len(set(ranking.item_ids.tolist())) == len(ranking.item_ids)
        assert not set(ranking.item_ids.tolist()) - set(pool.item_ids.tolist())
        return "ranked"


@st.composite
def changed(draw: st.DrawFn, original: Any) -> Any:
    """A copy of a JSON value with some of its parts replaced, removed or doubled."""
    value = json.loads(json.dumps(original))
    for _ in range(draw(st.integers(1, 3))):
        holder, key = value, None
        while isinstance(holder, dict | list) and holder and (key is None or draw(st.booleans())):
            place = (
                draw(st.sampled_from(sorted(holder)))
                if isinstance(holder, dict)
                else draw(st.integers(0, len(holder) - 1))
            )
            if key is not None and not isinstance(holder[place], dict | list):
                key = place
                break
            key = place
            if isinstance(holder[place], dict | list) and holder[place] and draw(st.booleans()):
                holder, key = holder[place], None
            else:
                break
        if key is None:
            continue
        how = draw(st.integers(0, 3))
        if how == 0:
            del holder[key]
        elif how == 1 and isinstance(holder, list):
            holder.append(holder[key])
        else:
            holder[key] = draw(st.sampled_from(ODD))
    return value


@pytest.mark.parametrize("name", ["p.jsonl", "p.json", "found.jsonl"])
def test_json_of_odd_values(name: str) -> None:
    original = FOUND if name == "found.jsonl" else ROWS

    @SETTINGS
    @given(changed(original))
    def check(records: Any) -> None:
        if name == "p.json":
            text = json.dumps(records)
        else:
            text = "\n".join(map(json.dumps, records if isinstance(records, list) else [records]))
        outcome(name, text.encode())

    check()


@SETTINGS
@given(changed(COCO), changed(IMAGES), st.integers(0, 2))
def test_coco_of_odd_values(records: Any, images: Any, which: int) -> None:
    results = json.dumps(COCO if which == 0 else records).encode()
    listing = json.dumps(IMAGES if which == 1 else images).encode()
    outcome("r.json", results, listing)
    if which == 2:
        outcome("r.json", results)


@SETTINGS
@given(st.data())
def test_csv_of_odd_values(data: st.DataObject) -> None:
    rows = [
        ["item_id", "p_a", "p_b", "label"],
        *([f"i{i}", "0.25", "0.75", "a"] for i in range(12)),
    ]
    for _ in range(data.draw(st.integers(1, 4))):
        row = data.draw(st.integers(0, len(rows) - 1))
        column = data.draw(st.integers(0, 3))
        cell = data.draw(
            st.sampled_from(["", "x", "1e400", "-", '"', "\n", "nan", "0,5", "9" * 40])
        )
        rows[row][column] = cell
    sign = data.draw(st.sampled_from(",;\t"))
    outcome("p.csv", "\n".join(sign.join(row) for row in rows).encode())


@cache
def _binary(kind: str) -> bytes:
    table, out = pa.Table.from_pylist([*ROWS, {**ROWS[0], "item_id": "last"}]), io.BytesIO()
    if kind == "parquet":
        pa.parquet.write_table(table, out)
    elif kind == "feather":
        pa.feather.write_feather(table, out)
    elif kind == "npz":
        np.savez(out, item_ids=["a", "b"], probabilities=[[0.5, 0.5], [0.9, 0.1]])
    elif kind == "csv":
        out.write(b"item_id,p_a,p_b\n" + b"".join(f"i{i},0.25,0.75\n".encode() for i in range(30)))
    elif kind == "jsonl":
        out.write("\n".join(map(json.dumps, ROWS)).encode())
    else:
        out.write(json.dumps(COCO).encode())
    return out.getvalue()


@pytest.mark.parametrize("kind", ["parquet", "feather", "npz", "csv", "jsonl", "json"])
def test_damaged_bytes(kind: str) -> None:
    original = _binary(kind)

    def damaged(seed: int) -> bytes:
        rng = random.Random(seed)
        content = bytearray(original)
        damage: list[Callable[[], None]] = [
            lambda: content.__delitem__(slice(rng.randrange(len(content)), None)),
            lambda: content.__setitem__(rng.randrange(len(content)), rng.randrange(256)),
            lambda: content.extend(content[: rng.randrange(len(content))]),
            lambda: content.__delitem__(rng.randrange(len(content))),
        ]
        for _ in range(rng.randint(1, 3)):
            if len(content) > 8:
                rng.choice(damage)()
        return bytes(content)

    for seed in range(60):
        outcome(f"p.{kind}", damaged(seed))


def test_an_untouched_file_of_each_kind_is_ranked() -> None:
    for kind in ("parquet", "feather", "npz", "csv", "jsonl", "json"):
        assert outcome(f"p.{kind}", _binary(kind)) == "ranked", kind
    listing = json.dumps(IMAGES).encode()
    assert outcome("r.json", json.dumps(COCO).encode(), listing) == "ranked"
    assert os.sep not in outcome("p.csv", b"a\n1\n").split(":")[0]
