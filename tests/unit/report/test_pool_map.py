"""The map of the pool."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import labelnext.report.pool_map as pool_map
from labelnext.pool import Pool
from labelnext.ranking import rank
from labelnext.report.pool_map import HEIGHT, WIDTH, PoolMap, map_of


def pool_of(embeddings: object, **columns: object) -> Pool:
    n = len(embeddings)  # type: ignore[arg-type]
    rows = np.column_stack([np.linspace(0.5, 0.9, n), np.linspace(0.5, 0.1, n)])
    return Pool([f"i{k}" for k in range(n)], probabilities=rows, embeddings=embeddings, **columns)  # type: ignore[arg-type]


def mapped(pool: Pool, budget: int) -> PoolMap | None:
    names = pool.item_ids.tolist()
    batch = rank(pool, "margin", budget=budget).item_ids.tolist()
    return map_of(pool, np.array([names.index(name) for name in batch], dtype=np.intp))


def test_points_on_a_line_keep_their_distances() -> None:
    # On the diagonal of three dimensions: all variance is on one axis.
    pool = pool_of([[0, 0, 0], [1, 1, 1], [2, 2, 2], [4, 4, 4]], labels=[-1, -1, -1, 0])
    found = mapped(pool, 1)
    assert found is not None
    assert (found.names, len(found.batch), len(found.labelled), len(found.rest)) == (
        ("i0",),
        1,
        1,
        2,
    )
    xs = np.concatenate([found.batch, found.rest, found.labelled])[:, 0]
    steps = np.diff(xs)
    assert np.allclose(np.abs(steps) / np.abs(steps[0]), [1, 1, 2])
    assert np.isclose(abs(xs[-1] - xs[0]), WIDTH - 20)
    assert np.isclose(found.share, 1)


def test_points_lie_in_the_frame() -> None:
    pool = pool_of(np.random.default_rng(0).normal(size=(50, 4)))
    found = mapped(pool, 5)
    assert found is not None
    points = np.concatenate([found.rest, found.labelled, found.batch])
    assert len(points) == found.n_points == found.n_items == 50
    assert (points >= 9.99).all()
    assert (points <= [WIDTH - 9.99, HEIGHT - 9.99]).all()


def test_large_pool_is_sampled_but_the_batch_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_map, "_REST", 10)
    pool = pool_of(np.random.default_rng(0).normal(size=(60, 4)))
    found = mapped(pool, 20)
    assert found is not None
    assert (len(found.rest), len(found.batch), found.n_items) == (10, 20, 60)


def test_one_dimension_makes_a_line() -> None:
    pool = pool_of([[0.0], [1.0], [3.0]])
    found = mapped(pool, 3)
    assert found is not None
    assert np.allclose(found.batch[:, 1], HEIGHT / 2)


def test_no_map_without_embeddings_that_differ() -> None:
    for embeddings in (None, [[1.0, 2.0]] * 4, [[1.0, 2.0], [3.0, 4.0]]):
        n = 4 if embeddings is None else len(embeddings)
        pool = pool_of(embeddings) if embeddings else Pool(range(n), probabilities=[[0.5, 0.5]] * n)
        assert mapped(pool, len(pool)) is None


def test_embeddings_of_16_bits_are_drawn() -> None:
    found = mapped(pool_of(np.array([[0, 1], [1, 0], [3, 2]], dtype=np.float16)), 3)
    assert found is not None
    assert found.n_items == 3


@pytest.mark.parametrize("odd", [np.nan, np.inf, 1e300])
def test_an_embedding_that_cannot_be_drawn_is_left_out(odd: float) -> None:
    found = mapped(pool_of([[0.0, 1], [1, 0], [3, 2], [odd, 0]]), 4)  # without a warning
    assert found is not None
    assert (found.n_points, found.n_items) == (3, 3)


def test_umap_places_items_by_their_embeddings(monkeypatch: pytest.MonkeyPatch) -> None:
    class Reversed:
        def __init__(self, **_: object) -> None: ...

        def fit_transform(self, vectors: np.ndarray) -> np.ndarray:
            return -vectors[:, :2]

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Reversed))
    pool = pool_of([[k, 0, 9 * (k % 2)] for k in range(20)])
    found = map_of(pool, np.arange(2), "umap")
    assert found is not None
    assert found.share is None
    assert np.diff(found.batch[:, 0]) < 0  # reversed, and not on the main axis, the third number
    assert np.ptp(np.concatenate([found.batch, found.rest])[:, 1]) == 0


def test_few_items_lie_on_main_axes_also_with_umap() -> None:
    found = map_of(pool_of([[k, 0, 0] for k in range(15)]), np.arange(2), "umap")
    assert found is not None
    assert found.share == 1
