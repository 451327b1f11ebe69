"""What a Report says of a pool that was never in memory as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labelnext.pool.id_order import id_order
from labelnext.pool.objects import Notice
from labelnext.quality.reliability import Trust
from labelnext.quality.stopping import Snapshot, scored_by
from labelnext.ranking.rank import auto_notices
from labelnext.ranking.ranking import Ranking, as_rows
from labelnext.ranking.recipe import Recipe
from labelnext.report.cards import Card
from labelnext.report.findings import BINS, NEXT
from labelnext.runs.large.look import FINE, fine_histogram
from labelnext.runs.large.part import Scored
from labelnext.support.histogram import histogram
from labelnext.support.words import counted

if TYPE_CHECKING:
    import pyarrow as pa

_COUNTED = 2_000_000  # items of a batch whose classes are counted
KEPT = 100_000  # items of which later runs know what was predicted; of more, a sample of so many
_OF_SNAPSHOT = ("item_id", "name", "score")
_HELD = 100_000  # items of a batch that a report holds; each takes half a kilobyte


def ranked_table(items: pa.Table, ranks: NDArray[np.int64], n_ranked: int, budget: int) -> pa.Table:
    """Items with their rank, priority, and whether each is in the batch.

    Args:
        items: with item_id and score.
        ranks: of each.
        n_ranked: of the whole pool.
        budget: size of the batch.
    """
    import pyarrow as pa

    return pa.table(
        {
            "item_id": items.column("item_id"),
            "rank": ranks,
            "priority": 1 - (ranks - 1) / max(n_ranked, 1),
            "score": items.column("score"),
            "batch": ranks <= budget,
        }
    )


class Summary:
    """Grows with every file of the ranking that holds items of the batch.

    Args:
        scored: what scoring found.
        budget: size of the batch.
        recipe: how it was done.
        n_ranked: items that are ranked.
        notices: of the choice of the batch.

    Attributes:
        calibration: of each model version, on what is labelled in all parts.
        notices: of the function, of the choice of the batch, and of the ranks.
    """

    def __init__(
        self,
        scored: Scored,
        budget: int,
        recipe: Recipe,
        n_ranked: int,
        notices: Sequence[Notice] = (),
    ) -> None:
        self.scored, self.budget, self.recipe = scored, budget, recipe
        self.calibration: list[Trust] = []
        self._n_ranked = n_ranked
        self._ids: list[pa.Array] = []  # of the batch, as far as its classes are counted
        self._batch_classes: dict[str, int] = {}
        self._batch_objects = 0.0
        self._kept: tuple[Any, ...] | None = None
        self.notices = [*auto_notices(recipe), *notices]
        self._rows: list[dict[str, Any]] = []
        self._seen = 0
        self._fine: NDArray[np.int64] = np.zeros(FINE, dtype=np.int64)
        self._batch: NDArray[np.int64] = np.zeros(FINE, dtype=np.int64)

    def add(self, table: pa.Table) -> None:
        """Take the next ranked items in."""
        scores = table.column("score").to_numpy()
        left = max(self.budget - self._seen, 0)
        head = table.slice(0, min(left, _HELD - len(self._rows)))
        columns = (head.column(name).to_numpy() for name in ("rank", "priority", "score"))
        ids = np.array(head.column("item_id").to_pylist(), dtype=np.str_)
        self._rows += as_rows(ids, *columns)
        counted = table.slice(0, min(left, _COUNTED - sum(map(len, self._ids))))
        self._ids.append(counted.column("item_id").combine_chunks())
        self._batch += fine_histogram(scores[:left], self.between)
        self._seen += len(table)

    @property
    def n_batch(self) -> int:
        """Size of the batch, as far as items came."""
        return min(self.budget, self._seen)

    @property
    def lacks(self) -> bool:
        """Whether items of the batch are still to come."""
        return self._seen < self.budget

    @property
    def counted(self) -> pa.Table:
        """The ids of the batch, as far as its classes are counted."""
        import pyarrow as pa

        return pa.table({"item_id": pa.chunked_array(self._ids, pa.string())})

    @property
    def sampled(self) -> int:
        """One item of so many is in the sample for later runs, the same in every run."""
        return max(1, -(-self.scored.counts.get("items", 0) // KEPT))

    @property
    def between(self) -> tuple[float, float] | None:
        """The lowest and the highest finite score; None without any."""
        low, high = self.scored.low, self.scored.high
        return None if low is None or high is None else (low, high)

    def look_at(self, found: Scored, sample: Iterable[pa.Table]) -> None:
        """What was found in all parts: classes and objects of the batch, and the sample."""
        self._fine = np.array(found.bins or np.zeros(FINE), dtype=np.int64)
        if self.scored.class_names is not None:
            self._batch_classes = found.classes
        if self.scored.objects and (n_items := found.objects["items"]):
            self._batch_objects = found.objects["objects"] / n_items
        tables = list(sample)
        columns = ([v for t in tables for v in t.column(n).to_pylist()] for n in _OF_SNAPSHOT)
        self._kept = tuple(columns)

    def snapshot(self, run_id: str) -> Snapshot:
        """What the run saw; of a very large pool, of a sample of its items."""
        assert self._kept is not None, "the scores were looked at"
        ids, names, values = self._kept
        places = {name: index for index, name in enumerate(self.scored.class_names or ())}
        single = self.scored.exclusive  # several labels of one item are no one class
        predicted = [places.get(name, -1) if single else -1 for name in names]
        return Snapshot(
            run_id,
            self.recipe.acquisition or "",
            self.scored.counts.get("items", 0),
            self.scored.counts.get("labelled", 0),
            self._n_ranked,
            np.array(ids, dtype=np.str_),
            np.array(predicted, dtype=np.int64),
            np.array([value for value in values if value is not None], dtype=np.float64),
            *scored_by(self.recipe),
            rows=np.array([i for i, v in enumerate(values) if v is not None], dtype=np.int32),
        )

    def parts_of_report(self, notices: Sequence[Notice] = ()) -> dict[str, Any]:
        """The fields of a Report that follow from what was scored and ordered.

        Args:
            notices: further ones of the run.
        """
        ranking = self.ranking
        scored = self.scored
        order = ("items", "predicted", "missing", "labelled", "unscored", "ranked")
        counts = {name: scored.counts.get(name, 0) for name in order}
        rest = {name: n for name, n in scored.counts.items() if name not in order}
        rows = [
            {**row, "reason": scored.reasons.get(row["item_id"], "")} for row in self._rows[:NEXT]
        ]
        return {
            "counts": {**counts, "batch": self.n_batch, **rest},
            "ids": {"missing": scored.missing, "unscored": _by_id(scored.unscored)},
            "notices": [*ranking.notices, *notices],
            "scores": self._distribution(),
            "classes": self._classes(),
            "objects_per_item": self._objects_per_item(),
            "calibration": [trust.to_dict() for trust in self.calibration],
            "seed": self.recipe.seed,
            "next_items": rows,
            "cards": [Card.of_row(row) for row in rows],
            "recipe": self.recipe.to_dict(),
            "ranking": ranking,
        }

    def _classes(self) -> list[dict[str, Any]] | None:
        names = self.scored.class_names
        if names is None:
            return None
        pool, batch = self.scored.classes, self._batch_classes
        return [
            {"class": name, "pool": pool.get(name, 0), "batch": batch.get(name, 0)}
            for name in names
        ]

    def _objects_per_item(self) -> dict[str, float] | None:
        counts = self.scored.objects
        if not counts:
            return None
        mean = counts["objects"] / counts["items"] if counts["items"] else 0.0
        return {"pool": mean, "batch": self._batch_objects}

    @property
    def ranking(self) -> Ranking:
        """Of the batch, or of its first items where it is large."""
        recipe, function = self.recipe, self.recipe.function
        ids = np.array([row["item_id"] for row in self._rows], dtype=np.str_)
        scores = np.array([row["score"] for row in self._rows], dtype=np.float64)
        notices = [
            Notice(
                code,
                f"in {counted(notice['parts'], 'part')}, "
                f"{counted(notice['items'], 'item')}; the first: "
                f"{notice['message']}",
                tuple(notice["ids"]),
            )
            for code, notice in self.scored.notices.items()
        ]
        if self.n_batch > len(ids):
            message = (
                f"the report shows the first {len(ids):,} of the batch's {self.n_batch:,} items."
            )
            notices.append(Notice("large_batch", message))
        problems = self.scored.problems
        if problems:
            left_out = counted(len(problems), "part")
            message = f"left out {left_out} that could not be read: {problems[0]}"
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
            notices=(*self.notices, *notices),
            recipe=recipe,
        )

    def _distribution(self) -> dict[str, Any] | None:
        if self.between is None:
            return None
        low, high = self.between
        wide = FINE // BINS
        _, edges = histogram(np.empty(0), low, high, FINE)
        counts = np.cumsum(self._fine)
        n = int(counts[-1])  # the median is between these two items, or is both
        middle = np.searchsorted(counts, [(n + 1) // 2, n // 2 + 1])
        median = float((edges[middle] + edges[middle + 1]).mean() / 2)
        return {
            "edges": edges[::wide].tolist(),
            "pool": self._fine.reshape(BINS, wide).sum(axis=1).tolist(),
            "batch": self._batch.reshape(BINS, wide).sum(axis=1).tolist(),
            "min": low,
            "median": min(max(median, low), high),
            "max": high,
        }


def _by_id(names: list[str]) -> list[str]:
    ids = np.array(names, dtype=np.str_)
    return [str(name) for name in ids[id_order(ids)]]
