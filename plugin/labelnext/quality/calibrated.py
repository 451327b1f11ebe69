"""The ranking at a fitted temperature (`calibrate: auto`), and the warning of saturated scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.quality.calibration import Calibration, measure, scaled
from labelnext.ranking.ranking import Ranking

MIN_ITEMS = 50  # labelled items with predictions below which a temperature is not trusted


def calibrated_ranking(pool: Pool, rank_pool: Callable[[Pool], Ranking]) -> Ranking:
    """The ranking at the fitted temperature, where there are labels enough and it helps.

    Args:
        pool: with probabilities of items, and labels; each member of a committee gets a temperature
            of its own.
        rank_pool: makes the ranking of a pool.

    Returns:
        The ranking; a notice says what was done, and how much the order changed.
    """
    raw = rank_pool(pool)
    found = _measured(pool)
    if isinstance(found, str):
        warning = saturated(pool)
        raw = _noting(raw, "calibration_skipped", found)
        return _noting(raw, warning.code, warning.message) if warning else raw
    several = len(found) > 1
    said = "; ".join(
        f"version {name}: {_said(each)}" if several else _said(each)
        for name, each in zip(pool.version_names, found, strict=True)
    )
    measured = f"{said}, each scaled by a temperature fitted on the others"
    if not any(each.helps for each in found):
        message = f"no temperature helps ({measured}); probabilities are used as they are."
        return _noting(raw, "calibration_skipped", message)
    temperatures = [each.temperature if each.helps else 1.0 for each in found]
    assert pool.members is not None, "they were measured"
    rows = [scaled(m, t) for m, t in zip(pool.members, temperatures, strict=True)]
    new = rank_pool(replace(pool, probabilities=np.stack(rows) if several else rows[0]))
    message = (
        f"probabilities were calibrated with temperature "
        f"{', '.join(f'{t:.2f}' for t in temperatures)} ({measured}); "
        f"{_overlap(raw, new)} of {len(new)} items of the batch are the same as without, and the "
        f"rank correlation of the orders is {_rank_correlation(raw, new):.3f}."
    )
    return _noting(new, "calibrated", message)


def saturated(pool: Pool, limit: float = 0.999) -> Notice | None:
    """A warning where more than half of the top probabilities, or confidences, are above it."""
    if pool.multilabel:
        return None
    if pool.mean_probabilities is not None:
        top, what = pool.mean_probabilities.max(axis=1), "top probabilities"
    elif pool.newest_objects is not None:
        top, what = pool.newest_objects.confidences, "objects' confidences"
    else:
        return None
    top = top[~np.isnan(top)]
    if not top.size or (top > limit).mean() <= 0.5:
        return None
    share = 100 * float((top > limit).mean())
    message = (
        f"{share:.0f} % of the {what} are above {limit:g}: the model looks overconfident; trust "
        "the order more than the values, or label some items and set acquisition.calibrate: auto."
    )
    return Notice("saturated", message)


def _measured(pool: Pool) -> list[Calibration] | str:
    """The calibration of the labelled items by each version, or why it cannot be measured."""
    if pool.labels is None or pool.members is None:
        return "calibrate: auto needs the classes of labelled items; there are none."
    if pool.multilabel:
        return "calibrate: auto is for one class an item; probabilities are used as they are."
    found = []
    for name, rows in zip(pool.version_names, pool.members, strict=True):
        usable = (pool.labels >= 0) & ~np.isnan(rows).any(axis=1)
        if usable.sum() < MIN_ITEMS:
            return (
                f"calibrate: auto needs {MIN_ITEMS} labelled items with predictions; got "
                f"{usable.sum()} (version {name}). Probabilities are used as they are."
            )
        # The folds must not depend on the rows' order.
        order = pool.tie_order[usable[pool.tie_order]]
        found.append(measure(rows[order], pool.labels[order]))
    return found


def _said(found: Calibration) -> str:
    ece, nll = found.ece, found.nll
    return (
        f"ECE {ece[0]:.3f} to {ece[1]:.3f}, log loss {nll[0]:.3f} to {nll[1]:.3f} on "
        f"{found.n_items} labelled items"
    )


def _noting(ranking: Ranking, code: str, message: str) -> Ranking:
    return replace(ranking, notices=(*ranking.notices, Notice(code, message)))


def _overlap(first: Ranking, second: Ranking) -> int:
    return len(set(first.item_ids.tolist()) & set(second.item_ids.tolist()))


def _rank_correlation(first: Ranking, second: Ranking) -> float:
    """Spearman's, over the items ranked in both."""
    places = {item: place for place, item in enumerate(first.pool_order.tolist())}
    pairs = [(places[i], p) for p, i in enumerate(second.pool_order.tolist()) if i in places]
    if len(pairs) < 2:
        return 1.0
    return float(np.corrcoef(np.array(pairs).argsort(axis=0).argsort(axis=0).T)[0, 1])
