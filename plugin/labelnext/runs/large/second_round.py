"""The second round: the method once more, among what was picked in the parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from labelnext.adapter.protocol import Part
from labelnext.pool.id_order import id_order
from labelnext.pool.objects import Notice
from labelnext.ranking.recipe import Recipe
from labelnext.runs.large.guide import Guide, vectors_of_table
from labelnext.runs.large.pick_in_part import picked
from labelnext.runs.large.score_part import Scoring
from labelnext.selection.facility_location import coverage
from labelnext.selection.k_center import covering_radius
from labelnext.selection.vectors import Array, Points
from labelnext.support.store import Store
from labelnext.support.words import counted

if TYPE_CHECKING:
    import pyarrow as pa

_HELD = 1 << 29  # bytes of embeddings that are held for the second round; more are thinned out
_MEASURED = 5_000  # items of the sample on which the rounds are compared with one

_MEASURES: dict[str, tuple[str, Callable[[Array, Array], float]]] = {
    "k_center": ("covering radius", covering_radius),
    "facility_location": ("coverage", coverage),
    "uncertainty_herding": ("coverage", coverage),
}


def second_round(
    scoring: Scoring,
    integers: bool,
    parts: Sequence[Part],
    store: Store,
    guide: Guide,
    n_ranked: int,
) -> tuple[pa.Table, list[Notice]]:
    """The batch with item_id and score, and what the rounds cost against one.

    Args:
        scoring: with the recipe.
        integers: every id is an integer.
        parts: of the pool.
        store: of the proposals.
        guide: with the sample and what is labelled.
        n_ranked: how many could be chosen.
    """
    import pyarrow as pa

    recipe = scoring.recipe
    held: list[pa.Table] = []
    for part in parts:
        try:
            held.append(store.read_table(scoring.proposals(part)))
        except FileNotFoundError:  # a part that could not be read, and was left out
            continue
        if sum(table.nbytes for table in held) > _HELD:
            held = [_thinned(recipe, pa.concat_tables(held), integers, guide)]
    if not held:
        kinds = {"item_id": pa.string(), "score": pa.float64()}
        return pa.table({name: pa.array([], kind) for name, kind in kinds.items()}), []
    if len(parts) == 1:  # one part is the whole
        batch, notices = held[0].slice(0, recipe.budget), []
    else:
        batch = _thinned(recipe, pa.concat_tables(held), integers, guide)
        notices = [_measured(recipe, guide, n_ranked)]
    if recipe.constraints.spaced:
        message = (
            f"Near-duplicates were left out of the batch of {counted(len(batch), 'item')}; they "
            "follow in the ranking, and aren't counted in a pool that is read in parts."
        )
        notices.append(Notice("near_duplicates", message))
    return batch.select(["item_id", "score"]), notices


def _thinned(recipe: Recipe, table: pa.Table, integers: bool, guide: Guide) -> pa.Table:
    ids = np.array(table.column("item_id").to_pylist(), dtype=np.str_)
    rows = id_order(ids) if integers else np.argsort(ids, kind="stable")
    points = Points(vectors_of_table(table), rows)
    utilities = table.column("utility").to_numpy()[rows]
    return table.take(rows[picked(recipe, points, guide.labelled, utilities)])


def _measured(recipe: Recipe, guide: Guide, n_ranked: int) -> Notice:
    """The rounds against one, on a part of the sample, with the budget scaled down."""
    some = np.arange(len(guide.sample))[:: -(-len(guide.sample) // _MEASURED) or 1]
    message = f"{recipe.selection} ran in two rounds: within each part, then among the parts' picks"
    if len(some) < 2 or recipe.selection not in _MEASURES:
        return Notice("rounds", f"{message}.")
    what, measure = _MEASURES[recipe.selection]
    sample, homes = guide.sample[some], guide.parts[some]
    budget = max(2, round((recipe.budget or 0) * len(some) / n_ranked))
    quality = compared(recipe, sample, homes, guide.labelled, min(budget, len(some)), measure)
    return Notice(
        "rounds",
        f"{message}. On a sample of {len(some):,} items its {what} was {quality:.3f} times that of "
        "a single round.",
    )


def compared(
    recipe: Recipe,
    points: Array,
    homes: NDArray[np.intp],
    labelled: Array,
    budget: int,
    measure: Callable[[Array, Array], float],
) -> float:
    """What a measure gives for two rounds, divided by what it gives for one.

    Args:
        recipe: with the method.
        points: shape (n_points, n_dimensions).
        homes: shape (n_points,), the part of each.
        labelled: shape (n_labelled, n_dimensions).
        budget: of picks.
        measure: ``f(points, chosen)``.
    """
    small = replace(recipe, budget=budget)
    first = [
        rows[picked(small, points[rows], labelled)]
        for rows in (np.flatnonzero(homes == home) for home in np.unique(homes))
    ]
    union = np.sort(np.concatenate(first))
    twice = points[union[picked(small, points[union], labelled)]]
    once = points[picked(small, points, labelled)]
    given = labelled if len(labelled) else points[:0]
    values = [measure(points, np.concatenate([given, chosen])) for chosen in (twice, once)]
    return 1.0 if values[0] == values[1] else values[0] / max(values[1], 1e-300)
