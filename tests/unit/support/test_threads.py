"""Work in parts: every row once, whatever the number of cores, and errors come through."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from labelnext.acquisition.objects import object_statistics
from labelnext.errors import ConfigError, InvalidInput
from labelnext.pool import Objects
from labelnext.support import threads
from labelnext.support.threads import at_most, in_parts


@pytest.fixture(params=[1, 2, 5])
def cores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("labelnext.support.threads._n_cores", lambda: request.param)
    return int(request.param)


@pytest.mark.parametrize("n", [0, 1, 7, 100])
def test_every_row_is_in_one_part(n: int, cores: int) -> None:
    counts, parts = np.zeros(n, dtype=int), []

    def work(start: int, stop: int) -> None:
        counts[start:stop] += 1
        parts.append((start, stop))

    in_parts(n, work, least=10)
    assert (counts == 1).all()
    assert len(parts) == max(1, min(cores, n // 10))


def test_error_of_a_part_is_raised(cores: int) -> None:
    def work(start: int, stop: int) -> None:
        raise InvalidInput(f"row {start}")

    with pytest.raises(InvalidInput, match="row 0"):
        in_parts(100, work, least=10)


def test_threads_are_limited_by_the_environment_and_a_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(threads, "_GROUPS", tmp_path)
    monkeypatch.setattr(threads, "_MINE", tmp_path / "none")
    quota = tmp_path / "cpu.max"
    for text, n_cores in (("max 100000", 8), ("250000 100000", 3), ("5000 100000", 1)):
        quota.write_text(text)
        threads._n_allowed.cache_clear()
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        assert threads._n_cores() == n_cores
    threads._n_allowed.cache_clear()
    quota.write_text("max 100000")
    for asked, n_cores in (("2", 2), ("64", 8), ("", 8), (" 3 ", 3)):
        monkeypatch.setenv("LABELNEXT_THREADS", asked)
        assert threads._n_cores() == n_cores
    threads._n_allowed.cache_clear()


@pytest.mark.parametrize(
    ("mine", "files", "n_cores"),
    [
        ("0::/a/b c\n", {"a/b c/cpu.max": "300000 100000", "a/cpu.max": "max 100000"}, 3),
        ("0::/a/b\n", {"a/b/cpu.max": "700000 100000", "a/cpu.max": "150000 100000"}, 2),
        ("0::/a\n", {"b/cpu.max": "100000 100000"}, 8),
        (
            "3:cpu,cpuacct:/docker/x\n0::/\n",
            {
                "cpu/docker/x/cpu.cfs_quota_us": "400000\n",
                "cpu/docker/x/cpu.cfs_period_us": "100000\n",
                "cpu/cpu.cfs_quota_us": "-1\n",
                "cpu/cpu.cfs_period_us": "100000\n",
            },
            4,
        ),
        ("4:cpuset:/x\n", {"cpuset/x/cpu.max": "100000 100000"}, 8),
        ("nonsense", {"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"}, 1),
    ],
)
def test_threads_are_limited_by_the_control_groups_around_a_process(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mine: str,
    files: dict[str, str],
    n_cores: int,
) -> None:
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    for name in ("OMP_NUM_THREADS", "LABELNEXT_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(threads, "_GROUPS", tmp_path)
    monkeypatch.setattr(threads, "_MINE", tmp_path / "mine")
    (tmp_path / "mine").write_text(mine)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    threads._n_allowed.cache_clear()
    assert threads.n_threads() == n_cores
    with at_most(2):
        assert threads.n_threads() == min(n_cores, 2)
    with at_most(64):
        assert threads.n_threads() == n_cores
    threads._n_allowed.cache_clear()


def test_arrow_takes_no_more_threads_than_asked_for_and_none_in_a_pool(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = pa.cpu_count()
    monkeypatch.setattr(threads, "_n_cores", lambda: 2)
    try:
        pa.set_cpu_count(5)
        assert list(threads.in_order(lambda _: threads.arrow_threads(), [0, 1])) == [False] * 2
        assert pa.cpu_count() == 5
        assert threads.arrow_threads()
        assert pa.cpu_count() == 2
    finally:
        pa.set_cpu_count(before)


def test_arrow_has_its_threads_back_and_no_inner_limit_lifts_the_outer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "_n_allowed", lambda: 8)
    monkeypatch.delenv("LABELNEXT_THREADS", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = pa.cpu_count()
    try:
        pa.set_cpu_count(5)
        with at_most(3), at_most(None), at_most(4):
            assert threads.arrow_threads()
            assert (threads.n_threads(), pa.cpu_count()) == (3, 3)
        assert (threads.n_threads(), pa.cpu_count()) == (8, 5)
    finally:
        pa.set_cpu_count(before)


def blas_threads() -> list[int]:
    return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]


def test_blas_takes_no_more_threads_than_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with threadpool_limits(2):
        with threads.at_most(1):
            assert set(blas_threads()) == {1}
            with threads.at_most(2):
                assert set(blas_threads()) == {1}
        with threads.at_most(8):
            assert set(blas_threads()) == {2}
        monkeypatch.setenv("LABELNEXT_THREADS", "1")
        for asked in (None, 2):
            with threads.at_most(asked):
                assert set(blas_threads()) == {1}
        assert set(blas_threads()) == {2}


@pytest.mark.parametrize("asked", ["x", "0", "-2", "1.5", "4,2", "²"])
def test_a_number_of_threads_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setenv("LABELNEXT_THREADS", asked)
    with pytest.raises(ConfigError, match="LABELNEXT_THREADS must be a whole number from 1"):
        in_parts(1, lambda *_: None, least=1)
    monkeypatch.delenv("LABELNEXT_THREADS")
    monkeypatch.setenv("OMP_NUM_THREADS", asked)  # of other packages, which know more forms
    in_parts(1, lambda *_: None, least=1)


def test_work_inside_a_thread_stays_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_n_cores", lambda: 4)
    names = []

    def outer(start: int, stop: int) -> None:
        mine = threading.current_thread().name
        in_parts(100, lambda *_: names.append(threading.current_thread().name == mine), least=1)

    in_parts(4, outer, least=1)
    assert names == [True] * 4


def test_statistics_do_not_depend_on_the_number_of_cores(
    cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelnext.acquisition.reductions._ITEMS", 10)
    rng = np.random.default_rng(0)
    offsets = np.sort(np.append(rng.integers(0, 1001, 99), [0, 1000]))
    objects = Objects(offsets, rng.random(1000))
    statistics = object_statistics(objects, floor=0.3)
    monkeypatch.setattr("labelnext.support.threads._n_cores", lambda: 1)
    alone = object_statistics(objects, floor=0.3)
    for name in ("count", "sum", "mean", "min", "max"):
        expected = getattr(alone, name)
        assert np.array_equal(getattr(statistics, name), expected, equal_nan=True)
