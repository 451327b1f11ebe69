"""What a part brings to the choice of the batch: places in clusters, or picks of its own."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import LabelnextWarning
from labelnext.pool.id_order import id_order
from labelnext.pool.pool import Pool
from labelnext.ranking.recipe import Recipe
from labelnext.runs.large.choices import points_of
from labelnext.runs.large.guide import Guide, vectors_of
from labelnext.selection.constraints import Constraints
from labelnext.selection.typiclust import distances_to_nearest, nearest
from labelnext.selection.vectors import Array, Points

if TYPE_CHECKING:
    import pyarrow as pa


def located(
    recipe: Recipe, pool: Pool, ids: pa.Array, wanted: NDArray[np.bool_], guide: Guide
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The cluster of each item, and by what its list is ordered, shape (n_items,) each.

    For Image Diversity the distance to the centre; for TypiClust the mean distance to the nearest
    items of the sample in the same cluster.
    """
    rows = np.flatnonzero(wanted)
    clusters = np.zeros(len(pool), dtype=np.intp)
    distances = np.zeros(len(pool))
    if not len(rows):
        return clusters, distances
    points = points_of(recipe, vectors_of(pool, recipe), rows)
    clusters[rows] = nearest(points, guide.centres)
    if recipe.selection == "typiclust":
        distances[rows] = _typicality(points, clusters[rows], ids.take(rows).to_pylist(), guide)
        return clusters, distances
    squares = np.empty(len(rows))
    for start, block in points.blocks():
        squares[start] = np.linalg.norm(block - guide.centres[clusters[rows][start]], axis=1)
    distances[rows] = squares
    return clusters, distances


def _typicality(
    points: Points, clusters: NDArray[np.intp], names: list[str], guide: Guide
) -> Array:
    typical = np.zeros(len(points))
    positions = guide.positions
    guide_rows = np.array([positions.get(name, -1) for name in names], dtype=np.intp)
    homes = nearest(Points(guide.sample), guide.centres)
    for cluster in np.unique(clusters):
        members = np.flatnonzero(clusters == cluster)
        others = np.flatnonzero(homes == cluster)
        if not len(others):
            continue
        slots = np.minimum(np.searchsorted(others, guide_rows[members]), len(others) - 1)
        same = np.where(others[slots] == guide_rows[members], slots, -1)
        typical[members] = distances_to_nearest(
            points, members, guide.sample[others], same, len(others)
        )
    return typical


def proposed(
    recipe: Recipe,
    pool: Pool,
    ids: pa.Array,
    scores: NDArray[np.float64],
    utilities: NDArray[np.float64],
    wanted: NDArray[np.bool_],
    guide: Guide,
) -> pa.Table:
    """The first round: what the method picks of a part, with embeddings in its space."""
    import pyarrow as pa

    rows = np.flatnonzero(wanted)
    names = np.array(ids.take(rows).to_pylist(), dtype=np.str_)
    rows = rows[id_order(names)]
    points = points_of(recipe, vectors_of(pool, recipe), rows)
    picks = picked(recipe, points, guide.labelled, utilities[rows])
    vectors = np.ascontiguousarray(points[picks], dtype=np.float64)
    width = np.arange(len(picks) + 1, dtype=np.int32) * points.shape[1]
    return pa.table(
        {
            "item_id": ids.take(rows[picks]),
            "score": pa.array(scores[rows[picks]], from_pandas=True),
            "utility": pa.array(utilities[rows[picks]]),
            "embedding": pa.ListArray.from_arrays(pa.array(width), pa.array(vectors.ravel())),
        }
    )


def picked(
    recipe: Recipe,
    points: Points | Array,
    labelled: Array,
    utilities: NDArray[np.float64] | None = None,
) -> NDArray[np.intp]:
    """What the method of the table picks of some points, in order, near-duplicates left out.

    Args:
        recipe: with the method.
        points: shape (n_points, n_dimensions).
        labelled: shape (n_labelled, n_dimensions).
        utilities: shape (n_points,), for a method that takes them.
    """
    if not len(points):
        return np.empty(0, dtype=np.intp)
    given = labelled if len(labelled) else np.empty((0, points.shape[1]))
    if not recipe.constraints.spaced:
        return _picked(recipe, points, given, utilities, recipe.budget)
    n, vectors = len(points), np.concatenate([points[:], given])
    pool = Pool(range(len(vectors)), embeddings=vectors, labelled=np.arange(len(vectors)) >= n)
    limits = recipe.constraints
    apart = Constraints(min_distance=limits.min_distance, dedupe=limits.dedupe)

    def choose(
        left: NDArray[np.intp], taken: NDArray[np.intp], wanted: int | None
    ) -> NDArray[np.intp]:
        known = np.concatenate([given, vectors[taken]])
        doubt = None if utilities is None else utilities[left]
        return left[_picked(recipe, Points(vectors, left), known, doubt, wanted)]

    return apart.fill(pool, np.arange(n), recipe.budget, choose)[0]


def _picked(
    recipe: Recipe,
    points: Points | Array,
    labelled: Array,
    utilities: NDArray[np.float64] | None,
    budget: int | None,
) -> NDArray[np.intp]:
    method = recipe.method
    options = {**recipe.selection_options, **({"seed": recipe.seed} if method.seeded else {})}
    columns = {"embeddings": points, "labelled_embeddings": labelled, "utilities": utilities}
    inputs = {name: column for name, column in columns.items() if name in method.inputs}
    with warnings.catch_warnings():
        # Of a part alone; what all rounds cost is measured in the second.
        warnings.simplefilter("ignore", LabelnextWarning)
        return method.choose(inputs, len(points), budget, options)
