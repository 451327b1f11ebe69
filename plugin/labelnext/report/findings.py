"""The parts of a report that describe the pool and the ranking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.function import without_objects
from labelnext.pool.checks import among
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.quality.reliability import trust
from labelnext.ranking.ranking import Ranking, floor_of, rows_of
from labelnext.ranking.reasons import (
    class_name,
    counted_objects,
    objects_reason,
    predictions_by_class,
    reasons,
)
from labelnext.report.cards import cards_of
from labelnext.report.pool_map import map_of
from labelnext.support.histogram import histogram

BINS = 30
NEXT = 20


def summarise(
    pool: Pool,
    ranking: Ranking,
    notices: Sequence[Notice] = (),
    *,
    shown: int = NEXT,
    map: Literal["pca", "umap"] | None = "pca",
) -> dict[str, Any]:
    """The fields of a Report that describe the pool and the ranking.

    Args:
        pool: the items that were read.
        ranking: their ranking.
        notices: more notices of the run.
        shown: how many of the next items the page shows.
        map: how the page's map places items; None without a page.
    """
    recipe = ranking.recipe
    batch = rows_of(pool, ranking.item_ids)
    asked = pool.labelled if ranking.purpose == "review" else pool.candidates
    missing = pool.missing & asked
    first = ranking.to_rows()[: max(shown, NEXT)]
    rows = [
        {**row, "reason": line}
        for row, line in zip(first, _reasons(pool, batch[: len(first)], ranking), strict=True)
    ]
    return {
        "counts": _counts(pool, ranking, missing),
        "ids": {
            "missing": pool.item_ids[missing].tolist(),
            "unscored": list(ranking.unscored_ids),
        },
        "notices": [*pool.notices, *ranking.notices, *notices],
        "scores": _distribution(ranking),
        "classes": _classes(pool, ranking, batch),
        "objects_per_item": _objects_per_item(pool, asked, batch, floor_of(ranking)),
        "next_items": rows[:NEXT],
        "cards": cards_of(pool, ranking, rows, batch),
        "pool_map": None if map is None else map_of(pool, batch, map),
        "calibration": [trusted.to_dict() for trusted in trust(pool)],
        "seed": ranking.seed,
        "input_hash": pool.fingerprint(),
        "recipe": None if recipe is None else recipe.to_dict(),
        "ranking": ranking,
    }


def _counts(pool: Pool, ranking: Ranking, missing: NDArray[np.bool_]) -> dict[str, int]:
    counts = {
        "items": len(pool),
        "predicted": int((~pool.missing).sum()),
        "missing": int(missing.sum()),
        "labelled": int(pool.labelled.sum()),
        "unscored": len(ranking.unscored_ids),
        "ranked": len(ranking.pool_order),
        "batch": len(ranking),
    }
    if pool.object_sets:
        floor = floor_of(ranking)
        empty = without_objects(pool, 0.0)
        counts["without objects"] = int(empty.sum())
        if floor > 0:
            counts["below the floor"] = int((without_objects(pool, floor) & ~empty).sum())
    return counts


def _reasons(pool: Pool, rows: NDArray[np.intp], ranking: Ranking) -> list[str]:
    lines = reasons(pool, rows.tolist(), ranking.of, ranking.recipe)
    if ranking.purpose == "label":
        return lines
    return [
        f"labelled {_label(pool, row)}; predicted {line}"
        for row, line in zip(rows.tolist(), lines, strict=True)
    ]


def _label(pool: Pool, row: int) -> str:
    """The label, or labels, that people gave an item."""
    if pool.truth is not None:
        return objects_reason(pool, pool.truth, row)
    if pool.votes is not None and (pool.votes[row] >= 0).any():
        votes = np.bincount(pool.votes[row][pool.votes[row] >= 0])
        said = np.argsort(-votes, kind="stable")[: np.count_nonzero(votes)].tolist()
        return ", ".join(f"{class_name(pool, c)} by {votes[c]}" for c in said[:5])
    if pool.numbers is not None and pool.estimates is not None:
        return f"{pool.numbers[row]:.4g}"
    return class_name(pool, -1 if pool.labels is None else int(pool.labels[row]))


def _distribution(ranking: Ranking) -> dict[str, Any] | None:
    scores = ranking.pool_scores[np.isfinite(ranking.pool_scores)]
    if not scores.size:
        return None
    low, high = float(scores.min()), float(scores.max())
    counts, edges = histogram(scores, low, high, BINS)
    chosen = ranking.scores[np.isfinite(ranking.scores)]
    return {
        "edges": edges.tolist(),
        "pool": counts.tolist(),
        "batch": histogram(chosen, low, high, BINS)[0].tolist(),
        "min": low,
        "median": float(np.median(scores)),
        "max": high,
    }


def _classes(pool: Pool, ranking: Ranking, batch: NDArray[np.intp]) -> list[dict[str, Any]] | None:
    predictions = predictions_by_class(pool, ranking.of)
    if predictions is None:
        return None
    predicted, owners = predictions
    in_batch = np.zeros(len(pool), dtype=bool)
    in_batch[batch] = True
    candidates = among(pool.item_ids, ranking.pool_order.tolist())
    n_classes = pool.n_classes or int(predicted.max(initial=-1)) + 1
    known = predicted >= 0

    def count(items: NDArray[np.bool_]) -> list[int]:
        counts: list[int] = np.bincount(
            predicted[known & items[owners]], minlength=n_classes
        ).tolist()
        return counts

    rows = zip(range(n_classes), count(candidates), count(in_batch), strict=True)
    return [{"class": class_name(pool, c), "pool": p, "batch": b} for c, p, b in rows]


def _objects_per_item(
    pool: Pool, asked: NDArray[np.bool_], batch: NDArray[np.intp], floor: float
) -> dict[str, float] | None:
    counts = counted_objects(pool, floor)
    if counts is None:
        return None
    of_pool = counts[asked & ~pool.missing]
    mean = (float(part.mean()) if part.size else 0.0 for part in (of_pool, counts[batch]))
    return dict(zip(("pool", "batch"), mean, strict=True))
