"""Entropy of an image's objects, counting lookalikes once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.objects import NoObjects, alone, reduce_objects
from labelnext.acquisition.reductions import of_equal_length
from labelnext.acquisition.uncertainty import entropy
from labelnext.errors import InvalidInput
from labelnext.pool.objects import Objects
from labelnext.support.annotations import Cosine, Share
from labelnext.support.signatures import checked

_NUMBERS = 1 << 20  # of embeddings at a time


@checked
def distinct_entropy(
    objects: Objects,
    *,
    similarity: Cosine = 0.5,
    floor: Share = 0.0,
    no_objects: NoObjects = "first",
) -> NDArray[np.floating]:
    """Summed entropy of an image's objects, skipping lookalikes of more uncertain ones.

    In order of falling entropy, each object is kept, and objects of its class in the same image
    whose embeddings have a cosine above `similarity` with it are dropped.

    Args:
        objects: predicted objects with embeddings; without class vectors, the binary entropy of
            the confidence is used; without class ids, all objects share one class.
        similarity: cosine above which two objects look alike, in [−1, 1].
        floor: objects with a lower confidence are ignored.
        no_objects: whether items without objects come first or last; their score is 0.

    Returns:
        Shape (n_items,), in [0, n_objects · ln n_classes] nats; larger is less certain.

    Raises:
        InvalidInput: if the objects have no embeddings or `similarity` is out of range.

    References:
        After Wu, Chen and Huang (2022), Entropy-based active learning for object detection with
        progressive diversity constraint: the suppression inside an image, from its description.

    Example:
        >>> twins = Objects([0, 2], [0.5, 0.5], embeddings=[[1, 0], [2, 0]])
        >>> distinct_entropy(twins).round(4).tolist()  # ln 2 once
        [0.6931]
    """
    if not len(objects.confidences):
        return np.zeros(len(objects))
    if objects.embeddings is None:
        raise InvalidInput("objects must have embeddings for distinct_entropy; got none.")
    nats = entropy(alone(objects))
    # An object below the floor must not suppress one above it.
    worth = np.where(objects.confidences < floor, -np.inf, np.where(np.isnan(nats), np.inf, nats))
    lengths = np.linalg.norm(objects.embeddings, axis=1, keepdims=True)
    unit = objects.embeddings / np.where(lengths > 0, lengths, 1)
    classes = objects.class_ids
    if classes is None:
        classes = np.zeros(len(nats), dtype=np.int64)
    order = np.lexsort((-worth, classes, objects.item_positions))
    kept = _kept(order, [objects.item_positions, classes], unit, similarity)
    return reduce_objects(nats[kept], objects.where(kept), reduce="sum", floor=floor, empty=0.0)


def _kept(
    order: NDArray[np.intp],
    groups: list[NDArray[np.integer]],
    unit: NDArray[np.floating],
    similarity: float,
) -> NDArray[np.bool_]:
    """Which objects no earlier one of their group suppresses that is kept itself.

    Args:
        order: shape (n_objects,), groups together, the first of each to be kept first.
        groups: of shape (n_objects,); alike in all of them within a group.
        unit: shape (n_objects, n_dimensions), of unit length.
        similarity: the cosine above which an object is suppressed.
    """
    kept = np.ones(len(order), dtype=np.bool_)
    differs = [np.diff(group[order]) != 0 for group in groups]
    ends = np.flatnonzero(np.logical_or.reduce(differs)) + 1
    offsets = np.concatenate([[0], ends, [len(order)]])
    for _, positions in of_equal_length(offsets, max(1, _NUMBERS // unit.shape[1])):
        members = order[positions]
        vectors, stays = unit[members], np.ones(members.shape, dtype=np.bool_)
        for first in range(members.shape[1] - 1):
            leads = np.flatnonzero(stays[:, first])
            others = vectors[leads, first + 1 :]
            cosines = np.einsum("gmd,gd->gm", others, vectors[leads, first])
            stays[leads, first + 1 :] &= ~(cosines > similarity)
        kept[members] = stays
    return kept
