"""Class probabilities as vectors whose Euclidean distance is the Hellinger distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool
from labelnext.selection.vectors import Array, Coordinates, Points, finite_rows


def vectors_of_pool(pool: Pool, space: Coordinates | None) -> Array | None:
    """What a method takes as embeddings: those of the pool, or its class probabilities.

    Args:
        pool: the items.
        space: embeddings when None.

    Returns:
        Shape (n_items, n_dimensions); None if the pool has none. NaN for items without them.

    Raises:
        InvalidInput: if probabilities are asked for and the pool has none.

    Example:
        >>> pool = Pool(["a", "b"], probabilities=[[1.0, 0.0], [0.0, 1.0]])
        >>> first, second = vectors_of_pool(pool, "probabilities")
        >>> float(np.linalg.norm(first - second).round(9))
        1.0
    """
    if space != "probabilities":
        return pool.embeddings
    shares = class_shares(pool)
    if shares is None:
        raise InvalidInput(
            "space must be embeddings for a pool without class probabilities and without objects "
            "of classes; got 'probabilities'."
        )
    if pool.multilabel and pool.mean_probabilities is not None:
        shares = np.concatenate([shares, 1 - shares], axis=1)
    roots: Array = np.sqrt(shares)
    roots *= np.sqrt(0.5)
    return roots


def n_anchors(pool: Pool, space: Coordinates | None) -> int:
    """Number of labelled items whose vector is finite; 0 if the pool has no vectors.

    Args:
        pool: the items.
        space: embeddings when None.

    Example:
        >>> n_anchors(Pool(["a", "b"], embeddings=[[1.0], [np.nan]], labelled=[True, True]), None)
        1
    """
    vectors = vectors_of_pool(pool, space)
    if vectors is None:
        return 0
    return int((pool.labelled & finite_rows(Points(vectors), pool.item_ids)).sum())


def has_embeddings(pool: Pool) -> bool:
    """Whether the pool has embeddings, and any item one without NaN or infinity.

    Example:
        >>> has_embeddings(Pool("ab", embeddings=[[np.nan], [1]]))
        True
        >>> has_embeddings(Pool("ab", embeddings=[[np.nan], [np.nan]]))
        False
    """
    if pool.embeddings is None or not len(pool):
        return pool.embeddings is not None
    return any(
        np.isfinite(block).all(axis=1).any() for _, block in Points(pool.embeddings).blocks()
    )


def has_shares(pool: Pool) -> bool:
    """Whether `class_shares` gives any, without computing them."""
    if pool.mean_probabilities is not None:
        return True
    return any(o.class_ids is not None or o.probabilities is not None for o in pool.object_sets)


def class_shares(pool: Pool) -> NDArray[np.floating] | None:
    """How much each item holds of each class, shape (n_items, n_classes); rows sum to 1.

    The class probabilities, with several model versions their mean. For objects, the sum of the
    confidences of each class in the newest version that predicted the item; all 0 for items
    without objects. NaN for items without a prediction; None if no classes are predicted.

    Example:
        >>> seen = Objects([0, 3, 3], [0.6, 0.3, 0.3], class_ids=[0, 1, 1])
        >>> class_shares(Pool(["a", "b"], objects=seen)).tolist()
        [[0.5, 0.5], [0.0, 0.0]]
    """
    if pool.mean_probabilities is not None:
        return pool.mean_probabilities
    if not has_shares(pool):
        return None
    objects = pool.shown_objects
    assert objects is not None
    ids = _classes(objects)
    known = ids >= 0
    sums = np.zeros((len(pool), max(pool.n_classes or 1, int(ids.max(initial=-1)) + 1)))
    np.add.at(sums, (objects.item_positions[known], ids[known]), objects.confidences[known])
    totals = sums.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0)
    shares[pool.missing] = np.nan
    return shares


def _classes(objects: Objects) -> NDArray[np.int64]:
    """The class of each object; −1 where it has none."""
    if objects.class_ids is not None:
        return objects.class_ids
    if objects.probabilities is not None:
        likeliest: NDArray[np.int64] = objects.probabilities.argmax(axis=1).astype(np.int64)
        return likeliest
    return np.full(len(objects.confidences), -1, dtype=np.int64)
