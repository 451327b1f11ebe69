"""Calibration of stored predictions for the report, by model version and class.

Measured on all labelled items with predictions. Items the model was trained on make it look better
than it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.matching import hits
from labelnext.errors import InvalidInput
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool
from labelnext.quality.calibration import (
    Reliability,
    binned,
    brier_score,
    classwise_calibration_error,
    mean_gap,
    negative_log_likelihood,
    reliability,
)

_LEAST = 10  # items or objects needed for a statement


@dataclass(frozen=True)
class ClassTrust:
    """Calibration of one class.

    Attributes:
        name: of the class.
        n: labelled items of the class, or predicted objects of it.
        ece: calibration error of the class's probability, in [0, 1].
        brier: mean squared error of that probability; for items, the classes sum to the total.
        nll: mean −ln p in nats, over the items of the class, or over its objects.
    """

    name: str
    n: int
    ece: float
    brier: float
    nll: float


@dataclass(frozen=True)
class Trust:
    """Calibration of one model version.

    Attributes:
        version: number of the version, from 1.
        name: of the version; its number if the source has no name.
        of: items, judged by their most likely class; or objects, correct if they overlap a
            labelled object of their class with an IoU of at least 0.5.
        n: number compared.
        confidence: mean, in [0, 1].
        accuracy: share correct.
        ece: expected calibration error, in [0, 1].
        classwise_ece: the same for each class's probability, averaged.
        brier: Brier score: over all classes, in [0, 2]; for confidences alone, in [0, 1].
        nll: negative log-likelihood, in nats.
        classes: the same by class, for classes that occur.
        bins: the reliability diagram.
    """

    version: int
    name: str
    of: str
    n: int
    confidence: float
    accuracy: float
    ece: float
    classwise_ece: float
    brier: float
    nll: float
    classes: tuple[ClassTrust, ...]
    bins: Reliability

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able data."""
        bins = {
            "counts": self.bins.counts.tolist(),
            "confidences": _plain(self.bins.confidences),
            "accuracies": _plain(self.bins.accuracies),
        }
        return {**vars(self), "classes": [vars(c) for c in self.classes], "bins": bins}


def trust(pool: Pool) -> list[Trust]:
    """The calibration of each model version on the labelled items; empty if there are too few.

    Args:
        pool: with predictions, and labels or labelled objects.

    References:
        Guo et al., On Calibration of Modern Neural Networks (2017); Küppers et al., Multivariate
        Confidence Calibration for Object Detection (2020).

    Example:
        >>> pool = Pool(range(10), probabilities=[[0.8, 0.2]] * 10, labels=[0] * 6 + [1] * 4)
        >>> (version,) = trust(pool)
        >>> version.n, round(version.ece, 3)
        (10, 0.2)
    """
    names = pool.version_names
    judged = (judge(each, i, names[i], pool.classes) for i, each in enumerate(evidence(pool)))
    return [each for each in judged if each is not None]


@dataclass(frozen=True, eq=False)
class Evidence:
    """A model version's predictions on labelled items, with the truth.

    Attributes:
        of: items, answers (one confidence per item) or objects; `none` if there is nothing to
            compare.
        rows: shape (n, n_classes), probabilities of items; or shape (n, 1), confidences.
        labels: shape (n,), class positions of items; for confidences 1 if correct, else 0.
        class_ids: shape (n,), predicted classes beside confidences; None without class ids.
    """

    of: str
    rows: NDArray[np.float64]
    labels: NDArray[np.int64]
    class_ids: NDArray[np.int64] | None = None

    @classmethod
    def joined(cls, parts: Sequence[Evidence]) -> Evidence:
        """Join the evidence of several parts of a pool."""
        filled = [part for part in parts if part.of != "none"]
        if not filled:
            return _NOTHING
        ids = [part.class_ids for part in filled if part.class_ids is not None]
        return cls(
            filled[0].of,
            np.concatenate([part.rows for part in filled]),
            np.concatenate([part.labels for part in filled]),
            np.concatenate(ids) if len(ids) == len(filled) else None,
        )


_NOTHING = Evidence("none", np.empty((0, 0)), np.empty(0, dtype=np.int64))


def evidence(pool: Pool) -> list[Evidence]:
    """Each model version's predictions on the labelled items, with the truth."""
    if pool.members is not None and pool.labels is not None and not pool.multilabel:
        return [_items_evidence(rows, pool.labels) for rows in pool.members]
    if pool.answers and pool.labels is not None:
        return [_answers_evidence(answers, pool.labels) for answers in pool.answers]
    if pool.truth is not None and (pool.truth.boxes is not None or not len(pool.truth.confidences)):
        return [_objects_evidence(pool, objects, pool.truth) for objects in pool.object_sets]
    return []


