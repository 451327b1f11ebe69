"""Job: what `run` does with one kind of pool. Only `jobs.py` chooses between the kinds."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from labelnext.adapter.protocol import Finding
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.quality.stopping import Snapshot
from labelnext.ranking.ranking import Ranking
from labelnext.ranking.recipe import Recipe

_log = logging.getLogger("labelnext")


class Job(Protocol):
    """One kind of pool, ready to be ranked and written.

    Attributes:
        recipe: by which it is ranked; settled once `plan` was called.
        modules: packages beside the adapter's whose versions the report names.
        stages: the time of each stage.
    """

    recipe: Recipe
    modules: Sequence[str]
    stages: Stages

    @property
    def pool(self) -> Pool:
        """What is looked at: the whole pool, or its first part."""

    @property
    def ranking(self) -> Ranking:
        """Of what is looked at."""

    def remarks(self) -> list[Finding]:
        """What `check` says before it looks at the pool."""

    def plan(self) -> Plan:
        """Read what is needed, and say what would be written. Changes nothing."""

    def apply(self, plan: Plan, journal: Journal) -> None:
        """Do what the plan says and the journal does not hold as done."""

    def undo(self, journal: Journal) -> list[str]:
        """Put back what was there before; returns what had to stay, one sentence each."""

    def write_output(self, path: Path) -> None:
        """Write the ranking file beside the write-back."""

    def snapshot(self, run_id: str) -> Snapshot:
        """What the run saw, to compare later runs with."""

    def labelled(self) -> tuple[int, int, Pool]:
        """How many items there are, how many are labelled, and a pool that holds these."""

    def findings(self, notices: Sequence[Notice]) -> Mapping[str, Any]:
        """The fields of a Report that follow from the pool and its ranking.

        Args:
            notices: further ones of the run.
        """


class Stages:
    """The time that each stage of a run takes, in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Time a stage, and log when it begins and ends."""
        _log.info("%s begins", stage)
        start = time.perf_counter()
        yield
        self.seconds[stage] = round(time.perf_counter() - start, 3)
        _log.info("%s took %.3f s", stage, self.seconds[stage])
