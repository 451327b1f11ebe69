"""Ranking: which item is labelled first, second, third; and `rank`, which makes one."""

from __future__ import annotations

import html
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition import (
    AUTO,
    Unit,
)
from labelnext.errors import InvalidInput, LabelnextWarning
from labelnext.pool import Notice, Objects, Pool
from labelnext.recipe import Purpose as Purpose
from labelnext.recipe import Recipe, asked, resolved
from labelnext.selection import INPUTS, SelectionMethod
from labelnext.selection.order import stable_order
from labelnext.selection.points import Points, Space, finite_rows

if TYPE_CHECKING:
    import pandas as pd

# Methods take one prediction of an item, whatever the number of model versions.
_OF_ALL_VERSIONS = {"probabilities": "mean_probabilities", "objects": "newest_objects"}


@dataclass(frozen=True, eq=False)
class Ranking:
    """The order in which items should be labelled, next first.

    The batch is the first min(budget, candidates) items; the candidates beyond it follow in
    `pool_order`, by score and then by id. Labelled items never appear, unless their labels are
    under review.

    Attributes:
        item_ids: shape (n_batch,).
        ranks: shape (n_batch,), 1 is next.
        priorities: shape (n_batch,), 1 − (rank − 1)/n_ranked, in (0, 1]; larger is sooner.
        scores: shape (n_batch,), the textbook value of the acquisition function; NaN without one.
        pool_order: shape (n_ranked,), the ids of all ranked items, the batch first.
        pool_scores: shape (n_ranked,).
        unscored_ids: ids of unlabelled items that could not be scored.
        acquisition: name of the function, or None.
        of: what was scored, items or objects; None without an acquisition function.
        direction: of the scores: high or low first; None without an acquisition function.
        selection: name of the method.
        seed: as given.
        notices: what selection had to adjust.
        object_scores: of each item's objects, in their order, by its id; None unless asked for.
        purpose: label, or review: then its items are labelled, the most doubtful label first.
        recipe: how it was made; None where it was read back from a platform.
    """

    item_ids: NDArray[np.str_]
    ranks: NDArray[np.int64]
    priorities: NDArray[np.float64]
    scores: NDArray[np.float64]
    pool_order: NDArray[np.str_]
    pool_scores: NDArray[np.float64]
    unscored_ids: tuple[str, ...] = ()
    acquisition: str | None = None
    of: Unit | None = None
    direction: str | None = None
    selection: str = "top_k"
    seed: int = 0
    notices: tuple[Notice, ...] = ()
    purpose: Purpose = "label"
    object_scores: Mapping[str, NDArray[np.float64]] | None = None
    recipe: Recipe | None = None

    def __len__(self) -> int:
        return len(self.item_ids)

    @property
    def pool_priorities(self) -> NDArray[np.float64]:
        """Priorities of all ranked items, in the order of `pool_order`."""
        return priorities(len(self.pool_order))

    def to_rows(self) -> list[dict[str, Any]]:
        """The batch as dictionaries with item_id, rank, priority and score (None for NaN)."""
        return as_rows(self.item_ids, self.ranks, self.priorities, self.scores)

    def pool_rows(self) -> list[dict[str, Any]]:
        """All ranked items, as `to_rows` gives the batch, and whether each is in it (batch)."""
        n = len(self.pool_order)
        rows = as_rows(self.pool_order, np.arange(1, n + 1), self.pool_priorities, self.pool_scores)
        return [{**row, "batch": row["rank"] <= len(self)} for row in rows]

    def to_dataframe(self) -> pd.DataFrame:
        """The batch as a pandas DataFrame (pandas must be installed)."""
        import pandas as pd

        return pd.DataFrame(
            {
                "item_id": self.item_ids,
                "rank": self.ranks,
                "priority": self.priorities,
                "score": self.scores,
            }
        )

    def __repr__(self) -> str:
        how = f"{self.acquisition or 'no acquisition'}, {self.selection}"
        return f"<Ranking of {len(self.pool_order)} items, batch of {len(self)}: {how}>"

    def _repr_html_(self, most: int = 20) -> str:
        cells = "".join(
            f"<tr><td>{row['rank']}</td><td>{html.escape(row['item_id'])}</td>"
            f"<td>{row['priority']:.4f}</td>"
            f"<td>{'' if row['score'] is None else format(row['score'], '.4f')}</td></tr>"
            for row in self.to_rows()[:most]
        )
        more = f"<p>and {len(self) - most} more</p>" if len(self) > most else ""
        return (
            f"<p>{html.escape(repr(self)[1:-1])}</p><table><tr><th>rank</th><th>item</th>"
            f"<th>priority</th><th>score</th></tr>{cells}</table>{more}"
        )


