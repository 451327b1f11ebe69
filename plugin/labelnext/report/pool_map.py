"""A map of the pool: items that look alike to the model lie close to each other."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labelnext.pool.pool import Pool
from labelnext.selection.vectors import LARGEST, Points

WIDTH, HEIGHT = 640.0, 420.0
_EDGE = 10.0
_REST, _BATCH = 2_000, 1_000  # points of each kind
_NEIGHBOURS = 15  # UMAP's own default


@dataclass(frozen=True)
class PoolMap:
    """Where items lie on the map.

    Attributes:
        rest: shape (n, 2), places of items that are neither labelled nor in the batch.
        labelled: shape (n, 2).
        batch: shape (n, 2), in rank order.
        names: ids of the batch's items.
        n_items: how many items have an embedding.
        share: of the embeddings' variance that the map shows, in [0, 1]; None of UMAP.
    """

    rest: NDArray[np.float64]
    labelled: NDArray[np.float64]
    batch: NDArray[np.float64]
    names: tuple[str, ...]
    n_items: int
    share: float | None

    @property
    def n_points(self) -> int:
        """How many items are drawn."""
        return len(self.rest) + len(self.labelled) + len(self.batch)


def map_of(
    pool: Pool, batch: NDArray[np.intp], kind: Literal["pca", "umap"] = "pca"
) -> PoolMap | None:
    """The pool's embeddings in two dimensions; None without embeddings that differ.

    Of a large pool, a sample is drawn, with all of the batch up to a thousand items.

    Args:
        pool: the items.
        batch: the pool's rows of the batch, in rank order.
        kind: by their two main axes (PCA), or by UMAP, which needs more than 15 items.
    """
    if pool.embeddings is None:
        return None
    blocks = Points(pool.embeddings).each(
        lambda _, block: (np.abs(block, dtype=np.float64) <= LARGEST).all(axis=1)
    )
    known: NDArray[np.bool_] = np.concatenate([np.empty(0, dtype=bool), *blocks])
    chosen = batch[:_BATCH]
    chosen = chosen[known[chosen]]
    others = known.copy()
    others[chosen] = False
    labelled = _sample(others & pool.labelled)
    rest = _sample(others & ~pool.labelled)
    rows = np.concatenate([rest, labelled, chosen])
    vectors = np.asarray(pool.embeddings[rows], dtype=np.float64)
    if len(rows) < 3 or not np.ptp(vectors, axis=0).any():
        return None
    share = None
    if kind == "umap" and len(rows) > _NEIGHBOURS:
        points = _by_umap(vectors)
    else:
        points, share = on_main_axes(vectors)
    drawn = np.split(_fitted(points), np.cumsum([len(rest), len(labelled)]))
    names = tuple(pool.item_ids[chosen].tolist())
    return PoolMap(drawn[0], drawn[1], drawn[2], names, int(known.sum()), share)


def _sample(kept: NDArray[np.bool_]) -> NDArray[np.intp]:
    rows = np.flatnonzero(kept)
    if len(rows) <= _REST:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, _REST, replace=False))


def _by_umap(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    from umap import UMAP

    model = UMAP(n_neighbors=_NEIGHBOURS, random_state=0, n_jobs=1)  # several jobs have no seed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as that groups are far apart
        return np.asarray(model.fit_transform(vectors), dtype=np.float64)


def on_main_axes(vectors: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """The vectors on their two main axes, and how much of them that shows.

    Args:
        vectors: shape (n, d), finite, with n of at least 2.

    Returns:
        Shape (n, 2), and the share of the variance on these axes, in [0, 1].

    Example:
        >>> points, share = on_main_axes(np.array([[0.0, 0, 0], [2, 0, 0], [4, 0, 0]]))
        >>> np.abs(points[:, 0]).round(6).tolist(), round(share, 6)
        ([2.0, 0.0, 2.0], 1.0)
    """
    from sklearn.decomposition import PCA

    axes = min(2, vectors.shape[1])
    model = PCA(axes, random_state=0)
    points = model.fit_transform(vectors)
    flat = np.zeros((len(points), 2 - axes))
    return np.hstack([points, flat]), float(model.explained_variance_ratio_.sum())


def _fitted(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The points in the frame, with the same scale in both directions."""
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array([WIDTH, HEIGHT]) - 2 * _EDGE
    extent = np.maximum(high - low, 1e-12)
    scale = float((room / extent).min())
    centred: NDArray[np.float64] = (points - (low + high) / 2) * scale
    return np.array([WIDTH, HEIGHT]) / 2 + centred
