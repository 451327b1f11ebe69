"""check(config): check everything a run needs, without writing anything."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from labelnext.acquisition import acquisition_names, get_acquisition
from labelnext.adapter.protocol import Adapter, Finding
from labelnext.config.config import Config
from labelnext.config.located import in_file
from labelnext.config.opened import loaded, opened
from labelnext.config.places import check_places
from labelnext.errors import LabelnextError
from labelnext.journal.plan import Progress
from labelnext.pool.pool import Pool
from labelnext.ranking.ranking import Ranking
from labelnext.runs.jobs import job_of
from labelnext.runs.ready import check_ready
from labelnext.runs.shown import shown_items, shown_metadata
from labelnext.support.refused import refusals_told
from labelnext.support.words import counted


@dataclass(frozen=True)
class Check:
    """What `check` found.

    Attributes:
        findings: about the adapter and the data.
        pool: the items; None if they couldn't be read.
        obstacles: for each acquisition function, why it can't be used; None if it can.
    """

    findings: list[Finding]
    pool: Pool | None
    obstacles: Mapping[str, str | None]

    @property
    def ok(self) -> bool:
        """Whether nothing prevents a run."""
        return not any(finding.level == "error" for finding in self.findings)


@refusals_told()
def check(
    config: Config | Path | str | Mapping[str, Any],
    *,
    adapter: Adapter | None = None,
    progress: Progress | None = None,
) -> Check:
    """Check everything a run needs, without writing anything.

    Args:
        config: as for `run`.
        adapter: an adapter that is already open.
        progress: as for `run`.

    Raises:
        ConfigError: for a wrong configuration or a missing extra.
    """
    settings = loaded(config)
    done = _checked(settings, adapter, progress)
    return replace(
        done, findings=[replace(f, message=in_file(f.message, settings)) for f in done.findings]
    )


def _checked(settings: Config, adapter: Adapter | None, progress: Progress | None) -> Check:
    with opened(settings, adapter, progress) as platform:
        findings = platform.check()
        if any(finding.level == "error" for finding in findings):
            return Check(findings, None, {})
        pool = None
        try:
            check_places(settings)
            job = job_of(settings, platform, progress, shows_boxes=True)
            findings += job.remarks()
            pool = job.pool
            read = [*shown_items(pool, job.item_names), *shown_metadata(pool)]
            findings += [Finding("ok", f"read {text}") for text in read]
            told = tuple(notice.message for notice in pool.notices)
            findings = [f for f in findings if not f.message.endswith(told)]  # of a few items
            findings += [Finding("warning", message) for message in told]
            ranking = job.ranking
            findings += [Finding("warning", notice.message) for notice in ranking.notices]
            findings.append(_rankable(pool, ranking))
            with suppress(NotImplementedError):  # an adapter that can't write yet
                plan = job.plan()  # a write that would be refused shows here
                replaced = check_ready(settings, plan)
                findings += [Finding("warning", notice.message) for notice in replaced]
        except LabelnextError as error:
            findings = [f for f in findings if f.level != "warning" or not _within(f, error)]
            findings.append(Finding("error", error.message, error.hint))
        if pool is None:
            return Check(findings, None, {})
        obstacles = {n: get_acquisition(n).obstacle(pool) for n in acquisition_names()}
        return Check(findings, pool, obstacles)


def _rankable(pool: Pool, ranking: Ranking) -> Finding:
    message = f"{counted(len(pool), 'item')}, {int(pool.labelled.sum()):,} labelled, "
    if ranking.acquisition is None and len(ranking):  # a method that goes by coverage alone
        chosen = counted(len(ranking), "item")
        return Finding("ok", f"{message}without scores: {ranking.selection} chooses {chosen}.")
    message += f"{len(ranking.unscored_ids):,} without a score: "
    message += f"{len(ranking.pool_order):,} can be ranked."
    if len(ranking.pool_order):
        return Finding("ok", message)
    left = int(pool.labelled.sum()) if ranking.purpose == "review" else len(ranking.unscored_ids)
    hint = f"there is nothing to {ranking.purpose} next."
    if left:  # a run says so and is no success either
        return Finding("error", message, "check that predictions are read.")
    return Finding("warning", message, hint)


def _within(finding: Finding, error: LabelnextError) -> bool:
    """Whether an error says what a finding said."""
    return finding.message.rstrip(".") in error.message