def priorities(n_ranked: int) -> NDArray[np.float64]:
    """1 − (rank − 1)/n_ranked for rank 1 to n_ranked.

    Example:
        >>> priorities(4).tolist()
        [1.0, 0.75, 0.5, 0.25]
    """
    return 1 - np.arange(n_ranked) / max(n_ranked, 1)


def rank(
    pool: Pool,
    acquisition: str | None = AUTO,
    *,
    budget: int | None = None,
    selection: str = "top_k",
    seed: int = 0,
    of: Unit | None = None,
    **options: Any,
) -> Ranking:
    """Score a pool and choose the next batch.

    Args:
        pool: the items; labelled ones are left out.
        acquisition: name of the acquisition function; auto takes what suits the pool, see
            `auto_acquisition`; None where the selection needs no score.
        budget: size of the batch; the whole pool when None or larger than it.
        selection: name of the selection method.
        seed: of the selection method.
        of: score items by their own distribution or by their objects; what the pool allows
            when None.
        options: each goes to what names it: the acquisition function, the selection method,
            `Space` (how distances are measured) or `Constraints` (what the batch must keep to).

    Returns:
        The ranking: the same for any order of the pool's rows.

    Raises:
        UnknownName: for a name or an option that does not exist.
        InvalidInput: if the pool lacks what is needed, or `budget` is below 1.

    Example:
        >>> pool = Pool(["a", "b", "c"], probabilities=[[0.9, 0.1], [0.5, 0.5], [0.6, 0.4]])
        >>> rank(pool, "margin", budget=2).item_ids.tolist()
        ['b', 'c']
    """
    if not isinstance(pool, Pool):
        raise InvalidInput(f"pool must be a Pool; got {type(pool).__name__}.")
    recipe = asked(
        acquisition, options=options, budget=budget, selection=selection, seed=seed, unit=of
    )
    return ranked(pool, resolved(recipe, pool))


def ranked(pool: Pool, recipe: Recipe) -> Ranking:
    """The ranking of a pool by a recipe that was resolved for it.

    Args:
        pool: the items; labelled ones are left out.
        recipe: of `resolved`.

    Raises:
        InvalidInput: if the pool lacks what is needed.
    """
    function, method, constraints = recipe.function, recipe.method, recipe.constraints
    n = len(pool)
    scores: NDArray[np.float64] = np.full(n, np.nan)
    utilities = None
    if function is not None:
        scores, utilities = function.score(pool, of=recipe.unit, **recipe.scoring)
    usable = _usable(method, pool, utilities)
    excluded, notices = constraints.excluded(pool)
    notices += auto_notices(recipe)
    order = pool.tie_order
    candidates = order[(usable & ~pool.labelled & ~excluded)[order]]
    options = dict(recipe.selection_options)
    if method.seeded:
        options["seed"] = recipe.seed

    inputs = _Inputs(method, pool, utilities, usable, Space(**recipe.space), recipe.seed)

    def choose(
        left: NDArray[np.intp], taken: NDArray[np.intp], wanted: int | None
    ) -> NDArray[np.intp]:
        picks: NDArray[np.intp] = method.function(
            **inputs.of(left, taken), budget=wanted, **options
        )
        return left[picks]

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", LabelnextWarning)
        if constraints.any:
            batch, shortfalls = constraints.fill(pool, candidates, recipe.budget, choose)
            notices += shortfalls
        else:
            batch = choose(candidates, candidates[:0], recipe.budget)
    messages = [str(w.message) for w in caught if issubclass(w.category, LabelnextWarning)]
    notices += [Notice("selection", message) for message in dict.fromkeys(messages)]

    rest = candidates[:0]
    if utilities is not None:
        rest = candidates[~np.isin(candidates, batch)]
        rest = rest[stable_order(utilities[rest])]
    rows = np.concatenate([batch, rest])
    unscored = ~usable & ~pool.labelled & ~excluded
    unscored[batch] = False
    unscored_ids = pool.item_ids[order[unscored[order]]]
    return Ranking(
        item_ids=pool.item_ids[batch],
        ranks=np.arange(1, len(batch) + 1),
        priorities=priorities(len(rows))[: len(batch)],
        scores=scores[batch],
        pool_order=pool.item_ids[rows],
        pool_scores=scores[rows],
        unscored_ids=tuple(unscored_ids.tolist()),
        acquisition=recipe.acquisition,
        of=recipe.unit,
        direction=None if function is None else function.direction,
        selection=recipe.selection,
        seed=recipe.seed,
        notices=tuple(notices),
        recipe=recipe,
    )


