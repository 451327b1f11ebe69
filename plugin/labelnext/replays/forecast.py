"""Forecasts accuracy at more labels, by fitting a power law to the learning curve so far."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelnext.replays.curves import KEYS, Protocol
from labelnext.support.classifiers import training

LEAST = 60  # labelled items needed for a forecast
_MOST = 2000  # items used: more change the curve little and take long
_SPLITS, _SIZES, _RESAMPLES = 10, 6, 2000
_HELD_OUT = 0.25
_EXPONENTS = np.linspace(0.05, 2, 40)


@dataclass(frozen=True)
class Forecast:
    """Expected accuracy at more labels, with its limits.

    Attributes:
        sizes: numbers of labels used for training.
        accuracies: mean accuracy on held-out items at each size, in [0, 1].
        labels: numbers of labels in the forecast.
        expected: accuracy at each, in [0, 1].
        low: lower end of its 95 % interval.
        high: upper end.
        caution: its limits.
    """

    sizes: list[int]
    accuracies: list[float]
    labels: list[int]
    expected: list[float]
    low: list[float]
    high: list[float]
    caution: str


def forecast(
    features: NDArray[np.floating],
    labels: NDArray[np.integer],
    protocol: Protocol,
    wanted: Sequence[int],
) -> Forecast | str:
    """Train on growing subsets of the labels, fit a power law, and extrapolate it.

    Ten random splits each hold out a quarter of the items; the model is trained on six nested
    subsets of the rest. The curve is a − b·n^(−c). The interval comes from resampling splits, with
    a sample size reduced for their overlap.

    Args:
        features: shape (n_items, n_dimensions).
        labels: shape (n_items,), class positions.
        protocol: provides the model; its other fields are ignored.
        wanted: numbers of labels to forecast.

    Returns:
        The forecast, or one sentence saying why there is none.

    References:
        Cortes et al., Learning curves: asymptotic values and rate of convergence (1994); Viering
        and Loog, The Shape of Learning Curves (2022); Nadeau and Bengio, Inference for the
        Generalization Error (2003), for the overlap of splits.
    """
    if len(labels) < LEAST:
        return f"A forecast needs {LEAST} labelled items with embeddings; got {len(labels)}."
    if np.bincount(labels).max() > len(labels) - 4:
        return "A forecast needs labels of at least two classes, a few of each."
    seeds = np.random.SeedSequence(0).spawn(_SPLITS)
    kept = np.random.default_rng(0).permutation(len(labels))[:_MOST]
    sizes = part_sizes(len(kept), int(labels.max()) + 1)
    curves = np.array(
        [_curve(features[kept], labels[kept], sizes, protocol, seed) for seed in seeds]
    )
    # Splits overlap: ten of them are worth this many independent ones.
    several = max(round(1 / (1 / _SPLITS + _HELD_OUT / (1 - _HELD_OUT))), 1)
    rng = np.random.default_rng(0)
    drawn = curves[rng.integers(_SPLITS, size=(_RESAMPLES, several))].mean(axis=1)
    ahead = np.array(wanted, dtype=np.float64)
    low, high = np.quantile(power_law(sizes, drawn, ahead), [0.025, 0.975], axis=0)
    mean = curves.mean(axis=0)
    return Forecast(
        sizes.tolist(),
        mean.tolist(),
        list(wanted),
        power_law(sizes, mean[None], ahead)[0].tolist(),
        low.tolist(),
        high.tolist(),
        "it assumes the same model, items like those already labelled, and labels chosen the same "
        "way; far ahead it's a guess.",
    )


def part_sizes(n_items: int, n_classes: int) -> NDArray[np.int64]:
    """Training set sizes, from a few labels per class to all that aren't held out.

    Example:
        >>> part_sizes(400, 10).tolist()
        [30, 48, 75, 119, 189, 300]
    """
    most = n_items - round(_HELD_OUT * n_items)
    least = min(max(3 * n_classes, 15), most // 2)
    return np.unique(np.geomspace(least, most, _SIZES).round().astype(np.int64))


def power_law(
    sizes: NDArray[np.integer], curves: NDArray[np.floating], wanted: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Least-squares fits of a − b·n^(−c) with a ≤ 1 and b ≥ 0, extrapolated to other sizes.

    Args:
        sizes: shape (n_sizes,), at least 3.
        curves: shape (n_curves, n_sizes), accuracies.
        wanted: shape (n_wanted,).

    Returns:
        Shape (n_curves, n_wanted), accuracies.

    Example:
        >>> n = np.array([25, 100, 400])
        >>> power_law(n, (0.9 - 2 / np.sqrt(n))[None], np.array([10_000.0])).round(2).tolist()
        [[0.88]]
    """
    best = np.full(len(curves), np.inf)
    out = np.zeros((len(curves), len(wanted)))
    for exponent in _EXPONENTS:  # given c, the law is a line in n^(−c)
        x = sizes.astype(np.float64) ** -exponent
        centred = x - x.mean()
        b = np.maximum(-(curves @ centred) / (centred @ centred), 0)
        a = curves.mean(axis=1) + b * x.mean()
        over = a > 1
        b[over] = np.maximum((1 - curves[over]) @ x / (x @ x), 0)
        a[over] = 1
        loss = ((curves - a[:, None] + b[:, None] * x) ** 2).sum(axis=1)
        better = loss < best
        best[better] = loss[better]
        ahead = a[:, None] - b[:, None] * wanted**-exponent
        out[better] = ahead[better]
    return np.clip(out, 0, 1)


def _curve(
    features: NDArray[np.floating],
    labels: NDArray[np.integer],
    sizes: NDArray[np.int64],
    protocol: Protocol,
    seed: np.random.SeedSequence,
) -> list[float]:
    from sklearn.exceptions import ConvergenceWarning

    order = np.random.default_rng(seed).permutation(len(labels))
    test, train = np.split(order, [len(labels) - int(sizes[-1])])
    others = np.flatnonzero(labels[train] != labels[train[0]])
    if others.size:  # a classifier needs two classes
        train[[1, others[0]]] = train[[others[0], 1]]
    accuracies = []
    for size in sizes.tolist():
        model = protocol.estimator(0)
        with warnings.catch_warnings(), training(protocol.model, KEYS):
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(features[train[:size]], labels[train[:size]])
            right = model.predict(features[test]) == labels[test]
        accuracies.append(float(right.mean()))
    return accuracies
