"""Calibration of stored probabilities: metrics and temperature scaling.

Everything is measured on labelled items with predictions. Use predictions of held-out items: items
the model was trained on look better than new ones.

scikit-learn's CalibratedClassifierCV needs a model to call; here there are only stored
probabilities. The tests compare the two temperatures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.checks import distributions

N_BINS = 15
_TINY = 1e-12  # stands for a probability of 0 in logarithms
_FOLDS = 5
_LOG_LIMITS = (np.log(0.05), np.log(20.0))


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram: confidence against accuracy.

    Attributes:
        counts: shape (n_bins,), items in each bin of equal width over [0, 1].
        confidences: shape (n_bins,), mean top probability; NaN for an empty bin.
        accuracies: shape (n_bins,), share of correct predictions; NaN for an empty bin.
    """

    counts: NDArray[np.int64]
    confidences: NDArray[np.float64]
    accuracies: NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """The effect of a temperature, cross-validated.

    Attributes:
        n_items: labelled items with predictions.
        temperature: fitted on all of them; above 1 the model was overconfident.
        ece: top-label expected calibration error before and after, in [0, 1].
        classwise_ece: the same for each class's probability, averaged, before and after.
        nll: negative log-likelihood in nats, before and after.
        brier: Brier score in [0, 2], before and after.
        reliability: before.
        calibrated: after.
    """

    n_items: int
    temperature: float
    ece: tuple[float, float]
    classwise_ece: tuple[float, float]
    nll: tuple[float, float]
    brier: tuple[float, float]
    reliability: Reliability
    calibrated: Reliability

    @property
    def helps(self) -> bool:
        """Whether the temperature lowers the log loss on held-out items."""
        return self.nll[1] < self.nll[0]


def reliability(
    probabilities: ArrayLike, labels: ArrayLike, *, n_bins: int = N_BINS
) -> Reliability:
    """Confidence against accuracy, in bins of equal width.

    Args:
        probabilities: shape (n_items, n_classes), rows sum to 1.
        labels: shape (n_items,), class positions.
        n_bins: number of bins.

    References:
        Niculescu-Mizil and Caruana (2005); Guo et al., On Calibration of Modern Neural Networks
        (2017), section 2.

    Example:
        >>> reliability([[0.9, 0.1], [0.8, 0.2]], [0, 1], n_bins=1).accuracies.tolist()
        [0.5]
    """
    rows, truth = _checked(probabilities, labels)
    return binned(rows.max(axis=1), rows.argmax(axis=1) == truth, n_bins)


def expected_calibration_error(
    probabilities: ArrayLike, labels: ArrayLike, *, n_bins: int = N_BINS
) -> float:
    """Mean gap between top probability and accuracy, weighted by bin size.

    Args:
        probabilities: shape (n_items, n_classes), rows sum to 1.
        labels: shape (n_items,), class positions.
        n_bins: number of bins of equal width.

    Returns:
        In [0, 1]; 0 is calibrated. With few items it is biased upwards.

    References:
        Naeini, Cooper and Hauskrecht (2015); Guo et al. (2017), equation 3.

    Example:
        >>> round(expected_calibration_error([[0.9, 0.1], [0.9, 0.1]], [0, 1]), 9)
        0.4
    """
    return mean_gap(reliability(probabilities, labels, n_bins=n_bins))


def classwise_calibration_error(
    probabilities: ArrayLike, labels: ArrayLike, *, n_bins: int = N_BINS
) -> float:
    """Calibration error of each class's probability, averaged over the classes.

    Args:
        probabilities: shape (n_items, n_classes), rows sum to 1.
        labels: shape (n_items,), class positions.
        n_bins: number of bins of equal width.

    Returns:
        In [0, 1]; 0 is calibrated.

    References:
        Kull et al., Beyond temperature scaling (2019), equation 3.

    Example:
        >>> round(classwise_calibration_error([[0.9, 0.1], [0.9, 0.1]], [0, 1]), 9)
        0.4
    """
    rows, truth = _checked(probabilities, labels)
    gaps = [mean_gap(binned(rows[:, c], truth == c, n_bins)) for c in range(rows.shape[1])]
    return float(np.mean(gaps))


