"""Disagreement of a committee: several model versions, or stochastic passes of one model.

All functions take probabilities of shape (n_members, n_items, n_classes). Members with NaN for an
item are ignored for it; an item that no member predicted scores NaN. All logarithms are natural,
and 0 · ln 0 = 0 exactly: nothing is clipped.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.checks import distributions, float_array

_Array = NDArray[np.floating]


def vote_entropy(probabilities: ArrayLike) -> _Array:
    """Entropy of the votes; each member votes for its most likely class, the first in a tie.

    Args:
        probabilities: shape (n_members, n_items, n_classes), rows sum to 1 or hold NaN.

    Returns:
        Shape (n_items,), in [0, ln min(n_members, n_classes)] nats; larger is less certain.

    Raises:
        InvalidInput: if `probabilities` is not three-dimensional or a row is not a distribution.

    References:
        Dagan and Engelson (1995); Settles, Active Learning Literature Survey (2009), section 3.2.

    Example:
        >>> votes = [[[1, 0], [1, 0]], [[1, 0], [0, 1]]]
        >>> vote_entropy(votes).round(4).tolist()
        [0.0, 0.6931]
    """
    return _entropy(_vote_shares(*_members(probabilities)))


def consensus_entropy(probabilities: ArrayLike) -> _Array:
    """Entropy of the members' mean distribution.

    Args:
        probabilities: shape (n_members, n_items, n_classes), rows sum to 1 or hold NaN.

    Returns:
        Shape (n_items,), in [0, ln n_classes] nats; larger is less certain.

    Raises:
        InvalidInput: if `probabilities` is not three-dimensional or a row is not a distribution.

    References:
        Settles (2009), section 3.2 (soft vote entropy); total uncertainty in Houlsby et al. (2011).

    Example:
        >>> consensus_entropy([[[1, 0]], [[0, 1]]]).round(4).tolist()
        [0.6931]
    """
    members, present = _members(probabilities)
    return _entropy(_mean(members, present))


def bald(probabilities: ArrayLike) -> _Array:
    """Entropy of the mean distribution minus the mean entropy of the members.

    This is the mutual information of class and member, and equally the mean Kullback–Leibler
    divergence of the members from their mean.

    Args:
        probabilities: shape (n_members, n_items, n_classes), rows sum to 1 or hold NaN.

    Returns:
        Shape (n_items,), in [0, ln min(n_members, n_classes)] nats; larger is less certain.

    Raises:
        InvalidInput: if `probabilities` is not three-dimensional or a row is not a distribution.

    References:
        Houlsby et al. (2011), arXiv 1112.5745; McCallum and Nigam (1998) for the divergence.

    Example:
        >>> bald([[[1, 0], [0.5, 0.5]], [[0, 1], [0.5, 0.5]]]).round(4).tolist()
        [0.6931, 0.0]
    """
    members, present = _members(probabilities)
    within = _mean(_entropy(members), present)
    return np.maximum(_entropy(_mean(members, present)) - within, 0)  # rounding may fall below 0


def variation_ratio(probabilities: ArrayLike) -> _Array:
    """Share of the members that don't vote for the class with the most votes.

    Args:
        probabilities: shape (n_members, n_items, n_classes), rows sum to 1 or hold NaN.

    Returns:
        Shape (n_items,), in [0, 1 − 1/min(n_members, n_classes)]; larger is less certain.

    Raises:
        InvalidInput: if `probabilities` is not three-dimensional or a row is not a distribution.

    References:
        Freeman (1965), Elementary Applied Statistics; Beluch et al. (2018).

    Example:
        >>> variation_ratio([[[1, 0]], [[1, 0]], [[0, 1]], [[1, 0]]]).tolist()
        [0.25]
    """
    losers: _Array = 1 - _vote_shares(*_members(probabilities)).max(axis=1)
    return losers


def kl_max(probabilities: ArrayLike) -> _Array:
    """Largest Kullback–Leibler divergence of a member from the mean distribution.

    Args:
        probabilities: shape (n_members, n_items, n_classes), rows sum to 1 or hold NaN.

    Returns:
        Shape (n_items,), in [0, ln n_members] nats; larger is less certain.

    Raises:
        InvalidInput: if `probabilities` is not three-dimensional or a row is not a distribution.

    References:
        McCallum and Nigam (1998), with the maximum in place of the mean, as in modAL.

    Example:
        >>> kl_max([[[1, 0]], [[1, 0]], [[0, 1]]]).round(4).tolist()  # ln 3, the odd one out
        [1.0986]
    """
    members, present = _members(probabilities)
    mean = _mean(members, present)
    above = (members > 0) & (mean > 0)  # the mean of the smallest numbers is rounded to 0
    ratio = np.divide(members, mean, out=np.ones_like(members), where=above)
    divergences = (members * np.log(ratio)).sum(axis=2)
    largest = np.where(present, divergences, -np.inf).max(axis=0)
    return np.where(present.any(axis=0), np.maximum(largest, 0), np.nan)


def _members(probabilities: ArrayLike) -> tuple[_Array, NDArray[np.bool_]]:
    """Distributions, with zeros for absent ones, and which are present (n_members, n_items)."""
    array = float_array("probabilities", probabilities)
    if array.ndim != 3 or len(array) == 0:
        raise InvalidInput(
            "probabilities must be of shape (n_members, n_items, n_classes); "
            f"got shape {array.shape}."
        )
    members = np.stack([distributions(member)[0] for member in array])
    absent = np.any(np.isnan(members), axis=2, keepdims=True)
    return np.where(absent, 0, members), ~absent[..., 0]


def _mean(values: _Array, present: NDArray[np.bool_]) -> _Array:
    """Mean over the members present; NaN if there are none."""
    counts = present.sum(axis=0)
    counts = counts.reshape(counts.shape + (1,) * (values.ndim - 2))
    mean: _Array = np.divide(
        values.sum(axis=0),
        counts,
        out=np.full(values.shape[1:], np.nan, dtype=values.dtype),
        where=counts > 0,
    )
    return mean


def _entropy(distributions: _Array) -> _Array:
    logs = np.log(distributions, out=np.zeros_like(distributions), where=distributions > 0)
    nats: _Array = np.maximum(-(distributions * logs).sum(axis=-1), 0) + 0.0
    return nats


def _vote_shares(members: _Array, present: NDArray[np.bool_]) -> _Array:
    votes = members.argmax(axis=2)
    chosen = (votes[..., None] == np.arange(members.shape[2])) & present[..., None]
    return _mean(chosen.astype(members.dtype), present)
