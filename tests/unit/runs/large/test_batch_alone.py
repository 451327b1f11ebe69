"""The batch of a pool in parts, without a sort of all others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import labelnext
from labelnext.errors import WriteFailed
from labelnext.runs.large import job
from tests.unit.runs.large.test_job import (
    N,
    assert_same,
    classification,
    settings,
    spread,
    texts,
    written,
)


@pytest.mark.parametrize(
    "selection",
    [
        {"budget": 50},
        {"method": "stochastic", "budget": 30},
        {"budget": 40, "options": {"quota": {"0": 10}}},
        {"budget": 2 * N},
    ],
)
def test_batch_alone_is_that_of_the_whole_ranking(
    tmp_path: Path, selection: dict[str, Any]
) -> None:
    path = spread(classification(texts()), tmp_path / "data", 7)
    config = settings(tmp_path, path, selection=selection)
    whole = labelnext.run(config)
    every = written(tmp_path / "ranking")
    ranked = every.num_rows
    alone = labelnext.run(config | {"write": {**config["write"], "order": "batch"}})
    batch = written(tmp_path / "ranking")
    assert batch.num_rows == min(selection["budget"], ranked)
    assert_same(batch, every.slice(0, len(batch)))
    lines = (tmp_path / "ranking").glob("*/batch.jsonl")
    assert {len(file.read_text().splitlines()) for file in lines} == {len(batch)}
    assert alone.counts == whole.counts
    assert alone.scores == whole.scores
    assert alone.classes == whole.classes


def test_id_that_is_there_twice_is_refused_where_it_is_in_the_batch(tmp_path: Path) -> None:
    ids = [f"i{n}" for n in range(6)]
    doubt = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    rows = [[p, 1 - p] for p in doubt]
    path = tmp_path / "data"
    path.mkdir()
    pq.write_table(pa.table({"item_id": ids, "probabilities": rows}), path / "a.parquet")
    config = settings(tmp_path, path, selection={"budget": 2})
    config["write"]["order"] = "batch"
    twice = pa.table({"item_id": ["i5"], "probabilities": [[0.9, 0.1]]})
    pq.write_table(twice, path / "b.parquet")
    assert labelnext.run(config).ranking.item_ids.tolist() == ["i0", "i1"]
    twice = pa.table({"item_id": ["i1"], "probabilities": [[0.9, 0.1]]})
    pq.write_table(twice, path / "b.parquet")
    with pytest.raises(WriteFailed, match="got ids more than once: i1"):
        labelnext.run(config)


def test_batch_alone_is_ordered_of_very_many_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "_SORTED", N - 1)
    path = spread(classification(texts()), tmp_path / "data", 2)
    config = settings(tmp_path, path)
    (step,) = labelnext.run(config, dry_run=True).steps
    assert "the batch, without ranking the rest" in step
    told: list[tuple[str, int, int | None]] = []
    labelnext.run(config, progress=lambda *stage: told.append(stage))
    assert [stage for stage in told if stage[0] == "order"] == [("order", 50, 50)]
    assert written(tmp_path / "ranking").num_rows == 50
    labelnext.run(config | {"selection": {"budget": None}})
    assert written(tmp_path / "ranking").num_rows > 3_000
    labelnext.run(config | {"write": {**config["write"], "order": "all"}})
    assert written(tmp_path / "ranking").num_rows > 3_000
