"""Damaged and odd files: a pool or a clear error, never anything else."""

from __future__ import annotations

import copy
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

from labelnext import Pool
from labelnext.adapter.registry import open_adapter
from labelnext.errors import LabelnextError
from tests.formats import told
from tests.formats.tally import Tally

TALLY = Tally()  # of the tests that count nothing

ODD: list[Any] = [
    None, True, False, 0, -1, 7, 1.5, -0.5, 1e308, float("nan"), float("inf"), 10**30, "", "a",
    "007", "1e5", "nan", "\0", [], [None], [1], ["a"], {}, {"a": 1}, {"a": {"b": []}}, [[[]]],
]  # fmt: skip
SHARES = [0.25, 0.125, 0.5, 0.375, 0.0625, 0.75, 0.9375, 0.625, 0.0, 1.0, 0.875, 0.3125]
ROWS: list[dict[str, Any]] = [
    {"item_id": f"i{i}", "probabilities": {"a": p, "b": 1 - p}, "group": "g"}
    | ({"label": "a"} if i == 3 else {"label": None})
    for i, p in enumerate(SHARES)
]
FOUND: list[dict[str, Any]] = [
    {"item_id": f"i{i}", "objects": [{"confidence": p, "class": "a", "box": [0, 0, 0.5, 1]}]}
    for i, p in enumerate(SHARES)
]
COCO: list[dict[str, Any]] = [
    {"image_id": i % 3, "category_id": 1 + i % 2, "bbox": [1, 1, 4, 4], "score": p}
    for i, p in enumerate(SHARES)
]
IMAGES: dict[str, Any] = {
    "images": [{"id": i, "file_name": f"{i}.jpg", "width": 10, "height": 10} for i in range(3)],
    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
}
SETTINGS = settings(
    max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def outcome(name: str, content: bytes, images: bytes | None = None, tally: Tally = TALLY) -> str:
    """Read and rank a file: "ranked", or the error in words."""
    family = "coco" if images is not None else Path(name).suffix[1:]
    with TemporaryDirectory() as folder:
        path, listing = Path(folder) / name, Path(folder) / "images.json"
        path.write_bytes(content)
        options: dict[str, Any] = {}
        if images is not None:
            listing.write_bytes(images)
            options["images"] = "images.json"
        said = ""

        def read() -> Pool:
            nonlocal said
            try:
                adapter: Any = open_adapter("files", directory=Path(folder), path=name, **options)
                pool: Pool = adapter.read()
            except LabelnextError as error:
                said = error.message
                raise
            return pool

        def plain() -> told.Told:
            return told.table(path) if images is None else told.coco(path, listing)

        return said if tally.try_(family, read, plain) is None else "ranked"


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
            holder[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
    return value


@pytest.mark.parametrize(
    "name", ["p.jsonl", "p.json", "found.jsonl", "p.parquet", "p.feather", "p.npz"]
)
def test_records_of_odd_values(name: str) -> None:
    original, tally = FOUND if name == "found.jsonl" else ROWS, Tally()

    @SETTINGS
    @given(changed(original))
    def check(records: Any) -> None:
        if name == "p.json":
            content = json.dumps(records).encode()
        elif name in ("p.parquet", "p.feather"):
            content = _columns(records, pa.parquet if name == "p.parquet" else pa.feather)
        elif name == "p.npz":
            content = _arrays(records)
        else:
            several = records if isinstance(records, list) else [records]
            content = "\n".join(map(json.dumps, several)).encode()
        outcome(name, content, tally=tally)

    check()
    tally.tell(tried=120, compared=10)


def _arrays(records: Any) -> bytes:
    """Records as two arrays; what is no share is NaN."""
    plain = [r for r in records if isinstance(r, dict)] if isinstance(records, list) else []
    given = [r["probabilities"] if isinstance(r.get("probabilities"), dict) else {} for r in plain]
    shares = [[row.get(name) for name in "ab"] for row in given]
    values = [[v if type(v) in (int, float) else np.nan for v in row] for row in shares]
    out = io.BytesIO()
    names = [str(record.get("item_id", "")) for record in plain]
    np.savez(out, item_ids=np.array(names, str), probabilities=np.array(values, float))
    return out.getvalue()


def _columns(records: Any, of: Any) -> bytes:
    """Records as Arrow takes them; values of several types as their text."""
    out = io.BytesIO()
    try:
        table = pa.Table.from_pylist(records)
    except (pa.ArrowException, TypeError, AttributeError, ValueError, OverflowError):
        plain = [r if isinstance(r, dict) else {} for r in records]
        names = {name for record in plain for name in record if name}
        texts = {n: [None if n not in r else str(r[n])[:99] for r in plain] for n in sorted(names)}
        table = pa.table({n: [t and t.replace("\0", "") for t in texts[n]] for n in texts})
    (of.write_table if of is pa.parquet else of.write_feather)(table, out)
    return out.getvalue()


def test_coco_of_odd_values() -> None:
    tally = Tally()

    @SETTINGS
    @given(changed(COCO), changed(IMAGES), st.integers(0, 2))
    def check(records: Any, images: Any, which: int) -> None:
        results = json.dumps(COCO if which == 0 else records).encode()
        listing = json.dumps(IMAGES if which == 1 else images).encode()
        outcome("r.json", results, listing, tally)
        if which == 2:
            outcome("r.json", results, tally=TALLY)

    check()
    tally.tell(tried=120, compared=10)


def test_csv_of_odd_values() -> None:
    tally = Tally()

    @SETTINGS
    @given(st.data())
    def check(data: st.DataObject) -> None:
        rows = [
            ["item_id", "p_a", "p_b", "label"],
            *([f"i{i}", str(p), str(1 - p), ""] for i, p in enumerate(SHARES)),
        ]
        for _ in range(data.draw(st.integers(1, 4))):
            row = data.draw(st.integers(0, len(rows) - 1))
            column = data.draw(st.integers(0, 3))
            cell = data.draw(
                st.sampled_from(["", "x", "1e400", "-", '"', "\n", "nan", "0,5", "9" * 40])
            )
            rows[row][column] = cell
        sign = data.draw(st.sampled_from(",;\t"))
        outcome("p.csv", "\n".join(sign.join(row) for row in rows).encode(), tally=tally)

    check()
    tally.tell(tried=120, compared=10)


@cache
def _binary(kind: str) -> bytes:
    table, out = pa.Table.from_pylist([*ROWS, {**ROWS[0], "item_id": "last"}]), io.BytesIO()
    if kind == "parquet":
        pa.parquet.write_table(table, out)
    elif kind == "feather":
        pa.feather.write_feather(table, out)
    elif kind == "npz":
        np.savez(out, item_ids=["a", "b"], probabilities=[[0.9, 0.1], [0.5, 0.5]])
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

    tally = Tally()
    for seed in range(130):
        outcome(f"p.{kind}", damaged(seed), tally=tally)
    tally.tell(tried=130, compared=0)


def test_an_untouched_file_of_each_kind_is_ranked() -> None:
    for kind in ("parquet", "feather", "npz", "csv", "jsonl", "json"):
        assert outcome(f"p.{kind}", _binary(kind)) == "ranked", kind
    listing = json.dumps(IMAGES).encode()
    assert outcome("r.json", json.dumps(COCO).encode(), listing) == "ranked"
    assert os.sep not in outcome("p.csv", b"a\n1\n").split(":")[0]
