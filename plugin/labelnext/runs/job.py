"""Job: how `run` handles one kind of pool. Only `jobs.py` chooses between the kinds."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from labelnext.adapter.protocol import Finding
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.quality.accuracy import Hits
from labelnext.quality.stopping import Snapshot
from labelnext.ranking.ranking import Ranking
from labelnext.ranking.recipe import Recipe

_log = logging.getLogger("labelnext")


class Job(Protocol):
    """One kind of pool, ready to be ranked and written.

    Attributes:
        recipe: the recipe of the ranking; final after `plan`.
        modules: packages to list in the report, besides the adapter's own.
        stages: the time of each stage.
    """

    recipe: Recipe
    modules: Sequence[str]
    stages: Stages

    @property
    def pool(self) -> Pool:
        """The items to inspect: the whole pool, or its first part."""

    @property
    def item_names(self) -> Sequence[str] | NDArray[np.str_]:
        """What the items of the pool are called, in its order."""

    @property
    def ranking(self) -> Ranking:
        """The ranking of `pool`."""

    @property
    def ranks_nothing(self) -> bool:
        """Whether no item is ranked, as far as that is known before all are scored."""

    def remarks(self) -> list[Finding]:
        """Findings that `check` reports before it reads the pool."""

    def plan(self) -> Plan:
        """Read the items and plan the write. Changes nothing."""

    def apply(self, plan: Plan, journal: Journal) -> None:
        """Carry out the steps of the plan that the journal doesn't record as done."""

    def undo(self, journal: Journal) -> list[str]:
        """Restore what was there before; returns what had to stay, one sentence each."""

    def write_output(self, path: Path) -> None:
        """Write the ranking file, in addition to the write-back."""

    def snapshot(self, run_id: str) -> Snapshot:
        """A summary of this run, for comparison with later runs."""

    def input_hash(self) -> str:
        """A hash of the items that were read, or of their files, as the report has it."""

    def labelled(self) -> Labelled:
        """What is labelled."""

    def findings(self, notices: Sequence[Notice]) -> Mapping[str, Any]:
        """The fields of a Report that describe the pool and its ranking.

        Args:
            notices: more notices of the run.
        """


class Labelled(NamedTuple):
    """What is labelled.

    Attributes:
        n_items: number of items.
        n_labelled: number of labelled items.
        pool: with the labelled items that have a class.
        hits: how many of these are predicted as they were labelled.
    """

    n_items: int
    n_labelled: int
    pool: Pool
    hits: Hits


class Stages:
    """Measured time of each stage of a run, in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Time a stage, and log its start and end."""
        _log.info("%s begins", stage)
        start = time.perf_counter()
        yield
        self.seconds[stage] = round(time.perf_counter() - start, 3)
        _log.info("%s took %.3f s", stage, self.seconds[stage])
