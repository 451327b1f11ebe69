"""Ranking with calibrated probabilities (`calibrate: auto`), and the overconfidence warning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.quality.calibration import Calibration, measure, scaled
from labelnext.ranking.ranking import Ranking
from labelnext.support.words import counted

MIN_ITEMS = 50  # labelled items with predictions needed to trust a temperature


def calibrated_ranking(pool: Pool, rank_pool: Callable[[Pool], Ranking]) -> Ranking:
    """Rank with the fitted temperature, if there are enough labels and it helps.

    Args:
        pool: with item probabilities and labels; each committee member gets its own temperature.
        rank_pool: ranks a pool.

    Returns:
        The ranking; a notice says what was done and how much the order changed.
    """
    raw = rank_pool(pool)
    calibrations = _measured(pool)
    if isinstance(calibrations, str):
        warning = saturated(pool)
        raw = _noting(raw, "calibration_skipped", calibrations)
        return _noting(raw, warning.code, warning.message) if warning else raw
    several = len(calibrations) > 1
    summary = "; ".join(
        f"version {name}: {_summary(each)}" if several else _summary(each)
        for name, each in zip(pool.version_names, calibrations, strict=True)
    )
    measured = f"{summary}, cross-validated"
    if not any(each.helps for each in calibrations):
        message = f"Calibration doesn't help ({measured}); probabilities stay unchanged."
        return _noting(raw, "calibration_skipped", message)
    temperatures = [each.temperature if each.helps else 1.0 for each in calibrations]
    assert pool.members is not None, "they were measured"
    rows = [scaled(m, t) for m, t in zip(pool.members, temperatures, strict=True)]
    new = rank_pool(replace(pool, probabilities=np.stack(rows) if several else rows[0]))
    message = (
        f"Calibrated probabilities with temperature "
        f"{', '.join(f'{t:.2f}' for t in temperatures)} ({measured}). Compared with uncalibrated: "
        f"{_overlap(raw, new)} of {counted(len(new), 'item')} in the batch unchanged, "
        f"rank correlation {_rank_correlation(raw, new):.3f}."
    )
    return _noting(new, "calibrated", message)


def saturated(pool: Pool, limit: float = 0.999) -> Notice | None:
    """A warning if more than half of the top probabilities or confidences exceed the limit.

    None for the votes of several versions, which state no confidence.
    """
    if pool.multilabel or (len(pool.version_names) > 1 and _of_votes(pool)):
        return None
    if pool.mean_probabilities is not None:
        top, what = pool.mean_probabilities.max(axis=1), "top probabilities"
    elif pool.answers:
        top, what = pool.answers[-1].confidences, "confidences"
    elif pool.newest_objects is not None:
        top, what = pool.newest_objects.confidences, "object confidences"
    else:
        return None
    top = top[~np.isnan(top)]
    if not top.size or (top > limit).mean() <= 0.5:
        return None
    share = 100 * float((top > limit).mean())
    if _of_votes(pool):
        message = (
            f"all {what} are 1: the predictions state no confidence, so the order is arbitrary. "
            "Give probabilities, a confidence, or several answers for each item."
        )
        return Notice("saturated", message)
    message = (
        f"{share:.0f}% of the {what} are above {limit:g}: the model looks overconfident. Trust "
        "the order more than the values, or label some items and set acquisition.calibrate: auto."
    )
    return Notice("saturated", message)


def _of_votes(pool: Pool) -> bool:
    """Whether no version states a confidence: all are 1."""
    if pool.members is not None:
        stated = [rows.max(axis=1) for rows in pool.members]
    else:
        stated = [objects.confidences for objects in pool.answers or pool.object_sets]
    return bool(stated) and is_hard(np.concatenate(stated))


def is_hard(confidences: NDArray[np.floating]) -> bool:
    """Whether all confidences that are there are 1, so that they say nothing.

    Example:
        >>> is_hard(np.array([1.0, np.nan])), is_hard(np.array([1.0, 0.5]))
        (True, False)
    """
    there = confidences[~np.isnan(confidences)]
    return bool(there.size) and bool((there == 1).all())


def _measured(pool: Pool) -> list[Calibration] | str:
    """The calibration of each version on the labelled items, or why it can't be measured."""
    if pool.answers:
        return (
            "calibrate: auto needs the probabilities of all classes; one confidence per item "
            "stays unchanged."
        )
    if pool.labels is None or pool.members is None:
        return "calibrate: auto needs labelled items with a class and probabilities; got none."
    if pool.multilabel:
        return "calibrate: auto needs one class per item; probabilities stay unchanged."
    calibrations = []
    for name, rows in zip(pool.version_names, pool.members, strict=True):
        usable = (pool.labels >= 0) & ~np.isnan(rows).any(axis=1)
        if usable.sum() < MIN_ITEMS:
            return (
                f"calibrate: auto needs {MIN_ITEMS} labelled items with predictions; got "
                f"{usable.sum()} (version {name}). Probabilities stay unchanged."
            )
        if is_hard(rows[usable].max(axis=1)):
            return (
                f"calibrate: auto needs probabilities; version {name} names one class for each "
                "item, with probability 1. Probabilities stay unchanged."
            )
        # The folds must not depend on the order of the rows.
        order = pool.tie_order[usable[pool.tie_order]]
        calibrations.append(measure(rows[order], pool.labels[order]))
    return calibrations


def _summary(calibration: Calibration) -> str:
    ece, nll = calibration.ece, calibration.nll
    return (
        f"ECE {ece[0]:.3f} to {ece[1]:.3f}, log loss {nll[0]:.3f} to {nll[1]:.3f} on "
        f"{calibration.n_items} labelled items"
    )


def _noting(ranking: Ranking, code: str, message: str) -> Ranking:
    return replace(ranking, notices=(*ranking.notices, Notice(code, message)))


def _overlap(first: Ranking, second: Ranking) -> int:
    return len(set(first.item_ids.tolist()) & set(second.item_ids.tolist()))


def _rank_correlation(first: Ranking, second: Ranking) -> float:
    """Spearman's rank correlation over the items ranked in both."""
    ranks = {item: rank for rank, item in enumerate(first.pool_order.tolist())}
    pairs = [(ranks[i], r) for r, i in enumerate(second.pool_order.tolist()) if i in ranks]
    if len(pairs) < 2:
        return 1.0
    return float(np.corrcoef(np.array(pairs).argsort(axis=0).argsort(axis=0).T)[0, 1])