def negative_log_likelihood(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Mean −ln p of the true class, in nats; a probability of 0 counts as 1e-12.

    Example:
        >>> round(negative_log_likelihood([[0.5, 0.5]], [1]), 6)
        0.693147
    """
    rows, truth = _checked(probabilities, labels)
    return float(-np.log(np.maximum(rows[np.arange(len(rows)), truth], _TINY)).mean())


def brier_score(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Mean squared distance from the one-hot truth, summed over the classes, in [0, 2].

    References:
        Brier (1950).

    Example:
        >>> brier_score([[1.0, 0.0], [0.5, 0.5]], [1, 1])
        1.25
    """
    rows, truth = _checked(probabilities, labels)
    return float(((rows - np.eye(rows.shape[1])[truth]) ** 2).sum(axis=1).mean())


def scaled(probabilities: ArrayLike, temperature: float) -> NDArray[np.floating]:
    """Scale probabilities by a temperature: p^(1/T), normalised; the softmax of log p / T.

    Args:
        probabilities: shape (n_items, n_classes), rows sum to 1; NaN rows stay NaN.
        temperature: above 0; above 1 flattens. The order within a row never changes.

    Returns:
        Shape (n_items, n_classes).

    Raises:
        InvalidInput: if the temperature is not above 0.

    References:
        Guo et al. (2017), section 4.2.

    Example:
        >>> scaled([[0.8, 0.2]], 2.0).round(4).tolist()
        [[0.6667, 0.3333]]
    """
    if not temperature > 0:
        raise InvalidInput(f"temperature must be above 0; got {temperature!r}.")
    rows = distributions(probabilities)[0].astype(np.float64)
    logs = np.log(np.maximum(rows, _TINY)) / temperature
    powers = np.where(
        rows == 0, 0.0, np.exp(logs - logs.max(axis=1, keepdims=True, initial=-np.inf))
    )
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


def fit_temperature(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """The temperature, from 0.05 to 20, with the smallest negative log-likelihood.

    Args:
        probabilities: shape (n_items, n_classes), rows sum to 1.
        labels: shape (n_items,), class positions.

    References:
        Guo et al. (2017), section 4.2.

    Example:
        >>> round(fit_temperature([[0.9, 0.1]] * 4, [0, 0, 0, 1]), 3)  # 3 of 4: ln 9 / ln 3
        2.0
    """
    from scipy.optimize import minimize_scalar

    rows, truth = _checked(probabilities, labels)
    if not len(rows):
        raise InvalidInput("labels must not be empty when fitting a temperature.")

    def loss(log_temperature: float) -> float:
        return negative_log_likelihood(scaled(rows, float(np.exp(log_temperature))), truth)

    best = minimize_scalar(loss, bounds=_LOG_LIMITS, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(best.x))


def measure(probabilities: ArrayLike, labels: ArrayLike, *, seed: int = 0) -> Calibration:
    """Calibration before and after temperature scaling, cross-validated in 5 folds.

    Args:
        probabilities: shape (n_items, n_classes), rows sum to 1.
        labels: shape (n_items,), class positions.
        seed: of the folds.

    Raises:
        InvalidInput: if there are fewer items than folds (5).
    """
    rows, truth = _checked(probabilities, labels)
    if len(rows) < _FOLDS:
        raise InvalidInput(f"calibration needs at least {_FOLDS} labelled items; got {len(rows)}.")
    after = np.array(rows, dtype=np.float64)
    folds = np.random.default_rng(seed).permutation(len(rows)) % _FOLDS
    for fold in range(_FOLDS):
        held = folds == fold
        after[held] = scaled(rows[held], fit_temperature(rows[~held], truth[~held]))

    def both(score: Callable[[ArrayLike, ArrayLike], float]) -> tuple[float, float]:
        return score(rows, truth), score(after, truth)

    return Calibration(
        n_items=len(rows),
        temperature=fit_temperature(rows, truth),
        ece=both(expected_calibration_error),
        classwise_ece=both(classwise_calibration_error),
        nll=both(negative_log_likelihood),
        brier=both(brier_score),
        reliability=reliability(rows, truth),
        calibrated=reliability(after, truth),
    )


def _checked(
    probabilities: ArrayLike, labels: ArrayLike
) -> tuple[NDArray[np.floating], NDArray[np.intp]]:
    rows = distributions(probabilities)[0]
    truth = np.asarray(labels, dtype=np.intp)
    if truth.shape != (len(rows),):
        raise InvalidInput(f"labels must be of shape ({len(rows)},); got shape {truth.shape}.")
    if truth.size and (truth.min() < 0 or truth.max() >= rows.shape[1]):
        raise InvalidInput(f"labels must be class positions from 0 to {rows.shape[1] - 1}.")
    if np.isnan(rows).any():
        raise InvalidInput("probabilities must not contain NaN when compared with labels.")
    return rows, truth


def binned(
    confidences: NDArray[np.floating], right: NDArray[np.bool_], n_bins: int = N_BINS
) -> Reliability:
    """Confidence against accuracy, in bins of equal width.

    Args:
        confidences: shape (n,), in [0, 1].
        right: shape (n,), whether each prediction is correct.
        n_bins: number of bins; each includes its upper end.

    Example:
        >>> import numpy as np
        >>> binned(np.array([0.5, 0.6]), np.array([True, False]), 2).counts.tolist()
        [1, 1]
    """
    bins = np.clip(np.ceil(confidences * n_bins).astype(int) - 1, 0, n_bins - 1)
    counts = np.bincount(bins, minlength=n_bins)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(bins, weights=confidences, minlength=n_bins) / counts
        accuracy = np.bincount(bins, weights=right, minlength=n_bins) / counts
    return Reliability(counts, mean, accuracy)


def mean_gap(bins: Reliability) -> float:
    """Mean gap between confidence and accuracy, weighted by bin size; 0 without items."""
    filled = bins.counts > 0
    if not filled.any():
        return 0.0
    gaps = np.abs(bins.confidences - bins.accuracies)[filled]
    return float(np.average(gaps, weights=bins.counts[filled]))
