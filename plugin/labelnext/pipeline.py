"""run(config): open, read, score, select, write; and the way back."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labelnext.acquisition import acquisition_names, get_acquisition
from labelnext.adapter import (
    Adapter,
    Finding,
    Streams,
    TakesObjectScores,
    Target,
    open_adapter,
)
from labelnext.config import Config, load_config
from labelnext.errors import ConfigError, LabelnextError
from labelnext.explain import Explanation, explain_item
from labelnext.history import keep
from labelnext.join import join_predictions
from labelnext.journal import (
    Journal,
    Plan,
    Progress,
    check_newest,
    find_journal,
    journals,
    only_run,
    read_journals,
)
from labelnext.output import check_writable, ranking_format, write_atomically, write_ranking
from labelnext.pool import Notice, Pool
from labelnext.ranking import Ranking
from labelnext.report import Report, summarise, versions
from labelnext.scoring import rank_pool, ranking_options, with_object_scores
from labelnext.streamed.asked import check_streamable, first_pool, scoring_of, without_limits
from labelnext.streamed.run import (
    is_streamed,
    resume_streamed,
    run_streamed,
    undo_streamed,
)
from labelnext.targets import open_target

_log = logging.getLogger("labelnext")


def run(
    config: Config | Path | str | Mapping[str, Any],
    *,
    adapter: Adapter | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Rank the items of a source and write the ranking back.

    Args:
        config: a checked configuration, the path of a YAML file, or its content as a mapping.
        adapter: one that is open already; made from the configuration when None.
        dry_run: stop before anything is written; the report then says what would be.
        progress: called with a stage, how much is done, and of how much (None if unknown).

    Returns:
        The report; its `ranking` is the ranking.

    Raises:
        ConfigError: for a wrong configuration, a missing extra, project, dataset or permission.
        InvalidInput: if the data breaks a rule.
        Unavailable: if a server or database does not answer.
        WriteRefused: if the write would touch what labelnext did not make.
        WriteFailed: if a write broke off; `resume` finishes it, `undo` takes it back.
    """
    settings = loaded(config)
    seconds: dict[str, float] = {}
    with opened(settings, adapter, progress) as platform:
        parts = platform.parts() if isinstance(platform, Streams) else None
        if parts is not None:
            return run_streamed(settings, platform, parts, dry_run=dry_run, progress=progress)
        with _timed(seconds, "read"):
            pool = read_pool(settings, platform, progress)
        with _timed(seconds, "rank"):
            if progress is not None:
                progress("rank", 0, None)
            ranking = rank_pool(settings, pool)
            if isinstance(platform, TakesObjectScores) and platform.wants_object_scores():
                ranking = with_object_scores(settings, pool, ranking)
        with _timed(seconds, "plan"):
            plan = platform.plan(ranking)
        output = _own_output(settings, plan)
        journal, notices = None, []
        if not dry_run:
            for path in (output, _page(settings)):
                if path is not None:
                    check_writable(path)
            with only_run(settings.state), _timed(seconds, "write"):
                notices = _broken_runs(settings)
                journal = Journal.create(settings.state, plan, details={"seed": ranking.seed})
                platform.apply(plan, journal)
                notices += [Notice("write", remark) for remark in journal.remarks]
                if ranking.purpose == "label":
                    keep(settings.state / "history", journal.run_id, pool, ranking)
            if output is not None:
                write_ranking(output, ranking.pool_rows())
        written = Path(plan.output) if plan.output else output
        report = Report(
            run=plan.run,
            run_id=None if journal is None else journal.run_id,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            adapter=platform.name,
            target=plan.target,
            dry_run=dry_run,
            steps=[
                *(step.description for step in plan.steps),
                *([f"Write {len(ranking.pool_order)} ranked items to {output}"] if output else []),
            ],
            stays=plan.stays,
            next_steps=plan.next_steps if journal is None else journal.next_steps,
            undo=f"labelnext undo {settings.path or 'CONFIG'}",
            config=settings.to_dict(),
            versions=versions(platform.requires),
            seconds=seconds,
            path=None if dry_run else _page(settings),
            output=None if dry_run else written,
            **summarise(pool, ranking, notices, floor=_floor(settings, pool, ranking)),
        )
    if report.path is not None:
        page = report.to_html().encode()
        write_atomically(report.path, lambda file: file.write(page))
    return report


