"""The batch of what comes first in the order, from the first items of each part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from labelnext.adapter.protocol import Part, Streams
from labelnext.runs.large.order import in_exact_order
from labelnext.runs.large.part import ARROW, Scored, Task, file_name, kept_files, kept_scores
from labelnext.runs.large.score_part import Scoring
from labelnext.support.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMNS = ("item_id", "score", "utility")


@dataclass(frozen=True)
class First:
    """Keeps those items of a part that may be among the first of all, in their order.

    Attributes:
        scoring: whose files hold the scores.
        least: their least utility.
        budget: how many come first.
        integers: every id is an integer.
    """

    scoring: Scoring
    least: float
    budget: int
    integers: bool
    skip_broken: bool = False

    def name(self, part: Part) -> str:
        """The file of a part's first items."""
        how = [self.scoring.told, self.scoring.whole, self.least, self.integers]
        return file_name(f"{self.scoring.folder}/first", part, [*how, self.budget], ARROW)

    def nothing(self) -> pa.Table:
        """No items."""
        return self.scoring.nothing().select(_COLUMNS)

    def table(self, reader: Streams, part: Part, store: Store) -> tuple[pa.Table, Scored]:
        """Item_id, score and utility; counts as `first` how many have at least that utility.

        Raises:
            WriteFailed: as `kept_files`.
        """
        import pyarrow.compute as pc

        scores = kept_scores(store, self.scoring.name(part), _COLUMNS)
        high = scores.filter(pc.greater_equal(scores.column("utility"), self.least))
        first = in_exact_order(high, integers=self.integers).slice(0, self.budget)
        return first, Scored(counts={"items": len(scores), "first": len(high)})


def first_in_order(
    scoring: Scoring,
    scored: Scored,
    parts: Sequence[Part],
    store: Store,
    budget: int,
    do: Callable[[Task, Store, str], Scored],
) -> pa.Table | None:
    """What comes first, without a sort of all others.

    Args:
        scoring: whose files hold the scores.
        scored: what was found in all parts.
        parts: of the pool.
        store: of the files.
        budget: how many come first; no more than are ranked.
        do: does a task with all parts, for a stage.

    Returns:
        A table with item_id and score; None if nothing can be ranked.
    """
    import pyarrow as pa

    if not budget:
        return None
    least = _likely_least(scored, budget)
    first = First(scoring, least, budget, scored.integers)
    if do(first, store, "first").counts.get("first", 0) < budget:
        first = First(scoring, -np.inf, budget, scored.integers)
        do(first, store, "first")
    kept: list[pa.Table] = []
    n_kept = 0
    for part in parts:
        with kept_files("the first items"):
            kept.append(store.read_columns(first.name(part)))
        n_kept += len(kept[-1])
        if n_kept > 2 * budget:
            kept = [in_exact_order(pa.concat_tables(kept), integers=scored.integers)[:budget]]
            n_kept = budget
    whole = in_exact_order(pa.concat_tables(kept), integers=scored.integers)
    return whole.slice(0, budget).select(["item_id", "score"])


def _likely_least(scored: Scored, budget: int) -> float:
    """A utility that slightly more items than the budget probably have, by the sample."""
    sample = sorted((utility for utility, _ in scored.sample), reverse=True)
    expected = budget * len(sample) / scored.counts["ranked"]
    reached = int(expected + 4 * np.sqrt(expected) + 8)  # four standard deviations, and a few
    return sample[reached] if reached < len(sample) else -np.inf
