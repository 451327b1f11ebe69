"""The compiled loops: their results are numpy's, and the same on every processor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from labelnext.acquisition import kernels
from labelnext.support import loops, threads

KEYS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "any": lambda rng: rng.integers(-(2**63), 2**63 - 1, 20_000),
    "ends": lambda rng: rng.choice([-(2**63), -1, 0, 2**63 - 1], 5_000),
    "few values": lambda rng: rng.integers(0, 3, 20_000),
    "one value": lambda rng: np.full(5_000, 7),
    "sorted": lambda rng: np.arange(-2_500, 2_500),
    "reversed": lambda rng: np.arange(5_000)[::-1].copy(),
    "crowded": lambda rng: np.append(rng.integers(0, 50, 9_999), 2**62),
    "of every size": lambda rng: 2 ** rng.integers(0, 62, 10_000) + rng.integers(0, 9, 10_000),
    "bits of numbers": lambda rng: rng.random(20_000).view(np.int64),
}


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize(("seed", "n_threads"), [(0, 1), (1, 2), (2, 5), (3, 64)])
def test_integers_are_sorted_as_numpy_sorts_them(
    name: str, seed: int, n_threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "_THREAD", 1)
    monkeypatch.setattr(threads, "_n_cores", lambda: n_threads)
    keys = KEYS[name](np.random.default_rng(seed)).astype(np.int64)
    expected = np.sort(keys)
    loops.sort(keys)
    assert (keys == expected).all()


@pytest.mark.parametrize("n", [0, 1, 2, 999, 1000, 1001])
def test_few_integers_are_sorted_too(n: int) -> None:
    keys = np.random.default_rng(n).permutation(n)
    loops.sort(keys)
    assert keys.tolist() == list(range(n))


@pytest.mark.parametrize(("dtype", "within"), [(np.float32, 5e-6), (np.float64, 1e-14)])
@pytest.mark.parametrize("c", [*range(1, 12), 22, 23, 24, 31, 32, 33, 64, 1000])
def test_scores_are_those_of_numpy_alone(
    c: int, dtype: type, within: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(c)
    rows = rng.dirichlet(np.full(c, 0.2), 77).astype(dtype)
    rows[3] = 0
    rows[3, c // 2] = 1  # certain: each score is exact
    rows[4] = dtype(1) / c
    rows[5] *= dtype(1e-40 if dtype == np.float32 else 1e-310)  # subnormal: not a distribution
    found = kernels.score_rows(rows, kernels.FORMULAS, check=False)
    monkeypatch.setattr(loops, "_library", lambda: None)
    expected = kernels.score_rows(rows, kernels.FORMULAS, check=False)
    for name, scores in found.items():
        assert scores == pytest.approx(expected[name], abs=within * max(1, np.log(c))), name
    certain = {name: scores[3] for name, scores in found.items()}
    assert certain["least_confidence"] == certain["entropy"] == 0
    assert certain["margin"] == 1


def test_every_processor_gives_the_same_digits(
    build_hooks: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for source in Path(loops.__file__).parent.glob("*.[ch]"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    rng = np.random.default_rng(0)
    pools = [rng.dirichlet(np.full(c, 0.2), 501).astype(t) for c in (10, 77) for t in ("f4", "f8")]
    before = [kernels.score_rows(rows, kernels.FORMULAS, check=True) for rows in pools]
    monkeypatch.setattr(build_hooks, "FLAGS", ([],))  # for the oldest processor alone
    if not build_hooks.compile_loops(tmp_path):
        assert not (tmp_path / "loops.so").exists()  # no compiler
        return
    plain = loops.open_library(tmp_path / "loops.so")
    assert plain is not None
    if not loops.compiled():
        return
    monkeypatch.setattr(loops, "_library", lambda: plain)
    for rows, scores in zip(pools, before, strict=True):
        again = kernels.score_rows(rows, kernels.FORMULAS, check=True)
        for name in scores:
            assert (again[name] == scores[name]).all(), name


def test_a_library_of_other_sources_is_left_aside(build_hooks: ModuleType, tmp_path: Path) -> None:
    for source in Path(loops.__file__).parent.glob("*.[ch]"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    made = build_hooks.compile_loops(tmp_path)
    assert (loops.open_library(tmp_path / "loops.so") is not None) == made
    with (tmp_path / "sorting.h").open("a") as source:
        source.write("/* newer */")
    assert loops.open_library(tmp_path / "loops.so") is None
    (tmp_path / "broken.so").write_bytes(b"no library")
    assert loops.open_library(tmp_path / "broken.so") is None


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("c", [1, 2, 3, 4, 5, 10, 23, 24, 40])
@pytest.mark.parametrize("n", [0, 1, 31, 32, 100])
def test_likeliest_classes_are_those_of_a_loop(n: int, c: int, dtype: type) -> None:
    rng = np.random.default_rng(100 * n + c)
    rows = (rng.integers(-3, 7, (n, c)) / 8).astype(dtype)  # many tie
    rows[rng.random((n, c)) < 0.02] = np.nan
    rows[3:4], rows[4:5] = -np.inf, np.nan
    expected = [-1 if np.isnan(r).any() else r.tolist().index(max(r)) for r in rows]
    assert loops.likeliest(rows).tolist() == expected
    wide = np.repeat(rows, 2, axis=1)[:, ::2]  # not in C order
    assert loops.likeliest(wide).tolist() == expected


@pytest.mark.parametrize("with_loops", [True, False])
def test_longest_text_is_found_if_all_are_whole(
    with_loops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not with_loops:
        monkeypatch.setattr(loops, "_library", lambda: None)
    sizes = [3, 0, 70_000, 255, 256]
    texts = b"".join(size.to_bytes(4, "little") + b"\xff" * size for size in sizes)
    assert loops.longest_text(texts) == 70_000
    assert loops.longest_text(b"") == 0
    for broken in (texts[:-1], texts + b"\0", b"\0\0\0", b"\xff\xff\xff\xff"):
        assert loops.longest_text(broken) == -1
