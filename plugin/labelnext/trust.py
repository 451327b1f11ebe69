"""How far the stored predictions can be trusted, for the report: by model version and by class.

It is measured wherever labelled items have predictions. Items on which the model was trained
flatter it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.matching import hits
from labelnext.calibration import (
    Reliability,
    binned,
    brier_score,
    classwise_calibration_error,
    mean_gap,
    negative_log_likelihood,
    reliability,
)
from labelnext.pool import Objects, Pool

_LEAST = 10  # items or objects below which nothing is said


@dataclass(frozen=True)
class ClassTrust:
    """Of one class.

    Attributes:
        name: of the class.
        n: labelled items of the class, or predicted objects of it.
        ece: calibration error of the class's probability, in [0, 1].
        brier: mean squared error of that probability; of items the classes add up to the whole.
        nll: mean −ln p in nats, over the items of the class, or over its objects.
    """

    name: str
    n: int
    ece: float
    brier: float
    nll: float


@dataclass(frozen=True)
class Trust:
    """Of one model version: its confidence against how often it was right.

    Attributes:
        version: number of the version, from 1.
        name: of the version; its number where the source has no name.
        of: items, by their most likely class; or objects, right where they overlap a labelled one
            of their class with an IoU of 0.5 or more.
        n: how many were compared.
        confidence: mean, in [0, 1].
        accuracy: share that was right.
        ece: expected calibration error, in [0, 1].
        classwise_ece: the same of each class's probability, averaged.
        brier: Brier score, of items over all classes, in [0, 2]; of objects in [0, 1].
        nll: negative log-likelihood, in nats.
        classes: the same by class; those without any are left out.
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
    """The calibration of each model version on the labelled items; empty where there are too few.

    Args:
        pool: with predictions, and labels or labelled objects.

    References:
        Guo et al., On Calibration of Modern Neural Networks (2017); Küppers et al., Multivariate
        Confidence Calibration for Object Detection (2020).

    Example:
        >>> pool = Pool(range(10), probabilities=[[0.8, 0.2]] * 10, labels=[0] * 6 + [1] * 4)
        >>> (found,) = trust(pool)
        >>> found.n, round(found.ece, 3)
        (10, 0.2)
    """
    found: list[Trust | None] = []
    if pool.probabilities is not None and pool.labels is not None and not pool.multilabel:
        members = pool.probabilities if pool.probabilities.ndim == 3 else pool.probabilities[None]
        found += [_of_items(pool, rows, pool.labels, n) for n, rows in enumerate(members)]
    elif pool.objects is not None and pool.truth is not None:
        versions = pool.objects if isinstance(pool.objects, tuple) else (pool.objects,)
        if pool.truth.boxes is not None or not len(pool.truth.confidences):
            found += [_of_objects(pool, o, pool.truth, n) for n, o in enumerate(versions)]
    return [each for each in found if each is not None]


def _of_items(
    pool: Pool, rows: NDArray[np.floating], labels: NDArray[np.int64], place: int
) -> Trust | None:
    usable = (labels >= 0) & np.isfinite(rows).all(axis=1)
    if usable.sum() < _LEAST:
        return None
    rows, labels = rows[usable].astype(np.float64), labels[usable]
    bins = reliability(rows, labels)
    return Trust(
        place + 1,
        pool.version_names[place],
        "items",
        len(labels),
        float(rows.max(axis=1).mean()),
        float((rows.argmax(axis=1) == labels).mean()),
        mean_gap(bins),
        classwise_calibration_error(rows, labels),
        brier_score(rows, labels),
        negative_log_likelihood(rows, labels),
        tuple(_of_class(pool, rows, labels, c) for c in np.unique(labels).tolist()),
        bins,
    )


def _of_class(
    pool: Pool, rows: NDArray[np.floating], labels: NDArray[np.int64], position: int
) -> ClassTrust:
    own, column = labels == position, rows[:, position]
    return ClassTrust(
        _name(pool, position),
        int(own.sum()),
        mean_gap(binned(column, own)),
        float(((column - own) ** 2).mean()),
        negative_log_likelihood(rows[own], labels[own]),
    )


def _of_objects(pool: Pool, objects: Objects, truth: Objects, place: int) -> Trust | None:
    if objects.boxes is None:
        return None
    known = (pool.labelled & ~pool.missing)[objects.item_positions]
    known &= np.isfinite(objects.confidences)
    if known.sum() < _LEAST:
        return None
    right = hits(objects, truth)[known]
    confidences = objects.confidences[known].astype(np.float64)
    ids: NDArray[np.int64] = np.zeros(len(right), dtype=np.int64)
    if objects.class_ids is not None:
        ids = objects.class_ids[known]
    whole = _of_confidences("", confidences, right)
    classes = tuple(
        _of_confidences(
            "object" if objects.class_ids is None else _name(pool, c),
            confidences[ids == c],
            right[ids == c],
        )
        for c in np.unique(ids).tolist()
    )
    return Trust(
        place + 1,
        pool.version_names[place],
        "objects",
        len(right),
        float(confidences.mean()),
        float(right.mean()),
        whole.ece,
        float(np.mean([c.ece for c in classes])),
        whole.brier,
        whole.nll,
        classes,
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


def _name(pool: Pool, position: int) -> str:
    if position < 0:
        return "unknown"
    return str(position) if pool.classes is None else pool.classes[position]


def _plain(values: NDArray[np.floating]) -> Sequence[float | None]:
    return [None if value != value else value for value in values.tolist()]
