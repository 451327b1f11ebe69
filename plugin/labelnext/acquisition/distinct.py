"""Entropy of an image's objects, counting lookalikes once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.objects import NoObjects, alone, reduce_objects
from labelnext.acquisition.uncertainty import entropy
from labelnext.errors import InvalidInput
from labelnext.pool.objects import Objects
from labelnext.support.annotations import Cosine, Share
from labelnext.support.compiled import compiled
from labelnext.support.signatures import checked


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
    order = np.lexsort((-worth, objects.item_positions))
    classes = objects.class_ids
    if classes is None:
        classes = np.zeros(len(nats), dtype=np.int64)
    kept = np.ones(len(nats), dtype=np.bool_)
    compiled(_suppress)(order, objects.offsets, classes, unit, float(similarity), kept)
    return reduce_objects(nats[kept], objects.where(kept), reduce="sum", floor=floor, empty=0.0)


def _suppress(
    order: Any, offsets: Any, classes: Any, unit: Any, similarity: float, kept: Any
) -> None:
    for i in range(len(offsets) - 1):
        for a in range(offsets[i], offsets[i + 1]):
            first = order[a]
            if not kept[first]:
                continue
            for b in range(a + 1, offsets[i + 1]):
                second = order[b]
                if not kept[second] or classes[first] != classes[second]:
                    continue
                cosine = 0.0
                for d in range(unit.shape[1]):
                    cosine += unit[first, d] * unit[second, d]
                if cosine > similarity:
                    kept[second] = False
