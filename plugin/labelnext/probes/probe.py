"""probe(): learn classes from embeddings and the labels so far, and predict all items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool, must_be_pool
from labelnext.probes.choice import Choice
from labelnext.probes.independent import has_several, with_independent
from labelnext.probes.learner import PER_CLASS, VERSION, Learner
from labelnext.probes.numbers import is_of_numbers, with_estimates
from labelnext.probes.objects import as_items, learnable_objects, with_class_vectors
from labelnext.probes.space import Space, space_of
from labelnext.ranking.recipe import NOT_TRAINED
from labelnext.selection.auto import few_labels
from labelnext.support.annotations import Seed
from labelnext.support.signatures import checked, fitted_options
from labelnext.support.words import counted


@checked
def probe(
    pool: Pool,
    model: str = "logistic",
    *,
    options: Mapping[str, Any] | None = None,
    seed: Seed = 0,
    allow_import: bool = False,
) -> Pool:
    """A pool with class probabilities learned from its embeddings and the labels so far.

    A classifier on the standardised embeddings learns from the labelled items and predicts all
    others. Labelled items get out-of-fold probabilities: five classifiers each predict the fifth
    that they haven't seen. So comparing these with the labels is honest. The result depends neither
    on the order of the items nor on the number of processors.

    The probe isn't trained below two labels in any class; then the pool keeps what it has, and a
    notice says so. From two labels a class on average, classes with fewer than two are left out
    instead, with probability 0; from 20 labels on, only classes that are labelled count in this.

    If items are labelled with numbers (`numbers`), or `model` is regression, a committee of 50
    randomised trees predicts numbers as `estimates`, and each item's confidence is 1 less the
    committee's standard deviation in halves of the range of the labels. It needs five labels.

    Of one set of boxes with embeddings (`Objects.embeddings`), the probe learns the classes of
    objects from those that overlap a labelled object with an IoU of at least 0.5, and gives each a
    class vector; their confidences stay.

    If people give an item several classes (`multilabel`, or `truth` without boxes), each class is
    learned on its own, from two items that have it and two that don't.

    Args:
        pool: with embeddings, and labels, votes, numbers or classes as `truth`; predictions that it
            has are replaced.
        model: logistic, nearest, regression, or the import path of a classifier with scikit-learn's
            methods.
        options: of the classifier's constructor. Of logistic, the default of class_weight is
            balanced if a class has less than half of an even share of the labels. Weights go by
            the names of the classes, where an item has one.
        seed: of the folds, and of the classifier if it has a random state.
        allow_import: let model be a class of any module: importing a module runs its code.

    Raises:
        InvalidInput: if the pool has no embeddings, or its labels are objects and these have none;
            or if an argument is of another kind.
        ConfigError: if the model can't be used.

    Example:
        >>> places = [[0.0], [1.0], [9.0], [8.0], [2.0]]
        >>> pool = Pool("abcde", embeddings=places, labels=[0, 0, 1, 1, -1])
        >>> probe(pool).top_classes.tolist()
        [0, 0, 1, 1, 0]
    """
    must_be_pool(pool)
    fitted_options({"model": model}, {"model": str})
    choice = Choice(model, options or {}, allow_import)
    choice.estimator()
    return probed(pool, choice, seed)


def probed(pool: Pool, choice: Choice, seed: int) -> Pool:
    """A pool with the probabilities of a probe, as `probe` says.

    Args:
        pool: with embeddings.
        choice: the classifier.
        seed: of the folds and the classifier.

    Raises:
        InvalidInput: if the pool lacks embeddings, or its labels are objects.
        ConfigError: if the classifier fails.
    """
    if (objects := learnable_objects(pool)) is not None:
        learned = probed(as_items(pool, objects), choice, seed)
        return with_class_vectors(pool, objects, learned, choice.name)
    space = space_of(pool)
    notices = [notice for notice in pool.notices if notice.code != "no_predictions"]
    notices += _odd_embeddings(pool, space)
    of_numbers = is_of_numbers(pool, choice)
    if of_numbers or has_several(pool):
        if of_numbers:
            made, said = with_estimates(pool, choice, seed, space)
        else:
            made, said = with_independent(pool, choice, seed, space, _names(pool))
        if made is None:
            return replace(pool, notices=(*notices, said))
        return replace(made, notices=(*_replaced(pool, notices), said))
    labels = _labels(pool)
    n_classes = pool.n_classes or int(labels.max(initial=-1)) + 1
    names = pool.classes or tuple(str(position) for position in range(n_classes))
    known = space.order[labels[space.order] >= 0]
    counts = np.bincount(labels[known], minlength=n_classes)
    kept = np.flatnonzero(counts >= PER_CLASS)
    if len(kept) < 2 or (len(kept) < n_classes and counts.sum() < _few(counts)):
        return replace(pool, notices=(*notices, _not_trained(pool, counts, names)))
    training_rows = known[np.isin(labels[known], kept)]
    out = Learner(choice.of_classes([names[c] for c in kept]), space, seed).probabilities(
        training_rows, np.searchsorted(kept, labels[training_rows]), counts[kept], pool.item_ids
    )
    rows = np.full((len(pool), n_classes), np.nan)
    rows[space.order] = 0.0
    rows[np.ix_(space.order, kept)] = out[space.order]
    notices = _replaced(pool, notices)
    notices += _trained(choice, training_rows, counts, names, known, labels, pool)
    return replace(
        pool,
        probabilities=rows,
        objects=None,
        versions=(VERSION,),
        missing=~space.usable,
        notices=tuple(notices),
    )


def _odd_embeddings(pool: Pool, space: Space) -> Iterator[Notice]:
    """Items without an embedding, and those whose embedding is far out."""
    if len(lacking := pool.item_ids[pool.tie_order[~space.usable[pool.tie_order]]]):
        message = (
            f"The probe predicts nothing for {counted(len(lacking), 'item')} without an embedding: "
            f"{listed(lacking)}."
        )
        yield Notice("probe_without_embedding", message, tuple(lacking.tolist()))
    if len(far := pool.item_ids[space.far]):
        message = (
            f"The probe treats {counted(len(far), 'embedding')} as nearer to the others: more than "
            f"ten times as far out as 95% of all; check that they are right: {listed(far)}."
        )
        yield Notice("probe_far_embedding", message, tuple(far.tolist()))


def _names(pool: Pool) -> tuple[str, ...]:
    """The names of independent classes, or their numbers."""
    n_classes = pool.n_classes
    if n_classes is None:
        ids = pool.labels if pool.truth is None else pool.truth.class_ids
        n_classes = 0 if ids is None else int(ids.max(initial=-1)) + 1
    return pool.classes or tuple(str(position) for position in range(n_classes))


def _replaced(pool: Pool, notices: list[Notice]) -> list[Notice]:
    """The notices, where the probe's predictions replace others."""
    if pool.probabilities is None and pool.objects is None:
        return notices
    message = (
        "The probe's predictions replace those of the source, which had some for "
        f"{counted((~pool.missing).sum(), 'item')}."
    )
    kept = [notice for notice in notices if not notice.on_predictions]
    return [*kept, Notice("probe_replaces", message)]


