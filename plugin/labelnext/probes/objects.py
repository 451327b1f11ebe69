"""A probe of objects: class vectors of boxes, learned from those that overlap labelled ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.matching import matches
from labelnext.pool.answers import spread_rest
from labelnext.pool.objects import Notice, Objects
from labelnext.pool.pool import Pool
from labelnext.ranking.recipe import NOT_TRAINED
from labelnext.support.words import counted


def learnable_objects(pool: Pool) -> Objects | None:
    """The predicted boxes whose classes can be learned from their embeddings; None without any."""
    found = pool.object_sets[0] if len(pool.object_sets) == 1 else None
    if found is None or found.embeddings is None or found.boxes is None or pool.labels is not None:
        return None
    return found if pool.truth is None or pool.truth.boxes is not None else None


def as_items(pool: Pool, objects: Objects) -> Pool:
    """The objects as items of a pool of their own, labelled where they overlap a labelled one.

    Args:
        pool: the items; of those that people labelled, objects are compared with `truth`.
        objects: predicted, with embeddings.
    """
    owners = objects.item_positions
    places = np.arange(len(owners)) - objects.offsets[owners]
    names = zip(pool.item_ids[owners].tolist(), places.tolist(), strict=True)
    labels: NDArray[np.int64] = np.full(len(owners), -1, dtype=np.int64)
    truth = pool.truth
    if truth is not None and truth.class_ids is not None:
        labelled = matches(replace(objects, class_ids=None), truth)
        known = (labelled >= 0) & pool.labelled[owners]
        labels[known] = truth.class_ids[labelled[known]]
    return Pool(
        [f"{name}\n{place}" for name, place in names],
        embeddings=objects.embeddings,
        labels=labels,
        classes=pool.classes,
        missing=np.zeros(len(owners), dtype=bool),
    )


def with_class_vectors(pool: Pool, objects: Objects, learned: Pool, name: str) -> Pool:
    """The pool with class vectors of its objects, and the likeliest class of each.

    Where the probe says nothing of an object, the rest of its confidence is spread over the classes
    other than its own.

    Args:
        pool: the items.
        objects: their predicted objects.
        learned: these as items, with what a probe says of them.
        name: of the probe.
    """
    rows = learned.mean_probabilities
    if rows is None:
        said = [notice for notice in learned.notices if notice.code == NOT_TRAINED]
        return replace(pool, notices=(*pool.notices, *said))
    vectors = rows.astype(np.float64)
    bare = np.flatnonzero(np.isnan(vectors).any(axis=1))
    vectors[bare] = np.nan
    if objects.class_ids is not None:
        known = bare[objects.class_ids[bare] >= 0]
        vectors[known, objects.class_ids[known]] = objects.confidences[known]
    vectors[bare] = spread_rest(vectors[bare])
    vectors[np.isnan(vectors)] = 1 / vectors.shape[1]
    labels = learned.labels
    assert labels is not None, "as_items gives some"
    n_learned = counted(int((labels >= 0).sum()), "object")
    message = (
        f"The probe ({name}) learned classes from {n_learned} that overlap a labelled one, and "
        "predicts these out of fold; each object's class vector is the probe's."
    )
    if len(bare):
        message += (
            f" {counted(len(bare), 'object')} without an embedding kept the detector's class."
        )
    made = replace(objects, probabilities=vectors, class_ids=vectors.argmax(axis=1))
    return replace(pool, objects=made, notices=(*pool.notices, Notice("probe", message)))
