"""The best k against the head of a stable argsort, on sizes that take the way of the sample."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelnext.selection.top_k import _SMALL, top_k

N = 8 * _SMALL  # of which the sample takes every second


def oracle(values: np.ndarray, k: int | None) -> list[int]:
    return np.argsort(-values, kind="stable")[:k].tolist()


def made(kind: str, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    u = rng.random(N)
    return {
        "distinct": u,
        "narrow": u.astype(np.float32),
        "heavy ties": np.round(u, 1),
        "one value": np.zeros(N),
        "nan": np.where(u < 0.6, np.nan, u),
        "all nan": np.full(N, np.nan),
        "infinite": np.where(u < 0.3, -np.inf, np.where(u > 0.9, np.inf, u)),
        "nan and −inf": np.where(u < 0.5, np.nan, -np.inf),
        "rising": np.sort(u),
        "falling": -np.sort(u),
        "one best": np.where(np.arange(N) == 12345, 1.0, 0.5),
        "best where no sample looks": np.where(np.arange(N) % 2 == 1, u + 1, u),
    }[kind]


KINDS = [
    "distinct",
    "narrow",
    "heavy ties",
    "one value",
    "nan",
    "all nan",
    "infinite",
    "nan and −inf",
    "rising",
    "falling",
    "one best",
    "best where no sample looks",
]


def test_top_of_nothing_is_nothing() -> None:
    assert top_k(np.empty(0), 3).tolist() == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [1, 10, 1000, N // 4, N // 2, N, None])
def test_best_k_are_the_head_of_a_stable_order(kind: str, k: int | None) -> None:
    values = made(kind)
    assert top_k(values, k).tolist() == oracle(values, k)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), k=st.integers(1, N), decimals=st.integers(0, 8))
def test_ties_at_the_edge_are_the_earlier_ones(seed: int, k: int, decimals: int) -> None:
    values = np.round(np.random.default_rng(seed).normal(size=N), decimals)
    assert top_k(values, k).tolist() == oracle(values, k)


def test_misleading_sample_costs_time_but_not_exactness(monkeypatch) -> None:
    values = made("distinct")
    for threshold in (2.0, 0.9999, -1.0):
        monkeypatch.setitem(
            top_k.__globals__, "_estimate", lambda v, k, t=threshold: v.dtype.type(t)
        )
        assert top_k(values, 100).tolist() == oracle(values, 100)
