"""run(config): open, read, score, select and write, for pools in memory and in parts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labelnext.adapter.protocol import Adapter
from labelnext.config.config import Config
from labelnext.config.opened import loaded, opened
from labelnext.config.places import check_places
from labelnext.errors import ConfigError, LabelnextWarning, WriteFailed
from labelnext.journal.journal import Journal, read_journals
from labelnext.journal.lock import only_run
from labelnext.journal.plan import Plan, Progress
from labelnext.pool.objects import Notice
from labelnext.quality.stopping import keep
from labelnext.ranking.explain import Explanation
from labelnext.report.report import Report, versions
from labelnext.runs.belonging import (
    INPUT,
    belongs,
    newest_read,
    origin_of,
    overwrites,
)
from labelnext.runs.illustrated import illustrated, linked
from labelnext.runs.job import Job
from labelnext.runs.jobs import job_of
from labelnext.runs.ranked import uses_boxes
from labelnext.runs.ready import check_ready, extra_output, page_of
from labelnext.runs.whole import WholeJob
from labelnext.support.files import real_path, sweep, write_atomically
from labelnext.support.refused import refusals_told
from labelnext.support.started import CONFIG, how
from labelnext.support.store import is_url
from labelnext.support.words import counted


@refusals_told()
def run(
    config: Config | Path | str | Mapping[str, Any],
    *,
    adapter: Adapter | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Rank the items of a source and write the ranking back.

    If nothing can be ranked although something should be, such as where all predictions are
    unusable, nothing is written, and an earlier ranking stays.

    Args:
        config: a checked configuration, the path of a YAML file, or its content as a mapping.
        adapter: an adapter that is already open; if None, one from the configuration.
        dry_run: write nothing; the report says what would be written.
        progress: called with a stage, how much is done, and of how much (None if unknown).

    Returns:
        The report; its `ranking` is the ranking.

    Raises:
        ConfigError: for a wrong configuration, a missing extra, project, dataset or permission.
        InvalidInput: if the data breaks a rule.
        Unavailable: if a server or database does not answer.
        WriteRefused: if the write would touch data that labelnext didn't create.
        WriteFailed: if a write was interrupted; `resume` finishes it, `undo` undoes it.
    """
    settings = loaded(config)
    check_places(settings)
    state = nullcontext() if dry_run else _folder(settings.state)
    with state, opened(settings, adapter, progress) as platform:
        job = job_of(settings, platform, progress)
        plan = job.plan()
        told = check_ready(settings, plan)
        output = extra_output(settings, plan)
        if dry_run or job.ranks_nothing:
            report = _report(settings, platform, job, plan, output, notices=told)
            if report.nothing_ranked:
                return _unchanged(report, dry_run)
            if dry_run:
                return report
        for notice in told:  # before it happens
            warnings.warn(notice.message, LabelnextWarning, stacklevel=2)
        report, failure = _carried_out(settings, platform, job, plan, output, told)
    if report.path is not None:
        sweep(real_path(report.path).parent)
        page = report.to_html().encode()
        try:
            write_atomically(report.path, lambda file: file.write(page))
        except WriteFailed as error:  # the ranking is written: that must not be lost from sight
            notices = [*report.notices, _unwritten("report_not_written", error)]
            report = replace(report, path=None, notices=notices)
    if failure is not None:
        raise failure
    return report


@contextmanager
def _folder(path: Path) -> Iterator[None]:
    """A folder for what is read, gone at the end if it was made and nothing is in it."""
    fresh = not path.exists()
    with suppress(OSError):  # the run says so where it needs the folder
        path.mkdir(mode=0o700, exist_ok=True)
    try:
        yield
    finally:
        if fresh:
            with suppress(OSError):
                path.rmdir()


def _carried_out(
    settings: Config,
    platform: Adapter,
    job: Job,
    plan: Plan,
    output: Path | None,
    told: list[Notice],
) -> tuple[Report, WriteFailed | None]:
    """Write, keep a summary of the run, and report; and why an extra ranking file is missing."""
    recipe = job.recipe
    details = {"seed": recipe.seed, "recipe": recipe.to_dict(), **origin_of(settings)}
    failure = None
    with only_run(settings.state), job.stages.timed("write"):
        notices = [*told, *_earlier_runs(settings)]
        for path in (plan.output, output):
            if path is not None and not is_url(path):
                sweep(real_path(path).parent)
        journal = Journal.create(settings.state, plan, details=details)
        job.apply(plan, journal)
        notices += [Notice("write", remark) for remark in journal.remarks]
        if recipe.purpose == "label":
            try:
                keep(settings.state / "history", job.snapshot(journal.run_id))
            except WriteFailed as error:  # only `status` misses it
                notices.append(_unwritten("history_not_written", error))
        if output is not None:
            try:
                job.write_output(output)
            except WriteFailed as error:
                failure, output = error, None
                notices.append(_unwritten("output_not_written", error))
    report = _report(settings, platform, job, plan, output, journal, notices)
    with suppress(WriteFailed):  # then `status` can't say that nothing has changed
        journal.record(INPUT, sha256=report.input_hash)
    return report, failure