def auto_notices(recipe: Recipe) -> list[Notice]:
    """What auto chose, for the report; the margin, which is usual, goes without saying."""
    usual = {"acquisition"} if recipe.acquisition == "margin" else set()
    told = [key for key in ("acquisition", "selection") if key in recipe.reasons]
    return [Notice(key, recipe.reasons[key]) for key in told if key not in usual]


def as_rows(
    ids: NDArray[np.str_],
    ranks: NDArray[np.int64],
    values: NDArray[np.float64],
    scores: NDArray[np.float64],
) -> list[dict[str, Any]]:
    """Ranked items as dictionaries with item_id, rank, priority and score (None for NaN)."""
    columns = zip(ids.tolist(), ranks.tolist(), values.tolist(), scores.tolist(), strict=True)
    return [
        {"item_id": i, "rank": r, "priority": p, "score": None if s != s else s}
        for i, r, p, s in columns
    ]


def _usable(
    method: SelectionMethod, pool: Pool, utilities: NDArray[np.floating] | None
) -> NDArray[np.bool_]:
    """Which items have all that the method takes, shape (n_items,)."""
    usable = np.ones(len(pool), dtype=bool) if utilities is None else ~np.isnan(utilities)
    if pool.embeddings is not None and "embeddings" in method.inputs:
        usable &= finite_rows(Points(pool.embeddings))
    if "probabilities" in method.inputs and pool.mean_probabilities is not None:
        usable &= ~np.isnan(pool.mean_probabilities).any(axis=1)
    if pool.newest_objects is not None and "objects" in method.inputs:
        usable &= _finite_objects(pool.newest_objects)
    return usable


def _finite_objects(objects: Objects) -> NDArray[np.bool_]:
    """Items whose objects have embeddings without NaN or infinity, shape (n_items,)."""
    whole = np.ones(len(objects), dtype=bool)
    if objects.embeddings is not None:
        whole[objects.item_positions[~np.isfinite(objects.embeddings).all(axis=1)]] = False
    return whole


@dataclass(frozen=True)
class _Inputs:
    """What a method takes from the pool."""

    method: SelectionMethod
    pool: Pool
    utilities: NDArray[np.floating] | None
    usable: NDArray[np.bool_]
    space: Space
    seed: int

    @cached_property
    def _points(self) -> Callable[[NDArray[np.intp]], Points]:
        """Points of rows of the pool; the space is learnt from all that are usable, by id."""
        order = self.pool.tie_order
        rows = order[self.usable[order]]
        assert self.pool.embeddings is not None
        return self.space.of(self.pool.embeddings, rows, seed=self.seed)

    @cached_property
    def _finite(self) -> NDArray[np.bool_]:
        assert self.pool.embeddings is not None
        return finite_rows(Points(self.pool.embeddings))

    def of(self, candidates: NDArray[np.intp], taken: NDArray[np.intp]) -> dict[str, Any]:
        """The inputs for some candidates; those taken already count as labelled."""
        return {name: self._column(name, candidates, taken) for name in self.method.inputs}

    def _column(self, name: str, candidates: NDArray[np.intp], taken: NDArray[np.intp]) -> Any:
        source = name.removeprefix("labelled_").removeprefix("taken_")
        of_pool = _OF_ALL_VERSIONS.get(source, source)
        column = self.utilities if name == "utilities" else getattr(self.pool, of_pool)
        if column is None:
            if name not in self.method.needs:
                return None
            raise InvalidInput(
                f"{self.method.name} needs {INPUTS[name]}, and the pool has none.",
                hint="name where they are stored in source, or use selection top_k.",
            )
        if source == "objects":
            return column.take(candidates if name == source else taken)
        if name == "labelled_embeddings":
            done = self.pool.labelled & self._finite
            done[taken] = self._finite[taken]
            order = self.pool.tie_order
            return self._points(order[done[order]])
        if name == "embeddings":
            return self._points(candidates)
        return column[candidates]
