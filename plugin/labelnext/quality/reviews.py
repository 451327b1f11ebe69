"""Label review: finds doubtful labels with cleanlab, from stored predictions.

Use predictions from a model that hasn't seen the items, such as from cross-validation: a model
tends to agree with the labels it was trained on, right or wrong.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.overlap import boxes_of
from labelnext.errors import InvalidInput, MissingExtra, listed, shown
from labelnext.pool.answers import answer_rows
from labelnext.pool.objects import Notice, Objects
from labelnext.pool.pool import Pool, must_be_pool
from labelnext.ranking.ranking import Ranking, priorities
from labelnext.ranking.reasons import class_name
from labelnext.ranking.recipe import check_whole
from labelnext.selection.sorting import stable_order
from labelnext.support.started import how_to_install
from labelnext.support.words import counted

LabelScore = Literal["auto", "self_confidence", "normalized_margin", "confidence_weighted_entropy"]
# ObjectLab compares corner distances in pixels; our boxes are fractions of the image.
_PIXELS = 640
_FEW = "it has too few examples"  # in cleanlab's warning

Scored = tuple[str, NDArray[np.float64], list[Notice]]


def review(pool: Pool, *, score: LabelScore = "auto", budget: int | None = None) -> Ranking:
    """Rank a pool's existing labels, most doubtful first.

    The measure depends on the pool: ActiveLab if several people labelled an item, ObjectLab for
    labelled objects, otherwise the score of each item's class. With one confidence per item, the
    rest counts as spread over the other classes. Of numbers that a probe predicts, it is 1 less the
    error as a share of the range of all labels.

    Args:
        pool: with labels and predictions; items without either are left out.
        score: for single class labels: self_confidence is the label's probability;
            normalized_margin and confidence_weighted_entropy compare it with the other classes.
            auto is self_confidence, or ActiveLab for votes of several people.
        budget: size of the batch; all of them when None.

    Returns:
        The ranking, with purpose review; scores in [0, 1], low is doubtful.

    Raises:
        MissingExtra: if cleanlab isn't installed, which numbers don't need.
        InvalidInput: if the pool has no labels and predictions to compare, or `budget` is below 1.

    References:
        Northcutt et al., Confident Learning (2021); Goh and Mueller, ActiveLab (2023); Tkachenko et
        al., ObjectLab (2023).

    Example:
        >>> rows = [[0.9, 0.1], [0.9, 0.1], [0.2, 0.8]]
        >>> pool = Pool(["a", "b", "c"], probabilities=rows, labels=[0, 1, 1])
        >>> review(pool).item_ids.tolist()
        ['b', 'c', 'a']
    """
    must_be_pool(pool)
    check_whole("budget", budget, 1, "leave it out to rank all labels.")
    name, scores, notices = _scores(pool, score)
    order = pool.tie_order
    candidates = order[np.isfinite(scores)[order]]
    ranked = candidates[stable_order(-scores[candidates])]
    batch = ranked if budget is None else ranked[:budget]
    left = pool.labelled & ~np.isfinite(scores)
    return Ranking(
        item_ids=pool.item_ids[batch],
        ranks=np.arange(1, len(batch) + 1),
        priorities=priorities(len(ranked))[: len(batch)],
        scores=scores[batch],
        pool_order=pool.item_ids[ranked],
        pool_scores=scores[ranked],
        unscored_ids=tuple(pool.item_ids[order[left[order]]].tolist()),
        acquisition=name,
        of="objects" if pool.truth is not None else "items",
        direction="low",
        notices=tuple(notices),
        purpose="review",
    )


def _scores(pool: Pool, score: LabelScore) -> Scored:
    """Name of the measure, label quality of shape (n_items,), NaN for none, and notices."""
    if not isinstance(score, str) or score not in get_args(LabelScore):
        raise InvalidInput(
            f"score must be one of {', '.join(get_args(LabelScore))}; got {shown(score)}."
        )
    if pool.numbers is not None and pool.estimates is not None:
        return "residual", _of_numbers(pool.numbers, pool.estimates), []
    if importlib.util.find_spec("cleanlab") is None:
        raise MissingExtra(
            "purpose review needs the package cleanlab, which isn't installed.",
            hint=how_to_install("labelnext[review]"),
        )
    if pool.truth is not None and pool.shown_objects is not None:
        return _of_objects(pool, pool.truth, pool.shown_objects)
    rows = pool.mean_probabilities
    if pool.answer is not None and pool.answer.class_ids is not None and pool.n_classes:
        rows = answer_rows(pool.answer, pool.n_classes)
    if pool.labels is None or rows is None or pool.multilabel:
        raise InvalidInput(
            "purpose review needs labels and predictions of the same kind (a class per item with "
            "probabilities, a number with the probe's, or boxes with boxes); the source has none.",
            hint="name the labels and predictions in source.",
        )
    if score == "auto" and pool.votes is not None and ((pool.votes >= 0).sum(axis=1) > 1).any():
        return _of_votes(pool, rows, pool.votes)
    return _of_labels(pool, rows, pool.labels, "self_confidence" if score == "auto" else score)


def _of_labels(
    pool: Pool, rows: NDArray[np.floating], labels: NDArray[np.int64], score: str
) -> Scored:
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    usable = _by_id(pool, (labels >= 0) & np.isfinite(rows).all(axis=1))
    scores: NDArray[np.float64] = np.full(len(pool), np.nan)
    if not usable.size:
        return score, scores, []
    given = (labels[usable], rows[usable])
    scores[usable], notices = _quietly(lambda: get_label_quality_scores(*given, method=score))
    if len(np.unique(given[0])) < 2:  # cleanlab's estimate refuses these
        message = "The number of wrong labels can't be estimated: all labels are of one class."
        return score, scores, [Notice("one_class", message), *notices]
    # One process: worker start-up costs more than processing a million items.
    wrong, more = _quietly(lambda: find_label_issues(*given, n_jobs=1))
    more = [notice for notice in more if _FEW not in notice.message]  # it counts classes from 0
    also, never = _never_labelled(pool, *given)
    ids = pool.item_ids[usable[wrong | also]]
    message = (
        f"Confident learning estimates {counted(len(ids), 'wrong label')} out of {len(usable)}: "
        "check about that many from the top."
    )
    issues = Notice("label_issues", message, tuple(ids.tolist()))
    return score, scores, [issues, *never, *notices, *more]


def _never_labelled(
    pool: Pool, labels: NDArray[np.int64], rows: NDArray[np.floating]
) -> tuple[NDArray[np.bool_], list[Notice]]:
    """Labels where the model is sure of a class that nothing is labelled as, and a notice.

    Confident learning is sure of a class from the mean probability of the items labelled so. A
    class without any gets the mean of the other classes' thresholds.
    """
    counts = np.bincount(labels, minlength=rows.shape[1])
    never = counts == 0
    sums = np.bincount(labels, weights=rows[np.arange(len(rows)), labels], minlength=len(never))
    threshold = float((sums[~never] / counts[~never]).mean())
    predicted = never[rows.argmax(axis=1)]
    wrong: NDArray[np.bool_] = predicted & (rows.max(axis=1) >= threshold)
    if not predicted.any():
        return wrong, []
    names = [class_name(pool, position) for position in np.flatnonzero(never).tolist()]
    message = (
        f"Nothing is labelled {listed(names)}. Where the model predicts that, a label counts as "
        f"wrong from a probability of {threshold:.2f} on, the mean threshold of the other "
        f"classes: {wrong.sum()} of {counted(int(predicted.sum()), 'label')}."
    )
    return wrong, [Notice("never_labelled", message)]


def _of_numbers(
    numbers: NDArray[np.float64], estimates: NDArray[np.float64]
) -> NDArray[np.float64]:
    """1 less the error in ranges of all labels, and 0 from there on; NaN without both."""
    error = np.abs(estimates - numbers)
    known = numbers[~np.isnan(numbers)]
    width = float(np.ptp(known)) if len(known) else 0.0
    return np.asarray(1 - np.clip(error / width if width else np.sign(error), 0, 1))


def _of_votes(pool: Pool, rows: NDArray[np.floating], votes: NDArray[np.int64]) -> Scored:
    from cleanlab.multiannotator import get_active_learning_scores

    usable = _by_id(pool, (votes >= 0).any(axis=1) & np.isfinite(rows).all(axis=1))
    people = (votes[usable] >= 0).any(axis=0)
    cast = np.where(votes >= 0, votes, np.nan)[usable][:, people]
    scores: NDArray[np.float64] = np.full(len(pool), np.nan)
    (scores[usable], _), notices = _quietly(lambda: get_active_learning_scores(cast, rows[usable]))
    several = (~np.isnan(cast)).sum(axis=1) > 1
    message = (
        f"Ranked by ActiveLab (disagreement among people and the model), because several of "
        f"{people.sum()} people labelled {int(several.sum())} of "
        f"{counted(len(usable), 'item')}."
    )
    return "active_lab", scores, [Notice("several_people", message), *notices]


def _of_objects(pool: Pool, truth: Objects, objects: Objects) -> Scored:
    from cleanlab.object_detection.rank import get_label_quality_scores

    usable = _by_id(pool, pool.labelled & ~pool.missing)
    n_classes = pool.n_classes or 1
    for side in (truth, objects):
        boxes_of(side)
        if side.class_ids is None or (side.class_ids < 0).any():
            raise InvalidInput("every object must have a class to review labels; some have none.")
        n_classes = max(n_classes, 1 + int(side.class_ids.max(initial=0)))
    scores: NDArray[np.float64] = np.full(len(pool), np.nan)
    if not usable.size:
        return "object_lab", scores, []
    labels = [
        {"bboxes": _PIXELS * boxes, "labels": classes}
        for boxes, classes, _ in (_parts(truth, item) for item in usable)
    ]
    predictions = [_by_class(*_parts(objects, item), n_classes) for item in usable]
    scores[usable], notices = _quietly(
        lambda: get_label_quality_scores(labels, predictions, verbose=False)
    )
    return "object_lab", scores, notices


def _parts(objects: Objects, item: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Boxes, classes and confidences of an item's objects."""
    rows = slice(*objects.offsets[item : item + 2].tolist())
    assert objects.class_ids is not None
    known = ~np.isnan(boxes_of(objects)[rows, 0])
    columns = (boxes_of(objects), objects.class_ids, objects.confidences)
    boxes, classes, confidences = (column[rows][known] for column in columns)
    return boxes, classes, confidences


def _by_class(
    boxes: NDArray[np.floating],
    classes: NDArray[np.int64],
    confidences: NDArray[np.floating],
    n_classes: int,
) -> NDArray[Any]:
    """The format of mmdetection: for each class, rows of x1 y1 x2 y2 confidence."""
    rows = np.column_stack([_PIXELS * boxes, confidences])
    out = np.empty(n_classes, dtype=object)
    for position in range(n_classes):
        out[position] = rows[classes == position]
    return out


def _by_id(pool: Pool, usable: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Positions in id order, so the estimates don't depend on the order of the rows."""
    return pool.tie_order[usable[pool.tie_order]]


def _quietly(call: Callable[[], Any]) -> tuple[Any, list[Notice]]:
    """The result of a call, with its warnings as notices."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    messages = dict.fromkeys(" ".join(str(w.message).split()) for w in caught)
    return result, [Notice("cleanlab", message) for message in messages]