def _unchanged(report: Report, dry_run: bool) -> Report:
    """The report of a run that leaves all as it is, because nothing could be ranked."""
    said = Notice("nothing_written", "Nothing is written, and an earlier ranking stays as it is.")
    notices = [*report.notices, said]
    return replace(report, dry_run=dry_run, steps=[], next_steps=[], output=None, notices=notices)


def _unwritten(kind: str, error: WriteFailed) -> Notice:
    hint = f" To have it, {error.hint}" if error.hint else ""
    return Notice(kind, f"the run is done, but {error.message}{hint}")


def _report(
    settings: Config,
    platform: Adapter,
    job: Job,
    plan: Plan,
    output: Path | None,
    journal: Journal | None = None,
    notices: list[Notice] | None = None,
) -> Report:
    """The report of what was found and done; without a journal, of a dry run."""
    dry_run = journal is None
    left_out = [Notice("left_out", sentence) for sentence in plan.left_out]
    findings = job.findings([*left_out, *(notices or [])])
    steps = [step.description for step in plan.steps]
    if output is not None:
        ranked = counted(findings["counts"]["ranked"], "ranked item")
        steps.append(f"Write {ranked} to {output}")
    written = Path(plan.output) if plan.output else output
    report = Report(
        run=plan.run,
        run_id=None if journal is None else journal.run_id,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        adapter=platform.name,
        target=plan.target,
        dry_run=dry_run,
        steps=steps,
        stays=plan.stays,
        next_steps=plan.next_steps if journal is None else journal.next_steps,
        undo=how("undo", settings.path or CONFIG),
        config=settings.to_dict(),
        versions=versions((*platform.requires, *job.modules)),
        seconds=job.stages.seconds,
        path=None if dry_run else page_of(settings),
        output=None if dry_run else written,
        **findings,
    )
    return report if dry_run else illustrated(report, settings, platform)


@refusals_told()
def explain(
    config: Config | Path | str | Mapping[str, Any],
    item_id: str,
    *,
    adapter: Adapter | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Explain why an item ranks where it does. Writes nothing. A pool in parts is read whole.

    Args:
        config: as for `run`.
        item_id: id of the item; also the platform's own id where `source.key` names items.
        adapter: an adapter that is already open.
        progress: as for `run`.

    Raises:
        NotFound: if the source has no such item.
        ConfigError: for a wrong configuration or a missing extra.
    """
    settings = loaded(config)
    if settings.recipe.purpose == "review":
        raise ConfigError(
            "purpose must be label to explain a rank; got 'review'.",
            hint="a review's report says why each label is doubtful.",
        )
    with opened(settings, adapter, progress) as platform:
        # As a run does, else what both read would differ.
        boxes = uses_boxes(settings, platform)
        job = WholeJob(settings, platform, progress, boxes=boxes)
        found = linked(job.explain(item_id), platform)
        older = _read_otherwise(settings, job)
    return found if older is None else replace(found, changes=(*found.changes, older))


def _read_otherwise(settings: Config, job: WholeJob) -> str | None:
    """A sentence if the newest run read other predictions or labels than there are now."""
    from labelnext.runs.large.job import is_large

    try:
        newest = newest_read(read_journals(settings.state)[0], settings)
    except ConfigError:  # another user's runs
        return None
    if newest is None:
        return None
    journal, read = newest
    if read is None or is_large(journal) or read == job.input_hash():
        return None
    return (
        f"predictions or labels have changed since run {journal.run_id}, so what it wrote may "
        "differ from this; run again."
    )


def _earlier_runs(settings: Config) -> list[Notice]:
    """What to know about earlier runs: one that was interrupted, and journals without use.

    It is asked under the lock, where no run is at work that would look interrupted.
    """
    known, faults = read_journals(settings.state)
    notices = [Notice("journal_skipped", f"skipped: {fault}") for fault in faults.values()]
    broken = [
        journal
        for journal in known
        if (journal.status, journal.what) == ("broken", "run") and belongs(journal, settings)
    ]
    for journal in broken[-1:]:
        message = "was interrupted earlier; this run overwrites what it left behind"
        if not overwrites(settings, journal):
            left = f"left {journal.target} unfinished, which this run doesn't write"
            message = f"was interrupted earlier and {left}; resume or undo it"
        notices.append(Notice("broken_run", f"run {journal.run_id} {message}."))
    return notices
