"""A pool in memory: read, ranked, planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from labelnext.adapter.capabilities import Capability, can
from labelnext.adapter.protocol import Adapter, Finding, TakesObjectScores
from labelnext.config.config import Config
from labelnext.config.opened import read_pool
from labelnext.errors import InvalidInput
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan, Progress
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.quality.accuracy import hits
from labelnext.quality.stopping import Snapshot, snapshot_of
from labelnext.ranking.explain import Explanation, explain_item
from labelnext.ranking.files import write_ranking
from labelnext.ranking.ranking import Ranking
from labelnext.ranking.recipe import Recipe
from labelnext.report.findings import summarise
from labelnext.runs.job import Labelled, Stages
from labelnext.runs.ranked import (
    follow,
    with_clusters,
    with_object_scores,
    with_prelabels,
    with_why,
)
from labelnext.support.started import from_here


class WholeJob:
    """A pool in memory.

    Args:
        settings: the configuration.
        platform: the open adapter.
        progress: called with a stage, how much is done, and of how much.
        boxes: whether somebody uses the boxes of predicted objects.
    """

    modules: Sequence[str] = ()

    def __init__(
        self,
        settings: Config,
        platform: Adapter,
        progress: Progress | None,
        *,
        boxes: bool = True,
    ) -> None:
        self._settings, self._platform, self._progress = settings, platform, progress
        self._boxes = boxes
        self._pool: Pool | None = None
        self._ranking: Ranking | None = None
        self.recipe: Recipe = settings.recipe
        self.stages = Stages()

    @property
    def pool(self) -> Pool:
        """The pool, read on first access."""
        if self._pool is None:
            with self.stages.timed("read"):
                self._pool = read_pool(
                    self._settings, self._platform, self._progress, boxes=self._boxes
                )
        return self._pool

    @property
    def item_names(self) -> NDArray[np.str_]:
        """The ids of the items."""
        return self.pool.item_ids

    @property
    def ranking(self) -> Ranking:
        """The ranking of the pool by the recipe."""
        if self._ranking is None:
            pool = self.pool
            with self.stages.timed("rank"):
                if self._progress is not None:
                    self._progress("rank", 0, None)
                ranking = follow(self._settings.recipe, pool)
                if self._wants_object_scores:
                    ranking = with_object_scores(pool, ranking)
                # An adapter of an earlier version doesn't know these questions.
                if getattr(self._platform, "wants_why", bool)():
                    ranking = with_why(pool, ranking)
                if getattr(self._platform, "wants_prelabels", bool)():
                    ranking = with_prelabels(pool, ranking)
                wanted = getattr(self._platform, "wants_clusters", lambda: None)()
                if wanted is not None:
                    ranking = with_clusters(pool, ranking, wanted)
            self._ranking, self.recipe = ranking, ranking.recipe or self.recipe
        return self._ranking

    @property
    def ranks_nothing(self) -> bool:
        """Whether no item is ranked."""
        return not len(self.ranking.pool_order)

    @property
    def _wants_object_scores(self) -> bool:
        platform = self._platform
        able = can(platform, Capability.TAKES_OBJECT_SCORES)
        return able and cast("TakesObjectScores", platform).wants_object_scores()

    def remarks(self) -> list[Finding]:
        """None: the findings that follow cover the whole pool."""
        return []

    def plan(self) -> Plan:
        """Read and rank the pool, and plan the write. Changes nothing.

        Raises:
            InvalidInput: if an empty source would replace a ranking file.
        """
        ranking = self.ranking
        with self.stages.timed("plan"):
            plan = self._platform.plan(ranking)
        if plan.output is not None and not len(self.pool):
            raise InvalidInput(
                f"the source must have items to rank; it has none, so {from_here(plan.output)!r} "
                "isn't written.",
                hint="check that whatever writes the source has finished.",
            )
        return plan

    def apply(self, plan: Plan, journal: Journal) -> None:
        """Carry out the steps of the plan that the journal doesn't record as done."""
        self._platform.apply(plan, journal)

    def undo(self, journal: Journal) -> list[str]:
        """Restore what was there before; returns what had to stay, one sentence each."""
        return self._platform.undo(journal)

    def write_output(self, path: Path) -> None:
        """Write the ranking file, in addition to the write-back."""
        write_ranking(path, self.ranking.pool_rows(), excel_safe=self._settings.write.excel_safe)

    def snapshot(self, run_id: str) -> Snapshot:
        """A summary of this run, for comparison with later runs."""
        return snapshot_of(run_id, self.pool, self.ranking)

    def input_hash(self) -> str:
        """The hash of the items, independent of their order."""
        return self.pool.fingerprint()

    def labelled(self) -> Labelled:
        """What is labelled."""
        return Labelled(len(self.pool), int(self.pool.labelled.sum()), self.pool, hits(self.pool))

    def findings(self, notices: Sequence[Notice]) -> Mapping[str, Any]:
        """The fields of a Report that describe the pool and its ranking."""
        report = self._settings.report
        return summarise(
            self.pool,
            self.ranking,
            notices,
            shown=report.thumbnails,
            map=None if report.path is None else report.map,
        )

    def explain(self, item_id: str) -> Explanation:
        """Explain why an item ranks where it does.

        Raises:
            NotFound: if the source has no such item.
        """
        if not (self.pool.item_ids == item_id).any():
            item_id = self._platform.item_of(item_id) or item_id
        return explain_item(self.pool, self.ranking, item_id)
