"""A pool in parts: looked at by its first part, then scored, ordered and written by a performer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from labelnext.adapter.capabilities import Capability, can, missing_capability
from labelnext.adapter.options import output_place
from labelnext.adapter.protocol import Adapter, Finding, Part, Streams, Target
from labelnext.adapter.registry import able
from labelnext.config.config import Config
from labelnext.journal.carry_out import carry_out, take_back
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan, Progress, Step
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.quality.stopping import Snapshot
from labelnext.ranking.ranking import Ranking
from labelnext.ranking.recipe import Recipe
from labelnext.report.findings import summarise
from labelnext.runs.job import Labelled, Stages
from labelnext.runs.large.findings import Summary
from labelnext.runs.large.guide import read_guide
from labelnext.runs.large.labelled import labelled_items
from labelnext.runs.large.limits import (
    check_included,
    check_streamable,
    for_one_part,
    parts_to_look_at,
    recipe_of_parts,
)
from labelnext.runs.large.look import batch_ids
from labelnext.runs.large.order import Order, required_duckdb
from labelnext.runs.large.part import fingerprint
from labelnext.runs.large.performer import STEP, LargePerformer
from labelnext.runs.ranked import follow
from labelnext.support.store import Store
from labelnext.support.words import counted

_WRITTEN: Mapping[Order, str] = {
    "all": "their ranking",
    "batch": "the batch, without ranking the rest,",
    "approximate": "the batch, with approximate ranks of the rest,",
}
_SORTED = 50_000_000  # items; of more, the batch alone is ordered unless asked otherwise


class LargeJob:
    """A pool in parts.

    Args:
        settings: the configuration.
        platform: the open adapter; it must be able to stream.
        progress: called with a stage, how much is done, and of how much.
        parts: of the pool, if they are known already.

    Raises:
        ConfigError: if the adapter cannot stream.
    """

    modules: Sequence[str] = ("pyarrow", "duckdb")

    def __init__(
        self,
        settings: Config,
        platform: Adapter | Target,
        progress: Progress | None,
        parts: list[Part] | None = None,
    ) -> None:
        name, capability = settings.source.adapter, Capability.STREAMS
        if not can(platform, capability):
            raise missing_capability("source.adapter", name, capability, able(capability))
        self._settings, self._progress = settings, progress
        self._platform = cast("Streams", platform)
        self._known = parts
        self._summary: Summary | None = None  # of a run that was carried out
        self._first: Pool | None = None  # the first part that can be read; known with `pool`
        self._ids: Any  # of the items that a dry run looks at; known with `pool`
        self._looked = 0  # position of the part that a dry run looks at
        self.recipe: Recipe = settings.recipe
        self.stages = Stages()

    @cached_property
    def parts(self) -> list[Part]:
        """The parts of the pool."""
        return (self._known if self._known is not None else self._platform.parts()) or []

    @cached_property
    def pool(self) -> Pool:
        """The first part with an item that can be ranked; the first one without any.

        Raises:
            ConfigError: if the configuration asks for what needs the whole pool at once.
        """
        check_streamable(self._settings)
        with self.stages.timed("read"):
            self._first, pool, self._ids, self._looked = parts_to_look_at(
                self._settings, self._platform, self.parts
            )
            return pool

    @property
    def item_names(self) -> Sequence[str]:
        """The ids of the items of `pool`, which are numbered there."""
        _ = self.pool
        names: list[str] = self._ids.to_pylist()
        return names

    @property
    def ranks_nothing(self) -> bool:
        """Whether no item is ranked: only known when all parts are scored."""
        return False

    @cached_property
    def ranking(self) -> Ranking:
        """The first part, ranked in memory, without what the batch as a whole must keep to."""
        pool = self.pool
        with self.stages.timed("rank"):
            assert self._first is not None, "it was read with the pool"
            self.recipe = recipe_of_parts(self._settings, self._platform, self.parts, self._first)
            return follow(for_one_part(self._settings.recipe, self.recipe), pool)

    def remarks(self) -> list[Finding]:
        """What `check` says before it looks at the pool."""
        _ = self.pool
        message = f"the rest of this check looks at {self._part}; its rows are numbered from 0."
        return [Finding("ok", message)]

    def plan(self) -> Plan:
        """One step: the ranking dataset. What is wrong with the configuration shows here."""
        required_duckdb()  # before anything is written
        place = output_place(self._settings.write, self._settings.directory)
        Store(place).check_ours()
        _ = self.ranking
        with self.stages.timed("plan"):
            check_included(self._settings, self._platform, self.parts)
            rows = sum(part.rows for part in self.parts)
            order = self._order(rows)
            what = _WRITTEN[order]
            step = Step(
                STEP,
                f"Score {counted(rows, 'item')} in {counted(len(self.parts), 'part')} and write "
                f"{what} to {place}",
                rows,
                {
                    "place": self._from(place),
                    "recipe": self._settings.recipe.to_dict(),
                    "order": order,
                },
            )
            target = str(place)
            return Plan(self._platform_name, self._run, target, (step,), output=target)

    def _order(self, rows: int) -> Order:
        """What is ordered: by default the batch alone where a sort of all takes long."""
        asked: Order | None = getattr(self._settings.write, "order", None)
        if self._settings.recipe.budget is None:  # all of them are the batch
            return "all"
        return asked or ("batch" if rows > _SORTED else "all")

    def _from(self, place: Path | str) -> str:
        """A place as the journal names it: from the configuration's folder, if it lies there."""
        directory = self._settings.directory.absolute()
        inside = isinstance(place, Path) and place.is_relative_to(directory)
        return str(Path(place).relative_to(directory)) if inside else str(place)

    @property
    def _platform_name(self) -> str:
        return self._settings.source.adapter

    @property
    def _run(self) -> str:
        return self._settings.write.run

    def apply(self, plan: Plan, journal: Journal) -> None:
        """Score the parts that are not scored yet, order all of them, and write the ranking."""
        performer = LargePerformer(
            self._settings,
            self._platform,
            journal,
            self._progress,
            self.parts,
            self.stages,
            self._first,
        )
        try:
            carry_out(plan, journal, performer)
        finally:  # what was read once for all parts
            batch_ids.cache_clear()
            read_guide.cache_clear()
        if performer.summary is not None:  # else all that was missing was the note that it is done
            self._summary, self.recipe = performer.summary, performer.summary.recipe

    def undo(self, journal: Journal) -> list[str]:
        """Put the earlier ranking back, and remove the files of the run."""
        return take_back(journal, LargePerformer(self._settings, self._platform, journal, None))

    def write_output(self, path: Path) -> None:
        """Nothing: the ranking itself is what was written."""

    def snapshot(self, run_id: str) -> Snapshot:
        """What the run saw, to compare later runs with; of a very large pool, of a sample."""
        assert self._summary is not None, "a run was carried out"
        return self._summary.snapshot(run_id)

    def input_hash(self) -> str:
        """A hash of the names, rows and payloads of the parts."""
        return fingerprint(self.parts)

    def labelled(self) -> Labelled:
        """What is labelled."""
        return labelled_items(self._settings, self._platform, self.parts, self._progress)

    def findings(self, notices: Sequence[Notice]) -> Mapping[str, Any]:
        """The fields of a Report: of all parts after a run, of the first part before it."""
        if self._summary is None:
            looked = [Notice("first_part", self._looked_at()), *notices]
            looked += [
                Notice("parts", finding.message)
                for finding in cast("Adapter", self._platform).check()
                if finding.level != "ok"
            ]
            return summarise(self.pool, self.ranking, looked)
        return {
            **self._summary.parts_of_report(notices),
            "input_hash": self.input_hash(),
        }

    def _looked_at(self) -> str:
        """What a dry run looks at, and what it doesn't."""
        first, rows = len(self.pool), sum(part.rows for part in self.parts)
        if len(self.parts) == 1:
            return "a dry run looks at the only part; its rows are numbered from 0."
        return (
            f"a dry run scores and orders {self._part} alone, {first:,} of {rows:,} rows, numbered "
            "from 0; of the others it looks at sizes and columns, not at values."
        )

    @property
    def _part(self) -> str:
        """Which part is looked at, in words."""
        if len(self.parts) == 1:
            return "the only part"
        if not self._looked:
            return f"the first of {len(self.parts)} parts"
        return (
            f"part {self._looked + 1} of {len(self.parts)}, the first with items that can be ranked"
        )


def is_large(journal: Journal) -> bool:
    """Whether a journal is of a run that was scored part by part."""
    return any(step.kind == STEP for step in journal.plan.steps)
