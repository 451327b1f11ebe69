"""The batch of a pool in parts, without a sort of all others."""

from __future__ import annotations

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import labelnext
from labelnext.errors import WriteFailed
from labelnext.runs.large import engines, first, job, look, near_ranks
from labelnext.runs.large.part import Scored
from labelnext.runs.undo import resume, undo
from labelnext.support.threads import arrow_threads, n_threads
from tests.unit.runs.large.test_job import (
    N,
    assert_same,
    classification,
    settings,
    spread,
    texts,
    written,
)


def told_ranks(folder: Path) -> dict[str, int]:
    """The approximate ranks of a ranking."""
    told = json.loads((folder / "ranking" / "manifest.json").read_text())["approximate"]
    rest = pa.concat_tables([pq.read_table(folder / "ranking" / f) for f in told["files"]])
    return dict(zip(*(rest.column(c).to_pylist() for c in ("item_id", "rank")), strict=True))


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


@pytest.mark.parametrize("selection", [{"budget": 50}, {"method": "stochastic", "budget": 30}])
@pytest.mark.parametrize("n_edges", [4096, 20])
def test_ranks_behind_the_batch_are_as_near_as_they_say(
    tmp_path: Path, selection: dict[str, Any], n_edges: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near_ranks, "_EDGES", n_edges)
    path = spread(classification(texts()), tmp_path / "data", 7)
    config = settings(tmp_path, path, selection=selection)
    labelnext.run(config)
    every = written(tmp_path / "ranking")
    report = labelnext.run(config | {"write": {**config["write"], "order": "approximate"}})
    batch = written(tmp_path / "ranking")
    assert_same(batch, every.slice(0, len(batch)))
    told = json.loads((tmp_path / "ranking" / "manifest.json").read_text())["approximate"]
    rest = pa.concat_tables([pq.read_table(tmp_path / "ranking" / f) for f in told["files"]])
    assert rest.schema.names == batch.schema.names
    assert len(rest) == told["rows"] == len(every) - len(batch)
    exact = dict(zip(*(every.column(c).to_pylist() for c in ("item_id", "rank")), strict=True))
    near = dict(zip(*(rest.column(c).to_pylist() for c in ("item_id", "rank")), strict=True))
    assert near.keys() == exact.keys() - set(batch.column("item_id").to_pylist())
    off = [abs(rank - exact[item]) for item, rank in near.items()]
    ties = max(Counter(rest.column("score").to_pylist()).values())
    assert max(off) <= told["within"] <= max(ties // 2, len(every) / n_edges)
    priorities = 1 - (rest.column("rank").to_numpy() - 1) / len(every)
    assert rest.column("priority").to_pylist() == pytest.approx(priorities.tolist())
    assert not any(rest.column("batch").to_pylist())
    assert f"within {told['within']:,} of the exact one" in str(report.notices)
    undo(config)
    assert_same(written(tmp_path / "ranking"), every)


def test_equal_scores_share_the_middle_of_their_ranks(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    doubt = [0.5, 0.6, 0.6, 0.6, 0.7, 0.9]
    table = pa.table({"item_id": list("abcdef"), "probabilities": [[p, 1 - p] for p in doubt]})
    pq.write_table(table, tmp_path / "data" / "a.parquet")
    config = settings(tmp_path, tmp_path / "data", selection={"budget": 1})
    config["write"]["order"] = "approximate"
    labelnext.run(config)
    assert told_ranks(tmp_path) == {"b": 3, "c": 3, "d": 3, "e": 5, "f": 6}
    assert '"within": 1' in (tmp_path / "ranking" / "manifest.json").read_text()


def test_a_run_that_broke_off_while_it_ranked_is_finished_by_resume(tmp_path: Path) -> None:
    path = spread(classification(texts()), tmp_path / "data", 7)
    config = settings(tmp_path, path)
    config["write"]["order"] = "approximate"
    labelnext.run(config)
    whole = told_ranks(tmp_path)
    undo(config)

    def stop(stage: str, done: int, total: int | None) -> None:
        if stage == "rank" and done > 500:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        labelnext.run(config, progress=stop)
    assert not (tmp_path / "ranking" / "manifest.json").exists()
    assert resume(config).status == "done"
    assert told_ranks(tmp_path) == whole


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


def resume_after_a_change(config: dict[str, Any], path: Path, stage: str) -> None:
    """Break a run off half way through a stage, shorten the last part, and resume the run."""

    def stop(name: str, done: int, total: int | None) -> None:
        if name == stage and done > N // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        labelnext.run(config, progress=stop)
    last = sorted(path.glob("*.parquet"))[-1]
    pq.write_table(pq.read_table(last).slice(0, 3), last)
    resume(config)


def test_ranks_that_were_kept_of_another_pool_are_made_again(tmp_path: Path) -> None:
    table = classification(texts())
    path = spread(table, tmp_path / "data", 5)
    config = settings(tmp_path, path)
    config["write"]["order"] = "approximate"
    resume_after_a_change(config, path, "rank")
    resumed = told_ranks(tmp_path)
    labelnext.run(config)
    assert resumed == told_ranks(tmp_path)


@pytest.mark.parametrize("method", ["image_diversity", "typiclust", "k_center"])
def test_clusters_of_another_pool_are_made_again(tmp_path: Path, method: str) -> None:
    vectors = np.random.default_rng(0).normal(size=(N, 2))
    table = classification(texts()).append_column("embedding", pa.array(vectors.tolist()))
    path = spread(table, tmp_path / "data", 5)
    config = settings(tmp_path, path, selection={"method": method, "budget": 20})
    resume_after_a_change(config, path, "score")
    resumed = written(tmp_path / "ranking")
    labelnext.run(config)
    assert_same(resumed, written(tmp_path / "ranking"))


@pytest.mark.parametrize("integers", [False, True])
def test_of_equal_items_the_first_by_id_are_the_batch(tmp_path: Path, integers: bool) -> None:
    ids = [str(n) if integers else f"i{n}" for n in np.random.default_rng(0).permutation(90)]
    table = pa.table({"item_id": ids, "probabilities": [[0.5, 0.5]] * 90})
    config = settings(tmp_path, spread(table, tmp_path / "data", 9), selection={"budget": 4})
    config["write"]["order"] = "batch"
    labelnext.run(config)
    first = sorted(ids, key=int if integers else str)[:4]
    assert written(tmp_path / "ranking").column("item_id").to_pylist() == first


@pytest.mark.parametrize("least", [np.inf, 0.69, -np.inf])
def test_batch_is_the_same_whatever_the_sample_says(
    tmp_path: Path, least: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first, "_likely_least", lambda *_: least)
    path = spread(classification(texts()), tmp_path / "data", 7)
    config = settings(tmp_path, path, selection={"budget": 50})
    labelnext.run(config)
    every = written(tmp_path / "ranking")
    labelnext.run(config | {"write": {**config["write"], "order": "batch"}})
    assert_same(written(tmp_path / "ranking"), every.slice(0, 50))


def test_a_sample_says_which_utility_more_items_than_the_budget_have() -> None:
    sample = [(utility, "") for utility in np.random.default_rng(0).permutation(2_000).tolist()]
    found = Scored(counts={"ranked": 10_000_000}, sample=sample)
    assert first._likely_least(found, 500_000) == 1999 - (100 + 40 + 8)
    assert first._likely_least(found, 10_000_000) == -np.inf
    assert first._likely_least(Scored(counts={"ranked": 3}), 1) == -np.inf


def test_a_worker_of_ray_takes_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labelnext.support.threads._n_allowed", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", "8")  # as Ray leaves it where somebody set it
    monkeypatch.setattr(engines, "_reader", lambda *_: None)
    monkeypatch.setattr(engines, "do_part", lambda *_: Scored(counts={"threads": n_threads()}))
    nothing: Any = None
    found = engines._do_parts("one", nothing, nothing, str(tmp_path), [nothing] * 2)
    assert found == Scored(counts={"threads": 1 + 1})


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_of_the_configuration_bound_a_run_which_leaves_nothing_in_memory(
    tmp_path: Path, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelnext.support.threads._n_allowed", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    seen, scored = set[tuple[str, bool]](), engines.do_part

    def do(*told: Any) -> Scored:
        seen.add((threading.current_thread().name, arrow_threads()))
        return scored(*told)

    monkeypatch.setattr(engines, "do_part", do)
    path = spread(classification(texts()), tmp_path / "data", 7)
    config = settings(tmp_path, path, selection={"budget": 50}, threads=threads)
    labelnext.run(config | {"write": {**config["write"], "order": "batch"}})
    names = {name for name, _ in seen}
    assert not any(arrow for _, arrow in seen)
    assert (names == {threading.main_thread().name}) == (threads == 1)
    assert look.batch_ids.cache_info().currsize == 0
