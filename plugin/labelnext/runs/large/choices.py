"""What a recipe asks of a pool that is read in parts, and what it may not ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition import AUTO
from labelnext.errors import ConfigError
from labelnext.pool.pool import Pool
from labelnext.ranking.recipe import Recipe
from labelnext.selection import get_selection, selection_names
from labelnext.selection.constraints import CONTENTS, Constraints
from labelnext.selection.vectors import Array, Points, Space


def picks_in_clusters(recipe: Recipe) -> bool:
    """Items are put to centres that were learnt from a sample; the clusters' lists are exact."""
    return recipe.method.large == "clusters"


def picks_in_rounds(recipe: Recipe) -> bool:
    """The method picks once in each part, then once more among what was picked there."""
    return recipe.method.large == "rounds"


def needs_survey(recipe: Recipe) -> bool:
    """The method goes by embeddings, and by what a survey of all parts found in them."""
    return picks_in_clusters(recipe) or picks_in_rounds(recipe)


def columns_of(recipe: Recipe) -> tuple[str, ...]:
    """What is read of a part beside what scores are made from."""
    wanted = ["embedding"] if needs_survey(recipe) else []
    limits = recipe.constraints
    grouped = "group" in limits.quotas or limits.per_group is not None
    return (*wanted, *(["group"] if grouped else []))


def kind_columns(limits: Constraints) -> dict[str, str]:
    """What quotas are of, and the column of scores that holds it for each item."""
    return {kind: f"of {kind}" for kind in limits.quotas}


def points_of(recipe: Recipe, embeddings: Array, rows: NDArray[np.intp]) -> Points:
    """Some rows of a column in the space of the method."""
    return Space(**recipe.space).of(embeddings, rows, seed=recipe.seed)(rows)


def check_choice(recipe: Recipe) -> None:
    """Refuse a batch that needs the whole pool at once.

    Raises:
        ConfigError: naming the key.
    """
    limits, by_score = recipe.constraints, recipe.selection in ("top_k", AUTO)
    limited = replace(limits, min_distance=None, dedupe=None, dedupe_by=None).any
    spaced, space = limits.spaced, recipe.space
    in_rounds = [name for name in selection_names() if get_selection(name).large == "rounds"]
    refuse(
        {
            "selection.budget must be given": (
                recipe.budget is None and (limits.any or not by_score)
            ),
            "selection.options.similar_to must be left out": bool(
                recipe.likeness.get("similar_to")
            ),
            "selection.options.doubt must be utility": (
                recipe.selection_options.get("doubt") == "embeddings"
            ),
            "selection.options.groups_as_items must be left out": bool(limits.groups_as_items),
            "selection.options.dedupe_by must be embeddings or left out": (
                limits.dedupe_by in CONTENTS
            ),
            "selection.options.standardise must be false": recipe.space.get("standardise", False),
            "selection.options.projection must be random or left out": (
                recipe.space.get("projection") == "pca"
            ),
            "selection.options.budget_in must be items": recipe.limits.get("budget_in") == "cost",
            "selection.method must be top_k with quota, per_group or include": (
                limited and not by_score
            ),
            f"selection.method must be one of {', '.join(in_rounds)} with min_distance or dedupe": (
                spaced and recipe.selection != AUTO and not picks_in_rounds(recipe)
            ),
            "selection.options.space must be embeddings with min_distance or dedupe": (
                spaced and space.get("space") == "probabilities"
            ),
            "selection.options.projection must be left out with min_distance or dedupe": (
                spaced and space.get("projection") is not None
            ),
            "selection.options.distance must be euclidean with min_distance": (
                limits.min_distance is not None and space.get("distance") == "cosine"
            ),
        }
    )


def try_limits(recipe: Recipe, pool: Pool) -> None:
    """Look at the names of classes and groups, and at sums, before anything begins.

    Raises:
        InvalidInput: if the pool lacks what is needed.
    """
    if recipe.constraints.any:
        none = np.empty(0, dtype=np.intp)
        trial = replace(recipe.constraints, include=())
        trial.fill(pool, none, recipe.budget, lambda left, taken, wanted: none)


def refuse(rules: Mapping[str, bool]) -> None:
    """Raise for the first rule of a pool in parts that is broken.

    Raises:
        ConfigError: naming the key.
    """
    for rule, broken in rules.items():
        if broken:
            raise ConfigError(
                f"{rule} for a pool that is read in parts.",
                hint="the rest needs the whole pool in memory: give one file as source.path.",
            )
