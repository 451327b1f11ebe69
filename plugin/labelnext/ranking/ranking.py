"""Ranking: the order in which to label items."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition import Unit
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.ranking.recipe import Purpose, Recipe
from labelnext.support.words import counted

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Ranking:
    """The order in which items should be labelled, next first.

    The batch is the first min(budget, candidates) items; the other candidates follow in
    `pool_order`, by score and then by id. Labelled items appear only in reviews.

    Attributes:
        item_ids: shape (n_batch,).
        ranks: shape (n_batch,), 1 is next.
        priorities: shape (n_batch,), 1 − (rank − 1)/n_ranked, in (0, 1]; larger is sooner.
        scores: shape (n_batch,), the textbook value of the acquisition function; NaN without one.
        pool_order: shape (n_ranked,), the ids of all ranked items, the batch first.
        pool_scores: shape (n_ranked,).
        unscored_ids: ids of unlabelled items without a score.
        acquisition: name of the function, or None.
        of: what was scored, items or objects; None without an acquisition function.
        direction: of the scores: high or low first; None without an acquisition function.
        selection: name of the method.
        seed: as given.
        notices: adjustments made during selection.
        object_scores: scores of each item's objects, in order, by item id; None unless requested.
        purpose: label, or review: existing labels, most doubtful first.
        recipe: how it was made; None if read back from a platform.
        why: why each item of the batch is next, in plain words, by item id; None unless requested.
        clusters: number of the cluster, from 0, of items that are to be served in turn by cluster,
            by item id; None unless requested.
        prelabels: the batch with what is predicted of it; None unless requested, and without any.
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
    why: Mapping[str, str] | None = None
    clusters: Mapping[str, int] | None = None
    prelabels: Pool | None = None

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
        """All ranked items, in the form of `to_rows`, plus whether each is in the batch."""
        n = len(self.pool_order)
        rows = as_rows(self.pool_order, np.arange(1, n + 1), self.pool_priorities, self.pool_scores)
        n_batch = len(self)
        for place, row in enumerate(rows):
            row["batch"] = place < n_batch
        return rows

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
        items = counted(len(self.pool_order), "item")
        return f"<Ranking of {items}, batch of {len(self):,}: {how}>"

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


def rows_of(pool: Pool, item_ids: NDArray[np.str_]) -> NDArray[np.intp]:
    """The positions of items in their pool, in the order of the ids, shape (n_ids,).

    Example:
        >>> rows_of(Pool(["a", "b", "c"]), np.array(["c", "a"])).tolist()
        [2, 0]
    """
    places = {name: row for row, name in enumerate(pool.item_ids.tolist())}
    return np.array([places[name] for name in item_ids.tolist()], dtype=np.intp)


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


def ranking_alone(ranking: Ranking, kept: NDArray[np.bool_]) -> Ranking:
    """A ranking of part of the batch, as if nothing else were ranked.

    Args:
        ranking: the full ranking.
        kept: shape (n_batch,), bool.
    """
    ids, scores = ranking.item_ids[kept], ranking.scores[kept]
    n = len(ids)
    return replace(
        ranking,
        item_ids=ids,
        ranks=np.arange(1, n + 1),
        priorities=priorities(n),
        scores=scores,
        pool_order=ids,
        pool_scores=scores,
    )


def batch_ranking(rows: list[dict[str, Any]], **how: Any) -> Ranking:
    """A ranking of just these items, in their order.

    Args:
        rows: with item_id and score.
        how: further attributes of `Ranking`.

    Example:
        >>> batch_ranking([{"item_id": "b", "score": 0.5}, {"item_id": "a", "score": None}])
        <Ranking of 2 items, batch of 2: no acquisition, top_k>
    """
    n = len(rows)
    ids = np.array([row["item_id"] for row in rows], dtype=np.str_)
    scores = np.array([np.nan if (s := row["score"]) is None else s for row in rows], dtype=float)
    return Ranking(ids, np.arange(1, n + 1), priorities(n), scores, ids, scores, **how)


def floor_of(ranking: Ranking) -> float:
    """The confidence below which objects were ignored, in [0, 1]; 0 where nothing was."""
    recipe = ranking.recipe
    return 0.0 if recipe is None or recipe.floor is None else recipe.floor
