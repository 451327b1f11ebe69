"""A probe of independent classes: an item may have several of them, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import listed
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.probes.choice import Choice
from labelnext.probes.learner import PER_CLASS, VERSION, Learner
from labelnext.probes.space import Space
from labelnext.ranking.recipe import NOT_TRAINED
from labelnext.support.words import counted

_ENOUGH = 10  # labelled items a class, from which one without enough no longer holds training up


def has_several(pool: Pool) -> bool:
    """Whether people may give an item several classes.

    The pool says so, or its labels do: classes of items that tell which were looked at.

    Example:
        >>> from labelnext import Objects
        >>> two = Objects([0, 2, 2], [1, 1], class_ids=[0, 1], missing=[False, False])
        >>> has_several(Pool("ab", truth=two, classes=["x", "y"]))
        True
    """
    truth = pool.truth
    if truth is None or truth.class_ids is None:
        return pool.multilabel and truth is None
    of_items = truth.boxes is None and not truth.spans
    return of_items and (pool.multilabel or truth.missing is not None)


def given_classes(pool: Pool, n_classes: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The items whose classes are known, and which they have.

    Of labels without a place, an item with none of the classes counts if the labels say that it was
    looked at (`Objects.missing`).

    Returns:
        Positions of the items, shape (n_known,), and shape (n_known, n_classes).
    """
    given: NDArray[np.bool_] = np.zeros((len(pool), n_classes), dtype=bool)
    known: NDArray[np.bool_] = np.zeros(len(pool), dtype=bool)
    truth = pool.truth
    if truth is not None and truth.class_ids is not None:
        named = truth.class_ids >= 0
        given[truth.item_positions[named], truth.class_ids[named]] = True
        known |= given.any(axis=1) if truth.missing is None else ~truth.missing
        # A class that isn't among the pool's leaves it open what else the item has.
        known[truth.item_positions[~named]] = False
    elif pool.labels is not None:
        known = pool.labels >= 0
        given[np.flatnonzero(known), pool.labels[known]] = True
    rows = np.flatnonzero(known & pool.labelled)
    return rows, given[rows]


def with_independent(
    pool: Pool, choice: Choice, seed: int, space: Space, names: Sequence[str]
) -> tuple[Pool | None, Notice]:
    """The pool with a probability for each class, learned class by class.

    A class needs two items that have it and two that don't. From ten labelled items a class on
    average, classes without them are left out: with probability 0, or 1 if nearly all have it.

    Args:
        pool: with classes of labelled items.
        choice: the classifier.
        seed: of the folds and the classifier.
        space: the embeddings.
        names: of the classes.

    Returns:
        The pool, None if nothing is learned yet; and what is to be said of it.
    """
    rows, given = given_classes(pool, len(names))
    usable = np.isin(rows, space.order)
    rows, given = rows[usable], given[usable]
    order = np.argsort(np.argsort(pool.tie_order)[rows])  # as the folds and sums go by id
    rows, given = rows[order], given[order]
    with_class = given.sum(axis=0)
    trained = np.minimum(with_class, len(rows) - with_class) >= PER_CLASS
    if not trained.any() or (not trained.all() and len(rows) < _ENOUGH * len(names)):
        got = [f"{name} {n}" for name, n in zip(names, with_class.tolist(), strict=True)]
        return None, Notice(
            NOT_TRAINED,
            "The probe isn't trained yet, and selection auto goes by coverage until then: it needs "
            f"{PER_CLASS} labelled items that have a class and {PER_CLASS} that don't, of each "
            f"class; got {listed(got, 20)}, of {counted(len(rows), 'labelled item')}.",
        )
    out = np.full((len(pool), len(names)), np.nan)
    out[space.order] = (2 * with_class > len(rows)).astype(np.float64)
    learner = Learner(choice, space, seed)
    for c in np.flatnonzero(trained).tolist():
        has = given[:, c].astype(np.int64)
        learned = learner.probabilities(rows, has, np.bincount(has), pool.item_ids)
        out[space.order, c] = learned[space.order, 1]
    n_trained = counted(int(trained.sum()), "independent class", "independent classes")
    few = [name for name, learned in zip(names, trained.tolist(), strict=True) if not learned]
    left_out = f" It left out {listed(few)}, which nearly all or nearly none have." if few else ""
    made = replace(
        pool,
        probabilities=out,
        objects=None,
        multilabel=True,
        versions=(VERSION,),
        missing=~space.usable,
    )
    return made, Notice(
        "probe",
        f"The probe ({choice.name}) learned {n_trained} from {counted(len(rows), 'labelled item')};"
        f" it predicts labelled items out of fold.{left_out}",
    )
