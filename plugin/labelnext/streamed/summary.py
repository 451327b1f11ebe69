"""What a Report says of a pool that was never in memory as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labelnext.pool import Notice
from labelnext.ranking import Ranking, as_rows, auto_notices
from labelnext.recipe import Recipe
from labelnext.report import BINS, NEXT
from labelnext.streamed.parts import Scored

if TYPE_CHECKING:
    import pyarrow as pa

_FINE = 3000  # bins in which the median is looked for
_HELD = 100_000  # items of a batch that a report holds; each takes half a kilobyte


def ranked_table(batch: pa.Table, first: int, n_ranked: int, budget: int) -> pa.Table:
    """Ordered items with their rank, priority, and whether each is in the batch.

    Args:
        batch: with item_id and score, in order.
        first: rank of the first of them.
        n_ranked: of the whole pool.
        budget: size of the batch.
    """
    import pyarrow as pa

    ranks = np.arange(first, first + batch.num_rows)
    return pa.table(
        {
            "item_id": batch.column("item_id"),
            "rank": ranks,
            "priority": 1 - (ranks - 1) / max(n_ranked, 1),
            "score": batch.column("score"),
            "batch": ranks <= budget,
        }
    )


class Summary:
    """Grows with every file of the ranking.

    Args:
        scored: what scoring found.
        budget: size of the batch.
        recipe: how it was done.
        notices: of the choice of the batch.
    """

    def __init__(
        self, scored: Scored, budget: int, recipe: Recipe, notices: Sequence[Notice] = ()
    ) -> None:
        self.scored, self.budget, self._recipe = scored, budget, recipe
        self._notices = (*auto_notices(recipe), *notices)
        self._rows: list[dict[str, Any]] = []
        self._seen = 0
        self._fine: NDArray[np.int64] = np.zeros(_FINE, dtype=np.int64)
        self._batch: NDArray[np.int64] = np.zeros(_FINE, dtype=np.int64)

    def add(self, table: pa.Table) -> None:
        """Take the next ranked items in."""
        scores = table.column("score").to_numpy()
        left = max(self.budget - self._seen, 0)
        head = table.slice(0, min(left, _HELD - len(self._rows)))
        columns = (head.column(name).to_numpy() for name in ("rank", "priority", "score"))
        ids = np.array(head.column("item_id").to_pylist(), dtype=np.str_)
        self._rows += as_rows(ids, *columns)
        self._batch += self._histogram(scores[:left])
        self._fine += self._histogram(scores)
        self._seen += len(table)

    @property
    def n_batch(self) -> int:
        """Size of the batch, as far as items came."""
        return min(self.budget, self._seen)

    def _histogram(self, scores: NDArray[np.float64]) -> NDArray[np.int64]:
        low, high = self.scored.low, self.scored.high
        if low is None or high is None:
            return np.zeros(_FINE, dtype=np.int64)
        finite = scores[np.isfinite(scores)]
        counts: NDArray[np.int64] = np.histogram(finite, bins=_FINE, range=(low, high))[0]
        return counts

    def parts_of_report(self) -> dict[str, Any]:
        """The fields of a Report that follow from what was scored and ordered."""
        ranking = self.ranking
        scored = self.scored
        return {
            "counts": {**scored.counts, "batch": self.n_batch},
            "ids": {"missing": scored.missing, "unscored": scored.unscored},
            "notices": list(ranking.notices),
            "scores": self._distribution(),
            "classes": None,
            "objects_per_item": None,
            "calibration": [],
            "next_items": [
                {**row, "reason": scored.reasons.get(row["item_id"], "")}
                for row in self._rows[:NEXT]
            ],
            "recipe": self._recipe.to_dict(),
            "ranking": ranking,
        }

    @property
    def ranking(self) -> Ranking:
        """Of the batch, or of its first items where it is large."""
        recipe, function = self._recipe, self._recipe.function
        ids = np.array([row["item_id"] for row in self._rows], dtype=np.str_)
        scores = np.array([row["score"] for row in self._rows], dtype=np.float64)
        notices = [
            Notice(
                code,
                f"in {notice['parts']} parts, {notice['items']} items; the first: "
                f"{notice['message']}",
                tuple(notice["ids"]),
            )
            for code, notice in self.scored.notices.items()
        ]
        if self.n_batch > len(ids):
            message = (
                f"the report holds the first {len(ids):,} of the {self.n_batch:,} of the batch."
            )
            notices.append(Notice("large_batch", message))
        problems = self.scored.problems
        if problems:
            message = f"{len(problems)} parts could not be read and were left out: {problems[0]}"
            notices.append(Notice("broken_parts", message))
        return Ranking(
            item_ids=ids,
            ranks=np.arange(1, len(ids) + 1),
            priorities=np.array([row["priority"] for row in self._rows]),
            scores=scores,
            pool_order=ids,
            pool_scores=scores,
            acquisition=recipe.acquisition,
            of=recipe.unit,
            direction=None if function is None else function.direction,
            selection=recipe.selection,
            seed=recipe.seed,
            notices=(*self._notices, *notices),
            recipe=recipe,
        )

    def _distribution(self) -> dict[str, Any] | None:
        low, high = self.scored.low, self.scored.high
        if low is None or high is None:
            return None
        wide = _FINE // BINS
        edges = np.histogram_bin_edges([], bins=_FINE, range=(low, high))
        middle = int(np.searchsorted(np.cumsum(self._fine), self._fine.sum() / 2))
        return {
            "edges": edges[::wide].tolist(),
            "pool": self._fine.reshape(BINS, wide).sum(axis=1).tolist(),
            "batch": self._batch.reshape(BINS, wide).sum(axis=1).tolist(),
            "min": low,
            "median": float(edges[middle : middle + 2].mean()),
            "max": high,
        }
