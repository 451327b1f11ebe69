"""Rank a pool by a configuration's recipe."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition import ACQUISITIONS, AUTO
from labelnext.adapter.protocol import Adapter
from labelnext.config.config import Config
from labelnext.errors import ConfigError, InvalidInput
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.quality.calibrated import calibrated_ranking, saturated
from labelnext.quality.reviews import review
from labelnext.ranking.rank import ranked
from labelnext.ranking.ranking import Ranking, floor_of, rows_of
from labelnext.ranking.reasons import doubt, why
from labelnext.ranking.recipe import Recipe, not_trained, resolved
from labelnext.selection.clustering import k_means

_MOST_CLUSTERS = 250
_MOST_NUMBERED = 1000  # items: a platform may take a request for each


def uses_boxes(settings: Config, platform: Adapter) -> bool:
    """Whether a run may use the boxes of objects that one model version predicted.

    Its page shows them, a review compares them, pre-labels hold them, and of functions of other
    packages nobody knows. labelnext's own functions compare those of several versions, or those
    with labels, which an adapter reads anyway.
    """
    recipe, shown = settings.recipe, settings.report.path is not None
    name = recipe.acquisition
    foreign = name not in (None, AUTO) and not ACQUISITIONS.is_built_in(name)
    return (
        shown or foreign or recipe.purpose == "review"
        or getattr(platform, "wants_prelabels", bool)()
    )  # fmt: skip


def rank_pool(settings: Config, pool: Pool) -> Ranking:
    """The ranking that the configuration asks for."""
    return follow(settings.recipe, pool)


def follow(recipe: Recipe, pool: Pool) -> Ranking:
    """Rank a pool by a recipe: a review or a batch, calibrated if the recipe says so.

    Args:
        recipe: a configuration's recipe; choices that depend on the data may be open.
        pool: the items.

    Raises:
        InvalidInput: if the pool lacks what is needed.
    """
    if recipe.purpose == "review":
        return _reviewed(recipe, pool)
    recipe = resolved(recipe, pool)
    if recipe.calibrate == "auto" and recipe.unit == "items":
        return calibrated_ranking(pool, lambda items: ranked(items, recipe))
    ranking = ranked(pool, recipe)
    notices = [warning] if recipe.unit is not None and (warning := saturated(pool)) else []
    if recipe.calibrate == "auto":
        message = "calibrate: auto has no effect on objects; it only applies to item probabilities."
        notices.append(Notice("calibration_skipped", message))
    return replace(ranking, notices=(*ranking.notices, *notices))


def with_object_scores(pool: Pool, ranking: Ranking) -> Ranking:
    """The ranking with a score for each object.

    Raises:
        ConfigError: if the ranking doesn't score objects.
    """
    recipe = ranking.recipe
    if ranking.of != "objects" or recipe is None or recipe.function is None:
        raise ConfigError(
            "write.objects must be left out unless objects are scored; "
            f"got {ranking.acquisition or 'no acquisition function'} of {ranking.of or 'items'}.",
            hint=None
            if pool.answers
            else "set acquisition.of: objects to score items by their objects.",
        )
    function = recipe.function
    options = {name: value for name, value in recipe.scoring.items() if name in function.options}
    return replace(ranking, object_scores=function.score_objects(pool, **options))


def with_why(pool: Pool, ranking: Ranking) -> Ranking:
    """The ranking with a sentence for each item of the batch that says why it is next."""
    say = doubt if ranking.purpose == "review" else why
    floor = floor_of(ranking)
    rows = zip(ranking.item_ids.tolist(), rows_of(pool, ranking.item_ids).tolist(), strict=True)
    return replace(ranking, why={name: say(pool, row, ranking.of, floor) for name, row in rows})


def predicted_of(pool: Pool, rows: NDArray[np.intp]) -> Pool | None:
    """What is predicted of these items: of several versions, the mean or the newest.

    Args:
        pool: with the predictions.
        rows: positions of the items; those without a prediction are left out.

    Returns:
        A pool of one version; None if nothing is predicted of any.
    """
    rows = rows[~pool.missing[rows]]
    if not len(rows):
        return None
    probabilities = pool.mean_probabilities
    objects = pool.shown_objects if pool.answer is None else pool.answer
    return Pool(
        pool.item_ids[rows],
        probabilities=None if probabilities is None else probabilities[rows],
        objects=objects.take(rows) if objects is not None and probabilities is None else None,
        estimates=None if pool.estimates is None else pool.estimates[rows],
        classes=pool.classes,
        multilabel=pool.multilabel,
    )


def with_prelabels(pool: Pool, ranking: Ranking) -> Ranking:
    """The ranking with what is predicted of the batch: of several versions, the mean or the newest.

    Raises:
        ConfigError: if labels are reviewed.
    """
    if ranking.purpose == "review":
        raise ConfigError(
            "write.prelabels must be left out for label review; got True.",
            hint="what is reviewed has a label already.",
        )
    predicted = predicted_of(pool, rows_of(pool, ranking.item_ids))
    if predicted is None:
        message = "Nothing is predicted of the batch yet, so it gets no pre-labels."
        return replace(ranking, notices=(*ranking.notices, Notice("no_prelabels", message)))
    return replace(ranking, prelabels=predicted)


def with_clusters(pool: Pool, ranking: Ranking, wanted: int | Literal["auto"]) -> Ranking:
    """The ranking with clusters of its first half, and in each the tasks that are next there.

    The clusters are those of the embeddings; without any, of the square roots of the class
    probabilities, whose distance is Hellinger's. Twice as many items as the batch has are numbered.

    Args:
        pool: that was ranked.
        ranking: of the pool.
        wanted: how many clusters; auto: half as many as the batch has items, at most 250.

    Raises:
        InvalidInput: if the pool has neither embeddings nor class probabilities.
    """
    budget = len(ranking)
    if not budget:
        return replace(ranking, clusters={})
    n_clusters = min(budget // 2, _MOST_CLUSTERS) if wanted == "auto" else wanted
    n_clusters = max(n_clusters, 2)
    order = rows_of(pool, ranking.pool_order)
    candidates = order[: max(2 * budget, -(-len(order) // 2))]
    points = _points(pool)[candidates]
    there = ~np.isnan(points).any(axis=1)
    if not there.any():
        return replace(ranking, clusters={})
    _, labels = k_means(points[there], n_clusters, seed=ranking.seed)
    each = max(1, min(-(-2 * budget // n_clusters), _MOST_NUMBERED // n_clusters))
    numbers: dict[int, int] = {}  # clusters are numbered as they come in the ranking
    clusters: dict[str, int] = {}
    counts: Counter[int] = Counter()
    for row, label in zip(candidates[there].tolist(), labels.tolist(), strict=True):
        counts[label] += 1
        if counts[label] <= each:
            clusters[str(pool.item_ids[row])] = numbers.setdefault(label, len(numbers))
    return replace(ranking, clusters=clusters)


def _points(pool: Pool) -> NDArray[np.floating]:
    if pool.embeddings is not None:
        return np.asarray(pool.embeddings, dtype=np.float32)
    if pool.mean_probabilities is not None:
        return np.sqrt(np.asarray(pool.mean_probabilities, dtype=np.float32))
    raise InvalidInput(
        "write.clusters needs embeddings or class probabilities; the items have neither.",
        hint="set source.embeddings, or leave write.clusters out.",
    )


def _reviewed(recipe: Recipe, pool: Pool) -> Ranking:
    if cause := not_trained(pool):
        raise InvalidInput(cause, hint="review labels when there are more of them.")
    ranking = review(pool, score=recipe.options["score"], budget=recipe.budget)
    idle = recipe.reasons.get("idle_options")
    notices = [] if idle is None else [Notice("idle_options", idle)]
    return replace(
        ranking,
        notices=(*ranking.notices, *notices),
        recipe=replace(recipe, acquisition=ranking.acquisition, unit=ranking.of),
    )
