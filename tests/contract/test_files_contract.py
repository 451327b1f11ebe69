"""The files adapter keeps the contract of every adapter."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import labelnext.journal.columns as columns
from labelnext.adapter import Adapter, Part, open_adapter
from labelnext.testing import AdapterContract, GivesBatchesSuite, ShowsItemsSuite, StreamsSuite

ITEMS = [
    {"item_id": "a", "probabilities": [0.9, 0.1]},
    {"item_id": "b", "probabilities": [0.5, 0.5]},
    {"item_id": "c", "probabilities": [0.6, 0.4]},
    {"item_id": "d", "probabilities": [0.7, 0.3]},
    {"item_id": "e", "probabilities": [0.8, 0.2], "label": 1},
    {"item_id": "f", "probabilities": None},
]


class OneFile:
    """The adapter over a file of six items."""

    @pytest.fixture
    def adapter(self, tmp_path: Path) -> Adapter:
        self.folder = tmp_path / "data"
        self.folder.mkdir()
        lines = "".join(json.dumps(item) + "\n" for item in ITEMS)
        (self.folder / "pool.jsonl").write_text(lines)
        return self.reopened(None)

    def reopened(self, adapter: Adapter | None) -> Adapter:
        return open_adapter("files", directory=self.folder, path="pool.jsonl")

    def state(self, adapter: Adapter) -> Any:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}

    def served(self, adapter: Adapter) -> Sequence[str]:
        with (self.folder / "ranking.csv").open() as file:
            return [row["item_id"] for row in csv.DictReader(file)]


class TestFilesAdapter(OneFile, AdapterContract):
    pass


class TestFilesAdapterGivesBatches(OneFile, GivesBatchesSuite):
    pass


class TestFilesAdapterShowsItems(OneFile, ShowsItemsSuite):
    @pytest.fixture
    def adapter(self, tmp_path: Path) -> Adapter:
        self.folder = tmp_path / "data"
        self.folder.mkdir()
        lines = "".join(json.dumps({**item, "text": "a text"}) + "\n" for item in ITEMS)
        (self.folder / "pool.jsonl").write_text(lines)
        (self.folder / "a.jpg").write_bytes(b"no image, but bytes")
        return self.reopened(None)


class TestFilesAdapterOfLargePlans(TestFilesAdapter):
    """Every payload and every snapshot lies beside the journal."""

    @pytest.fixture(autouse=True)
    def _all_is_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(columns, "_INLINE", -1)
        monkeypatch.setattr(columns, "_LONG", 1)


class TestFilesAdapterStreams(StreamsSuite):
    """A folder of two Parquet files, the second with ids that sort before those of the first."""

    @pytest.fixture
    def adapter(self, tmp_path: Path) -> Adapter:
        self.folder = tmp_path / "data"
        (self.folder / "pool").mkdir(parents=True)
        rows = [
            {"embedding": [float(number), 1.0], "group": f"video {number % 2}", "label": -1, **item}
            for number, item in enumerate(ITEMS)
        ]
        for name, part in (("1", rows[2:]), ("2", rows[:2])):
            pq.write_table(pa.Table.from_pylist(part), self.folder / "pool" / f"{name}.parquet")
        return self.reopened(None)

    def reopened(self, adapter: Adapter | None) -> Adapter:
        return open_adapter("files", directory=self.folder, path="pool")

    def break_part(self, adapter: Adapter, part: Part) -> None:
        path = Path(part.payload["path"])
        path.write_bytes(path.read_bytes()[:-9])
