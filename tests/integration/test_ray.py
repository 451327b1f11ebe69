"""The same ranking on Ray: on this machine, on a cluster that loses a node, and after a crash."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest

import labelnext
from labelnext.errors import WriteFailed
from labelnext.runs.large import batch, engines, ranges
from labelnext.runs.undo import resume, runs
from tests.integration.ray_warnings import IGNORED
from tests.unit.runs.large.test_faults import cut_short
from tests.unit.runs.large.test_job import (
    assert_same,
    classification,
    in_memory,
    settings,
    spread,
    texts,
    written,
)
from tests.unit.runs.large.test_selection import embedded

pytestmark = IGNORED


@pytest.fixture
def waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray is started at once, and nothing is done before."""
    is_up = engines._Start.is_up

    def wait(start: Any, *, begin: bool) -> bool:
        is_up(start, begin=True)
        return start._tried.wait() and is_up(start, begin=False)

    monkeypatch.setattr(engines._Start, "is_up", wait)


@pytest.mark.usefixtures("waited_for")
def test_ray_gives_the_ranking_of_the_whole(tmp_path: Path) -> None:
    table = classification(texts())
    path = spread(table, tmp_path / "data", 7)
    seen: list[str] = []

    def look(stage: str, done: int, total: int | None) -> None:
        if stage == "score" and not seen:
            import ray  # not before labelnext, which tells it to stay on this machine

            seen.extend(node["NodeManagerAddress"] for node in ray.nodes())

    report = labelnext.run(settings(tmp_path, path, engine="ray"), progress=look)
    assert_same(written(tmp_path / "ranking"), in_memory(tmp_path, table))
    assert report.counts["items"] == len(table)
    assert seen == ["127.0.0.1"]
    import ray

    assert not ray.is_initialized()


def test_ray_is_not_started_for_work_that_is_done_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ray.init", pytest.fail)
    table = classification(texts())
    labelnext.run(settings(tmp_path, spread(table, tmp_path / "data", 3), engine="ray"))
    assert_same(written(tmp_path / "ranking"), in_memory(tmp_path, table))


def test_parts_are_done_here_until_ray_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_WORTH", 0)
    monkeypatch.setattr(engines, "_MEANWHILE", 1)
    begun, is_up = [], engines._Start.is_up

    def look(start: Any, *, begin: bool) -> bool:
        begun.append(begin)
        up = is_up(start, begin=begin)
        return up if len(begun) <= 3 else start._tried.wait()

    by_workers, at_workers = engines._by_workers, []

    def count(settings: Any, parts: Any, *others: Any) -> Any:
        at_workers.append(len(parts))
        return by_workers(settings, parts, *others)

    monkeypatch.setattr(engines._Start, "is_up", look)
    monkeypatch.setattr(engines, "_by_workers", count)
    table = classification(texts())
    labelnext.run(settings(tmp_path, spread(table, tmp_path / "data", 7), engine="ray"))
    assert begun[1]
    assert at_workers[0] <= 7 - 1
    assert_same(written(tmp_path / "ranking"), in_memory(tmp_path, table))


@pytest.mark.usefixtures("waited_for")
def test_an_error_in_a_worker_reaches_the_user_whole(tmp_path: Path) -> None:
    table = classification(texts())
    path = spread(table, tmp_path / "data", 3)
    content = cut_short(path / "002.parquet")
    config = settings(tmp_path, path, engine="ray")
    with pytest.raises(
        WriteFailed, match=r"002.parquet: it must be a whole Parquet file"
    ) as failed:
        labelnext.run(config)
    assert "finish it with labelnext resume" in (failed.value.hint or "")
    (path / "002.parquet").write_bytes(content)
    assert resume(config).status == "done"
    assert_same(written(tmp_path / "ranking"), in_memory(tmp_path, table))
    assert [journal.status for journal in runs(config)] == ["done"]


def test_a_cluster_that_does_not_answer_is_said_so(tmp_path: Path) -> None:
    path = spread(classification(texts(40)), tmp_path / "data", 2)
    config = settings(tmp_path, path, engine="ray", ray={"address": "127.0.0.1:1"})
    with pytest.raises(WriteFailed, match=r"Ray does not answer at 127.0.0.1:1"):
        labelnext.run(config)


@pytest.mark.usefixtures("waited_for")
def test_a_ray_that_does_not_start_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    def slow(**_: object) -> None:
        raise Exception("The current node timed out during startup")  # as Ray does

    monkeypatch.setattr(ray, "init", slow)
    path = spread(classification(texts(40)), tmp_path / "data", 2)
    with pytest.raises(WriteFailed, match="Ray does not answer at this machine: .* timed out"):
        labelnext.run(settings(tmp_path, path, engine="ray"))


def run_losing_nodes(folder: Path, path: Path, *stages: str, **how: Any) -> dict[str, int]:
    """Run on a cluster that loses a node at the first progress of each of these stages.

    The second round is one, though the command does it by itself.

    Returns:
        How many parts each stage had left then.
    """
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    nodes = {stage: cluster.add_node(num_cpus=1) for stage in stages}
    left: dict[str, int] = {}
    choose = batch.second_round

    def lose(stage: str, done: int, total: int | None) -> None:
        if stage in nodes and stage not in left:
            left[stage] = (total or 0) - done
            cluster.remove_node(nodes[stage], allow_graceful=False)

    def second_round(*told: Any) -> Any:
        lose("second round", 0, 1)
        return choose(*told)

    try:
        config = settings(folder, path, engine="ray", ray={"address": cluster.address}, **how)
        with patch.object(batch, "second_round", second_round):
            labelnext.run(config, progress=lose)
    finally:
        cluster.shutdown()
    return left


def test_a_cluster_that_loses_nodes_in_each_stage_gives_the_same_batch(tmp_path: Path) -> None:
    path = spread(embedded(), tmp_path / "data", 16)
    how = {"selection": {"method": "k_center", "budget": 30}}
    labelnext.run(settings(tmp_path, path, **how))
    here = written(tmp_path / "ranking")
    left = run_losing_nodes(tmp_path, path, "survey", "score", "second round", **how)
    assert min(left["survey"], left["score"], left["second round"]) > 0  # in the middle of each
    assert_same(written(tmp_path / "ranking"), here)


def test_a_cluster_that_loses_nodes_while_it_orders_gives_the_same_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    sure = rng.integers(0, 5_000, 200_000) / 9_999  # many tie
    rows = pa.FixedSizeListArray.from_arrays(pa.array(np.stack([sure, 1 - sure], 1).ravel()), 2)
    table = pa.table(
        {"item_id": [str(n) for n in rng.permutation(len(sure))], "probabilities": rows}
    )
    path = spread(table, tmp_path / "data", 12)
    monkeypatch.setattr(ranges, "_RANGE", 10_000)
    left = run_losing_nodes(tmp_path, path, "sort", "order")
    assert min(left["sort"], left["order"]) > 0  # in the middle of each
    assert_same(written(tmp_path / "ranking"), in_memory(tmp_path, table))