def _items_evidence(rows: NDArray[np.floating], labels: NDArray[np.int64]) -> Evidence:
    usable = (labels >= 0) & np.isfinite(rows).all(axis=1)
    return Evidence("items", rows[usable].astype(np.float64), labels[usable])


def _answers_evidence(answers: Objects, labels: NDArray[np.int64]) -> Evidence:
    if answers.class_ids is None:
        return _NOTHING
    of_items = labels[answers.item_positions]
    usable = (of_items >= 0) & (answers.class_ids >= 0) & np.isfinite(answers.confidences)
    confidences, ids = answers.confidences[usable].astype(np.float64), answers.class_ids[usable]
    return Evidence(
        "answers", confidences[:, None], (ids == of_items[usable]).astype(np.int64), ids
    )


def _objects_evidence(pool: Pool, objects: Objects, truth: Objects) -> Evidence:
    if objects.boxes is None:
        return _NOTHING
    known = (pool.labelled & ~pool.missing)[objects.item_positions]
    known &= np.isfinite(objects.confidences)
    try:
        right = hits(objects, truth)[known]
    except InvalidInput:  # an image has more boxes than can be matched: a run doesn't fail by that
        return _NOTHING
    confidences = objects.confidences[known].astype(np.float64)
    ids = None if objects.class_ids is None else objects.class_ids[known]
    return Evidence("objects", confidences[:, None], right.astype(np.int64), ids)


def judge(
    evidence: Evidence, member: int, name: str, classes: Sequence[str] | None
) -> Trust | None:
    """The calibration of one model version; None with too little evidence.

    Args:
        evidence: of the version.
        member: the version, from 0.
        name: of the version.
        classes: names of the classes.
    """
    if evidence.of == "none" or len(evidence.labels) < _LEAST:
        return None
    judged = _of_items if evidence.of == "items" else _of_confidence_column
    return judged(evidence, member, name, classes)


def _of_items(evidence: Evidence, member: int, name: str, classes: Sequence[str] | None) -> Trust:
    rows, labels = evidence.rows, evidence.labels
    bins = reliability(rows, labels)
    return Trust(
        member + 1,
        name,
        "items",
        len(labels),
        float(rows.max(axis=1).mean()),
        float((rows.argmax(axis=1) == labels).mean()),
        mean_gap(bins),
        classwise_calibration_error(rows, labels),
        brier_score(rows, labels),
        negative_log_likelihood(rows, labels),
        tuple(_of_class(classes, rows, labels, c) for c in np.unique(labels).tolist()),
        bins,
    )


def _of_class(
    classes: Sequence[str] | None,
    rows: NDArray[np.floating],
    labels: NDArray[np.int64],
    position: int,
) -> ClassTrust:
    members, column = labels == position, rows[:, position]
    return ClassTrust(
        _name(classes, position),
        int(members.sum()),
        mean_gap(binned(column, members)),
        float(((column - members) ** 2).mean()),
        negative_log_likelihood(rows[members], labels[members]),
    )


def _of_confidence_column(
    evidence: Evidence, member: int, name: str, classes: Sequence[str] | None
) -> Trust:
    confidences, right = evidence.rows[:, 0], evidence.labels == 1
    ids = np.zeros(len(right), dtype=np.int64) if evidence.class_ids is None else evidence.class_ids
    whole = _of_confidences("", confidences, right)
    by_class = tuple(
        _of_confidences(
            "object" if evidence.class_ids is None else _name(classes, c),
            confidences[ids == c],
            right[ids == c],
        )
        for c in np.unique(ids).tolist()
    )
    return Trust(
        member + 1,
        name,
        "objects" if evidence.of == "objects" else "items",
        len(right),
        float(confidences.mean()),
        float(right.mean()),
        whole.ece,
        float(np.mean([c.ece for c in by_class])),
        whole.brier,
        whole.nll,
        by_class,
        binned(confidences, right),
    )


def _of_confidences(
    name: str, confidences: NDArray[np.float64], right: NDArray[np.bool_]
) -> ClassTrust:
    both = np.column_stack([1 - confidences, confidences])
    return ClassTrust(
        name,
        len(right),
        mean_gap(binned(confidences, right)),
        float(((confidences - right) ** 2).mean()),
        negative_log_likelihood(both, right),
    )


def _name(classes: Sequence[str] | None, position: int) -> str:
    if position < 0:
        return "unknown"
    return str(position) if classes is None else classes[position]


def _plain(values: NDArray[np.floating]) -> Sequence[float | None]:
    return [None if value != value else value for value in values.tolist()]
