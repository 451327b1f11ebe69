"""Every method of the table with every projection, on embeddings that are hardly any."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from labelnext.errors import InvalidInput
from labelnext.pool import Objects, Pool
from labelnext.ranking import rank
from labelnext.selection import SELECTIONS, get_selection

N, D = 12, 6
RNG = np.random.default_rng(3)
NORMAL = RNG.normal(size=(N, D))
ONE_FAR = np.zeros((N, D))
ONE_FAR[4] = 1

#: Embeddings on which every method gives a batch.
DEGENERATE = {
    "normal": NORMAL,
    "columns first": np.asfortranarray(NORMAL),
    "all zero": np.zeros((N, D)),
    "all equal": np.full((N, D), 0.1),
    "one distinct": ONE_FAR,
    "one zero": np.where(np.arange(N)[:, None] == 2, 0, NORMAL),
    "one dimension": NORMAL[:, :1],
    "large": NORMAL * 1e14,
    "small": NORMAL * 1e-14,
    "some subnormal": np.where(np.arange(N)[:, None] % 2, 5e-324, NORMAL),
    "close": 1 + NORMAL * 1e-9,
    "half": NORMAL.astype(np.float16),
    "largest half": np.where(NORMAL > 0, 65504, -65504).astype(np.float16),
    "smallest half": np.full((N, D), 6e-8, dtype=np.float16),
    "float32": NORMAL.astype(np.float32),
    "big-endian": NORMAL.astype(">f8"),
    "whole numbers": np.arange(N * D).reshape(N, D),
}
#: Finite, but their squares are not, or are 0.
REFUSED = {
    "1e200": NORMAL * 1e200,
    "1e308": NORMAL / np.abs(NORMAL).max() * 1e308,
    "float32 1e30": (NORMAL * 1e30).astype(np.float32),
    "subnormal": np.full((N, D), 5e-324),
    "1e-200": NORMAL * 1e-200,
}
SPACES = {
    "plain": {},
    "pca": {"projection": "pca", "n_components": 2},
    "random": {"projection": "random", "n_components": 2, "distance": "cosine"},
    "all": {"projection": "pca", "n_components": 3, "distance": "cosine", "standardise": True},
}
#: Items, labels, budget. Their number has no factor in common with that of the embeddings.
SIZES = [(N, 2, 5), (N, 0, 100), (N, 4, 3), (1, 0, 3), (3, 3, 2), (0, 0, 2)]
METHODS = [m for m in SELECTIONS.own_names() if "embeddings" in get_selection(m).inputs]


def pool_of(embeddings: np.ndarray, n: int = N, n_labelled: int = 2) -> Pool:
    """Some items with two labels; objects of one embedding each."""
    rng = np.random.default_rng(0)
    labels = np.where(np.arange(n) < n_labelled, 0, -1)
    rows = rng.dirichlet([1, 1, 1], n)
    return Pool(range(n), probabilities=rows, labels=labels, embeddings=embeddings[:n])


def batch(pool: Pool, method: str, **options: object) -> list[str]:
    return rank(pool, "margin", selection=method, **options).item_ids.tolist()  # type: ignore[arg-type]


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("method", METHODS)
def test_degenerate_embeddings_give_a_batch(method: str, space: str) -> None:
    for (name, embeddings), size in zip(DEGENERATE.items(), itertools.cycle(SIZES), strict=False):
        n, n_labelled, budget = size
        pool = pool_of(embeddings, n, n_labelled)
        chosen = batch(pool, method, budget=budget, **SPACES[space])
        assert len(chosen) == min(budget, n - n_labelled), (name, n)
        assert len(set(chosen)) == len(chosen), (name, n)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("method", METHODS)
def test_numbers_without_squares_are_refused(method: str, space: str) -> None:
    for embeddings in REFUSED.values():
        with pytest.raises(InvalidInput, match="between 1e-15 and 1e15 in size"):
            batch(pool_of(embeddings), method, budget=5, **SPACES[space])


@pytest.mark.parametrize("method", METHODS)
def test_batch_is_the_same_for_every_layout_in_memory(method: str) -> None:
    rng = np.random.default_rng(8)
    rows = rng.normal(size=(100, 16))
    given = np.empty((100, 32))
    given[:, ::2] = rows
    for space in SPACES["plain"], SPACES["all"]:
        wanted = batch(many(rows), method, budget=10, **space)
        for layout in (np.asfortranarray(rows), given[:, ::2], rows.astype(">f8")):
            assert batch(many(layout), method, budget=10, **space) == wanted


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("factor", [2.0**-40, 2.0**40])
def test_batch_does_not_depend_on_the_unit(method: str, factor: float) -> None:
    rows = np.random.default_rng(9).normal(size=(100, 16))
    wanted = batch(many(rows), method, budget=10)
    assert batch(many(rows * factor), method, budget=10) == wanted


def many(embeddings: np.ndarray) -> Pool:
    rng = np.random.default_rng(1)
    n = len(embeddings)
    labels = np.where(np.arange(n) % 10 == 0, 1, -1)
    rows = rng.dirichlet([1, 1, 1], n)
    return Pool(range(n), probabilities=rows, labels=labels, embeddings=embeddings)


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_embeddings_of_objects_have_the_same_limits(scale: float) -> None:
    vectors = np.random.default_rng(2).normal(size=(6, 3)) * scale
    pool = Pool(range(6), objects=Objects(range(7), np.full(6, 0.5), embeddings=vectors))
    with pytest.raises(InvalidInput, match="between 1e-15 and 1e15 in size"):
        rank(pool, "least_confidence", selection="object_diversity", budget=2)


@pytest.mark.parametrize("method", METHODS)
def test_one_vector_far_out_leaves_the_digits_of_the_others(method: str) -> None:
    rows = np.random.default_rng(10).integers(0, 256, (200, 3)) / 16  # exact as float32
    rows[1] = 1e4  # the first candidate
    wanted = batch(many(rows), method, budget=20)
    assert batch(many(rows.astype(np.float32)), method, budget=20) == wanted