def _labels(pool: Pool) -> NDArray[np.int64]:
    """The class that each item was given, or −1; of votes, the one with the most.

    Raises:
        InvalidInput: if objects are labelled.
    """
    if pool.labels is None and pool.truth is not None:
        raise InvalidInput(
            "a probe needs a class label per item; got labelled objects.",
            hint="bring predictions of a model of your own.",
        )
    if pool.labels is not None:
        return pool.labels
    chosen: NDArray[np.int64] = np.full(len(pool), -1, dtype=np.int64)
    if pool.votes is not None and pool.votes.size:
        ballots = np.stack([(pool.votes == c).sum(axis=1) for c in range(pool.votes.max() + 1)], 1)
        if ballots.shape[1]:
            most = ballots.max(axis=1)
            alone = (most > 0) & ((ballots == most[:, None]).sum(axis=1) == 1)
            chosen[alone] = ballots[alone].argmax(axis=1)
    return chosen


def _few(counts: NDArray[np.integer]) -> int:
    """From how many labels on a class with fewer than two no longer holds training up."""
    return few_labels(len(counts), int(np.count_nonzero(counts)))


def _not_trained(pool: Pool, counts: NDArray[np.integer], names: Sequence[str]) -> Notice:
    got = [f"{name} {n}" for name, n in zip(names, counts.tolist(), strict=True)]
    rule = f"it needs two classes with at least {PER_CLASS} labels each"
    if (counts >= PER_CLASS).sum() >= 2:
        rule += f", and {_few(counts)} labels in all"
    until = "selection auto goes by coverage"
    if not pool.missing.all():
        until = "the source's predictions count"
    message = (
        f"The probe isn't trained yet, and {until} until then: {rule}; got "
        f"{listed(got, 20) if counts.any() else 'no labels of items with embeddings'}."
    )
    return Notice(NOT_TRAINED, message)


def _trained(
    choice: Choice,
    rows: NDArray[np.intp],
    counts: NDArray[np.integer],
    names: Sequence[str],
    known: NDArray[np.intp],
    labels: NDArray[np.int64],
    pool: Pool,
) -> Iterator[Notice]:
    """What the probe learned from, and what it left out."""
    few = np.flatnonzero(counts < PER_CLASS)
    if len(few):
        message = (
            f"The probe left out {counted(len(few), 'class', 'classes')} with fewer than "
            f"{PER_CLASS} labels, which have probability 0: {listed(names[c] for c in few)}."
        )
        left_out = pool.item_ids[known[np.isin(labels[known], few)]]
        yield Notice("probe_left_out", message, tuple(left_out.tolist()))
    if nowhere := sorted(set(choice.weights or ()).difference(names)):
        message = (
            f"The probe weights no class {listed(nowhere)} (class_weight): so far, there are "
            f"{listed(names)}."
        )
        yield Notice("probe_no_such_class", message)
    n_classes = len(counts) - len(few)
    yield Notice(
        "probe",
        f"The probe ({choice.name}) learned from {counted(len(rows), 'label')} of "
        f"{n_classes} classes; it predicts labelled items out of fold.",
    )
