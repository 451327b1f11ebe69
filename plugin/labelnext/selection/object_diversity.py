"""Object diversity: among the best scores, the images whose objects look least alike."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, LabelnextWarning
from labelnext.pool.objects import Objects
from labelnext.selection.sorting import stable_order
from labelnext.selection.vectors import Points, finite_rows
from labelnext.support.annotations import Factor, NaturalNumber
from labelnext.support.signatures import checked

_Matrix = NDArray[np.float32]

_FAR = 2.0  # 1 − cosine of opposite vectors: the maximum
_MOST = 8192  # candidates; their distances take 256 MiB
_BLOCK = 1 << 22  # object pairs compared at a time
_ROUNDS = 100  # of k-medoids, which converges after a few


@checked
def object_diversity(
    utilities: NDArray[np.floating],
    objects: Objects,
    taken_objects: Objects | None = None,
    budget: NaturalNumber | None = None,
    *,
    pool_factor: Factor = 4.0,
) -> NDArray[np.intp]:
    """Positions of k medoids, by class-aware image distance, among the best scores.

    From the `pool_factor` · k best scores, k start points come from farthest-first traversal and
    then move to the medoids of their nearest items until none moves. The batch is sorted by score.
    Items already picked for the batch are fixed centres.

    Args:
        utilities: shape (n_items,), larger is labelled sooner; ±inf is allowed.
        objects: of the items, with embeddings; without class ids, all share one class.
        taken_objects: objects of items already picked.
        budget: how many; when None or at least the number of items, all items by score.
        pool_factor: at least 1; with 1 the batch is the best scores. At most 8,192 candidates
            are considered, the best ones.

    Returns:
        Shape (min(budget, n_items),).

    Raises:
        InvalidInput: if the objects have no embeddings, or ones too large or small to be squared,
            or `pool_factor` is below 1.

    References:
        Yang et al. (2024), Plug and Play Active Learning for object detection, its second stage.

    Example:
        >>> twins = [[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]
        >>> objects = Objects([0, 1, 2, 3], [0.9, 0.9, 0.9], embeddings=twins)
        >>> object_diversity(np.array([0.9, 0.8, 0.7]), objects, budget=2).tolist()
        [0, 2]
    """
    finite_rows(Points(_given_embeddings(objects)), few=0)
    order = stable_order(np.asarray(utilities, dtype=np.float64))
    n_picks = len(order) if budget is None else min(budget, len(order))
    n_candidates = int(np.ceil(min(pool_factor * n_picks, len(order))))
    if n_candidates > _MOST and n_picks < len(order):
        n_candidates = max(n_picks, _MOST)
        message = f"object_diversity considered only the {n_candidates:,} best scores."
        warnings.warn(message, LabelnextWarning, stacklevel=2)
    candidates = order[:n_candidates]
    if n_picks in (0, n_candidates):
        return candidates[:n_picks]
    candidate_objects = objects.take(candidates)
    distances = image_distances(candidate_objects, candidate_objects)
    limits: _Matrix = np.repeat(np.float32(np.inf), n_candidates)
    if taken_objects is not None and len(taken_objects):
        limits = image_distances(candidate_objects, taken_objects).min(axis=1)
    picks = _medoids(distances, _spread(distances, limits, n_picks), limits)
    return candidates[np.sort(picks)]  # candidates are sorted by score


def image_distances(first: Objects, second: Objects) -> _Matrix:
    """Class-aware distance between every pair of images, by their objects.

    In one direction, each object's distance is 1 − cosine to the most similar object of its class
    in the other image, or 2 if its class is absent; the mean is weighted by confidence. The
    distance is the mean of both directions. An image without objects has distance 2 to images with
    objects, and 0 to others without.

    Args:
        first: with embeddings; n_first items.
        second: with embeddings of the same width; n_second items.

    Returns:
        Shape (n_first, n_second), in [0, 2].

    Raises:
        InvalidInput: if there are no embeddings, or their widths differ.

    References:
        Yang et al. (2024): category-conditioned matching similarity.

    Example:
        >>> a = Objects([0, 1], [0.5], class_ids=[0], embeddings=[[1.0, 0.0]])
        >>> b = Objects([0, 2], [0.5, 0.5], class_ids=[0, 1], embeddings=[[0.0, 1.0], [1.0, 0.0]])
        >>> image_distances(a, b).tolist()  # to b: 1; back: (1 + 2)/2
        [[1.25]]
    """
    there = _directed(first, second)
    back = there if first is second else _directed(second, first)
    distances: _Matrix = np.float32(0.5) * (there + back.T)
    return distances


def _directed(first: Objects, second: Objects) -> _Matrix:
    """Mean distance from each first item's objects to the nearest of their class in each second.

    Shape (n_first, n_second).
    """
    vectors, others = _unit_embeddings(first), _unit_embeddings(second)
    if len(vectors) and len(others) and vectors.shape[1] != others.shape[1]:
        raise InvalidInput(
            "object embeddings must have the same width; "
            f"got {vectors.shape[1]} and {others.shape[1]}."
        )
    shares = _shares(first)
    classes, other_classes = _classes(first), _classes(second)
    out = np.zeros((len(first), len(second)), dtype=np.float32)
    for c in np.unique(classes):
        rows, targets = np.flatnonzero(classes == c), np.flatnonzero(other_classes == c)
        items, starts = np.unique(second.item_positions[targets], return_index=True)
        step = max(1, _BLOCK // max(1, len(targets), len(second)))
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            nearest = np.full((len(part), len(second)), _FAR, dtype=np.float32)
            if len(targets):
                cosines = vectors[part] @ others[targets].T
                nearest[:, items] = 1 - np.maximum.reduceat(cosines, starts, axis=1)
            nearest *= shares[part, None]
            owners, firsts = np.unique(first.item_positions[part], return_index=True)
            out[owners] += np.add.reduceat(nearest, firsts, axis=0)
    out[np.ix_(first.counts == 0, second.counts > 0)] = _FAR
    return np.clip(out, 0, _FAR, out=out)  # rounding may leave −1e-7


def _given_embeddings(objects: Objects) -> NDArray[np.floating]:
    if objects.embeddings is None:
        raise InvalidInput(
            "object_diversity needs an embedding for each object; got none.",
            hint="store one with each object, or use a method based on item embeddings.",
        )
    return objects.embeddings


def _unit_embeddings(objects: Objects) -> _Matrix:
    vectors = _given_embeddings(objects)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: _Matrix = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return unit


def _classes(objects: Objects) -> NDArray[np.int64]:
    if objects.class_ids is None:
        return np.zeros(len(objects.confidences), dtype=np.int64)
    return objects.class_ids


def _shares(objects: Objects) -> _Matrix:
    """Each object's weight in the mean over its item, shape (n_objects,)."""
    owners = objects.item_positions
    totals = np.bincount(owners, objects.confidences, minlength=len(objects))
    # If all confidences are 0, objects get equal weight.
    weights = np.where(totals[owners] > 0, objects.confidences, 1)
    totals = np.bincount(owners, weights, minlength=len(objects))
    shares: _Matrix = (weights / totals[owners]).astype(np.float32)
    return shares


def _spread(distances: _Matrix, limits: _Matrix, n_picks: int) -> NDArray[np.intp]:
    """Farthest-first traversal; starts with the best score if nothing is taken."""
    nearest = limits.copy()
    picks = []
    for _ in range(n_picks):
        pick = int(nearest.argmax())  # all inf at first: the earliest
        picks.append(pick)
        nearest = np.minimum(nearest, distances[:, pick])
        nearest[picks] = -1
    return np.array(picks, dtype=np.intp)


def _medoids(distances: _Matrix, centres: NDArray[np.intp], limits: _Matrix) -> NDArray[np.intp]:
    """Move each centre to the medoid of its nearest items until none moves."""
    for _ in range(_ROUNDS):
        near = distances[:, centres]
        nearest = near.argmin(axis=1)
        nearest[near.min(axis=1) > limits] = -1  # nearer to an item already taken
        nearest[centres] = np.arange(len(centres))
        moved = centres.copy()
        for centre in range(len(centres)):
            members = np.flatnonzero(nearest == centre)
            sums = distances[np.ix_(members, members)].sum(axis=1, dtype=np.float64)
            moved[centre] = members[sums.argmin()]
        if (moved == centres).all():
            break
        centres = moved
    return centres