def read_pool(settings: Config, adapter: Adapter, progress: Progress | None = None) -> Pool:
    """The items of the source, with the predictions of the side file if one is named."""
    pool = adapter.read()
    side = settings.source.predictions
    if side is None:
        return pool
    reader = open_adapter(
        "files", directory=settings.directory, key=side.key, progress=progress, path=side.file
    )
    return join_predictions(pool, reader.read())


def explain(
    config: Config | Path | str | Mapping[str, Any],
    item_id: str,
    *,
    adapter: Adapter | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Why an item stands where it stands. Writes nothing.

    Args:
        config: as for `run`.
        item_id: of the item.
        adapter: one that is open already.
        progress: as for `run`.

    Raises:
        NotFound: if no such item was read.
        ConfigError: for a wrong configuration or a missing extra.
    """
    settings = loaded(config)
    if settings.rest.purpose == "review":
        raise ConfigError(
            "purpose must be label to explain a rank; got 'review'.",
            hint="the report of a review says of each label why it is doubted.",
        )
    with opened(settings, adapter, progress) as platform:
        pool = read_pool(settings, platform, progress)
    _, _, options = ranking_options(settings, pool)
    return explain_item(pool, rank_pool(settings, pool), item_id, options)


@dataclass(frozen=True)
class Check:
    """What `check` found.

    Attributes:
        findings: of the adapter and of the data.
        pool: what was read; None if it could not be.
        obstacles: for each acquisition function, why it cannot be used; None if it can.
    """

    findings: list[Finding]
    pool: Pool | None
    obstacles: Mapping[str, str | None]

    @property
    def ok(self) -> bool:
        """Nothing stands in the way of a run."""
        return not any(finding.level == "error" for finding in self.findings)


def check(
    config: Config | Path | str | Mapping[str, Any],
    *,
    adapter: Adapter | None = None,
    progress: Progress | None = None,
) -> Check:
    """Look at everything that a run needs, without writing anything.

    Args:
        config: as for `run`.
        adapter: one that is open already.
        progress: as for `run`.

    Raises:
        ConfigError: for a wrong configuration or a missing extra.
    """
    settings = loaded(config)
    with opened(settings, adapter, progress) as platform:
        findings = platform.check()
        if any(finding.level == "error" for finding in findings):
            return Check(findings, None, {})
        try:
            parts = platform.parts() if isinstance(platform, Streams) else None
            if parts is not None and isinstance(platform, Streams):
                check_streamable(settings)
                scoring_of(settings, platform, parts, "")
                settings = without_limits(settings)
                pool = first_pool(settings, platform, parts)
                message = f"what follows is of the first of {len(parts)} parts."
                findings.append(Finding("ok", message))
            else:
                pool = read_pool(settings, platform, progress)
            findings += [Finding("warning", notice.message) for notice in pool.notices]
            ranking = rank_pool(settings, pool)
            findings += [Finding("warning", notice.message) for notice in ranking.notices]
            findings.append(_rankable(pool, ranking))
        except LabelnextError as error:
            findings.append(Finding("error", error.message, error.hint))
            if "pool" not in locals():
                return Check(findings, None, {})
        obstacles = {n: get_acquisition(n).obstacle(pool) for n in acquisition_names()}
        return Check(findings, pool, obstacles)


def undo(
    config: Config | Path | str | Mapping[str, Any],
    run_id: str | None = None,
    *,
    adapter: Adapter | None = None,
) -> tuple[Journal, list[str]]:
    """Take back a run, the newest by default.

    Returns:
        Its journal, and what had to stay.

    Raises:
        NotFound: if there is no such run.
        ConfigError: if it was undone already, or a later run built on it.
    """
    settings = loaded(config)
    with only_run(settings.state):
        journal = find_journal(settings.state, run_id, ("done", "broken"))
        _newest(settings, journal, "undone")
        with _writer(settings, journal, adapter, None) as platform:
            if is_streamed(journal):
                return journal, undo_streamed(settings, platform, journal)
            return journal, platform.undo(journal)


def resume(
    config: Config | Path | str | Mapping[str, Any],
    run_id: str | None = None,
    *,
    adapter: Adapter | None = None,
    progress: Progress | None = None,
) -> Journal:
    """Finish a run that broke off, the newest such one by default.

    Raises:
        NotFound: if there is no such run.
        ConfigError: if it is finished or undone, or a later run built on it.
    """
    settings = loaded(config)
    with only_run(settings.state):
        journal = find_journal(settings.state, run_id, ("planned", "broken"))
        if journal.status == "done":
            raise ConfigError(f"run {journal.run_id} must be broken to be resumed; it is done.")
        _newest(settings, journal, "resumed")
        with _writer(settings, journal, adapter, progress) as platform:
            if is_streamed(journal):
                resume_streamed(settings, platform, journal, progress)
                return journal
            platform.apply(journal.plan, journal)
        return journal


def _writer(
    settings: Config, journal: Journal, adapter: Adapter | None, progress: Progress | None
) -> AbstractContextManager[Adapter | Target]:
    """What carries out a journal: the source, or the platform to which a batch was sent."""
    if journal.what == "send":
        return opened_target(settings, progress)
    return opened(settings, adapter, progress)


def runs(config: Config | Path | str | Mapping[str, Any]) -> list[Journal]:
    """The journals of a configuration, oldest first; a warning names what is passed over."""
    known, faults = read_journals(loaded(config).state)
    for fault in faults.values():
        _log.warning("passed over: %s", fault)
    return known


def loaded(config: Config | Path | str | Mapping[str, Any]) -> Config:
    """The configuration, read and checked where that was not done yet."""
    return config if isinstance(config, Config) else load_config(config)


@contextmanager
def opened(
    settings: Config, adapter: Adapter | None, progress: Progress | None
) -> Iterator[Adapter]:
    """The adapter that was given, or one for the configuration, closed at the end."""
    if adapter is not None:
        yield adapter
        return
    opened = settings.open_adapter(progress)
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def opened_target(settings: Config, progress: Progress | None) -> Iterator[Target]:
    """The platform of `send`, closed at the end."""
    target = open_target(settings.send, directory=settings.directory, progress=progress)
    try:
        yield target
    finally:
        target.close()


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    _log.info("%s begins", stage)
    start = time.perf_counter()
    yield
    seconds[stage] = round(time.perf_counter() - start, 3)
    _log.info("%s took %.3f s", stage, seconds[stage])


def _floor(settings: Config, pool: Pool, ranking: Ranking) -> float:
    """The confidence that objects had to reach to count."""
    if ranking.of != "objects" or ranking.purpose == "review":
        return 0.0
    _, _, options = ranking_options(settings, pool)
    return float(options.get("floor", 0.0))


def _own_output(settings: Config, plan: Plan) -> Path | None:
    """The ranking file beside the write-back; None where the plan writes it itself."""
    if plan.output is not None or settings.write.output is None:
        return None
    path = settings.directory / settings.write.output.expanduser()
    ranking_format(path)
    return path


def _page(settings: Config) -> Path | None:
    path = settings.report.path
    return None if path is None else settings.directory / path.expanduser()


def _broken_runs(settings: Config) -> list[Notice]:
    broken = [
        journal.run_id
        for journal in journals(settings.state)
        if (journal.status, journal.what) == ("broken", "run")
    ]
    message = "run {} broke off earlier; this run writes over what it left."
    return [Notice("broken_run", message.format(run_id)) for run_id in broken[-1:]]


def _newest(settings: Config, journal: Journal, verb: str) -> None:
    if journal.undone:
        raise ConfigError(f"run {journal.run_id} must not be undone already; it is.")
    check_newest(settings.state, journal, verb)


def _rankable(pool: Pool, ranking: Ranking) -> Finding:
    message = (
        f"{len(pool)} items, {int(pool.labelled.sum())} labelled, "
        f"{len(ranking.unscored_ids)} without a score: {len(ranking.pool_order)} can be ranked."
    )
    if len(ranking.pool_order):
        return Finding("ok", message)
    return Finding("warning", message, f"there is nothing to {ranking.purpose} next.")
