"""status(config): labelling progress, and what further labelling would gain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from labelnext.adapter.capabilities import Capability, can
from labelnext.adapter.protocol import Adapter, CountsLabels, ShowsItems, TellsWork
from labelnext.adapter.team import Work
from labelnext.config.config import Config
from labelnext.config.opened import loaded, opened
from labelnext.config.places import check_places, page_of
from labelnext.errors import ConfigError, InvalidInput, without_secrets
from labelnext.journal.journal import Journal, journals
from labelnext.journal.plan import Progress
from labelnext.pool.pool import Pool
from labelnext.probes.learner import VERSION
from labelnext.quality.accuracy import Accuracy, Error, accuracy_of, error_of
from labelnext.quality.stopping import Signal, Snapshot, signals, snapshots
from labelnext.replays.curves import Protocol
from labelnext.replays.forecast import Forecast, forecast
from labelnext.replays.replay import labelled_part
from labelnext.report.team import work_summary
from labelnext.runs.belonging import belongs, newest_read
from labelnext.runs.jobs import job_of
from labelnext.runs.loop import Loop, loop_of
from labelnext.runs.status_page import render_status
from labelnext.support.files import PAGE_ENDINGS, check_page, same_file, write_atomically
from labelnext.support.refused import refusals_told
from labelnext.support.words import counted


@dataclass(frozen=True)
class Status:
    """Labelling progress and stopping signals.

    Attributes:
        n_items: number of items in the source now.
        n_labelled: number of labelled items.
        runs: summaries of the configuration's runs that weren't undone, oldest first.
        signals: signs that further labelling may gain little.
        forecast: what further labelling would gain, or why there is no forecast.
        newest: the id of the newest run that is done; None without one.
        unchanged: whether predictions and labels are still those that it read; None if unknown.
        in_parts: whether it read them in parts: then names, sizes and dates of files are compared.
        work: who labelled what; None if it was not asked for, or the platform does not tell.
        path: path of the page, if one was written.
        loop: how `labelnext watch` stands; None if it never ranked.
        accuracy: how often labelled items are predicted as they were labelled; None if unknown.
        error: how far predicted numbers are from those that people gave; None without any.
        n_wanting: how many labelled items are to be labelled by further people.
    """

    n_items: int
    n_labelled: int
    runs: list[Snapshot]
    signals: list[Signal]
    forecast: Forecast | str
    newest: str | None = None
    unchanged: bool | None = None
    in_parts: bool = False
    work: Work | None = None
    path: Path | None = None
    loop: Loop | None = None
    accuracy: Accuracy | None = None
    error: Error | None = None
    n_wanting: int = 0

    def sentence(self) -> str:
        """How much is labelled."""
        share = self.n_labelled / max(self.n_items, 1)
        total = counted(self.n_items, "item")
        said = f"{self.n_labelled:,} of {total} labelled ({share:.0%})"
        if self.n_wanting:
            said += f", {self.n_wanting:,} of them by fewer people than the project wants"
        return f"{said}."

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able data."""
        ahead = self.forecast
        return {
            "n_items": self.n_items,
            "n_labelled": self.n_labelled,
            "n_wanting": self.n_wanting,
            "newest": self.newest,
            "unchanged": self.unchanged,
            "runs": [run.to_dict() for run in self.runs],
            "signals": [asdict(signal) for signal in self.signals],
            "forecast": ahead if isinstance(ahead, str) else asdict(ahead),
            "work": None if self.work is None else work_summary(self.work, self.n_items),
            "loop": None if self.loop is None else asdict(self.loop),
            "accuracy": None if self.accuracy is None else asdict(self.accuracy),
            "error": None if self.error is None else asdict(self.error),
        }

    def to_json(self) -> str:
        """As JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)


@refusals_told()
def status(
    config: Config | Path | str | Mapping[str, Any],
    *,
    adapter: Adapter | None = None,
    progress: Progress | None = None,
    page: Path | str | None = None,
    work: bool = False,
) -> Status:
    """Labelling progress, score changes between runs, stopping signals and a forecast.

    Args:
        config: as for `run`.
        adapter: an adapter that is already open.
        progress: as for `run`.
        page: where to write a page for managers, which also says who labelled what.
        work: whether to ask the platform who labelled what; a page always does.

    Raises:
        ConfigError: if the page must not be written there.
    """
    settings = loaded(config)
    page = None if page is None else _checked_page(settings, Path(page))
    team, address, loop = None, None, None
    with opened(settings, adapter, progress) as platform:
        job = job_of(settings, platform, progress)
        n_items, n_labelled, pool, hits = job.labelled()
        input_hash = job.input_hash()
        if (work or page is not None) and can(platform, Capability.TELLS_WORK):
            team = cast("TellsWork", platform).work()
        if can(platform, Capability.COUNTS_LABELS):
            loop = loop_of(settings, cast("CountsLabels", platform).count_labels())
        if page is not None and can(platform, Capability.SHOWS_ITEMS):
            address = cast("ShowsItems", platform).address()
    known = journals(settings.state)
    standing = {j.run_id for j in known if belongs(j, settings) and j.status != "undone"}
    others = {j.run_id for j in known} - standing
    seen = snapshots(settings.state / "history", but=others)
    ahead = _forecast(settings, pool, n_items - n_labelled, progress)
    newest = newest_read(known, settings)
    by_probe = pool.version_names == (VERSION,)
    right, off = accuracy_of(hits, out_of_fold=by_probe), error_of(pool, out_of_fold=by_probe)
    result = Status(
        n_items=n_items,
        n_labelled=n_labelled,
        runs=seen,
        signals=signals(seen),
        forecast=ahead,
        newest=None if newest is None else newest[0].run_id,
        unchanged=None if newest is None or newest[1] is None else newest[1] == input_hash,
        in_parts=newest is not None and _in_parts(newest[0]),
        work=team,
        path=page,
        loop=loop,
        accuracy=right,
        error=off,
        n_wanting=int((pool.labelled & pool.candidates).sum()),
    )
    if page is not None:
        _write_page(settings, result, page, address)
    return result


def _in_parts(journal: Journal) -> bool:
    from labelnext.runs.large.job import is_large  # most pools are whole

    return is_large(journal)


def _checked_page(settings: Config, page: Path) -> Path:
    if page.suffix.lower() not in PAGE_ENDINGS:
        raise ConfigError(f"html must be a path that ends in .html; got {str(page)!r}.")
    own = page_of(settings)
    ours = own is not None and same_file(own, page)
    check_places(settings, {} if ours else {"--html": page})
    check_page(page)
    return page


def _write_page(settings: Config, result: Status, page: Path, address: str | None) -> None:
    name = str(settings.path.name if settings.path else settings.source.adapter)
    written = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    text = render_status(result, {"name": name, "address": address or "", "written": written})
    data = without_secrets(text).encode()
    write_atomically(page, lambda file: file.write(data))


def _forecast(
    settings: Config, pool: Pool, n_left: int, progress: Progress | None
) -> Forecast | str:
    """The forecast for one more batch and for twice the labels, or why there is none.

    It never goes beyond the items there are.
    """
    try:
        features, labels = labelled_part(pool)
    except InvalidInput as error:
        return error.message.replace("replay", "A forecast", 1)
    n = len(labels)
    if not n_left:
        return "A forecast needs items that aren't labelled yet."
    if progress is not None:
        progress("forecast", 0, None)
    options = settings.replay
    protocol = Protocol(options.model, options.model_options, allow_import=options.allow_import)
    more = {min(settings.selection.budget or n, n_left), min(n, n_left)}
    return forecast(features, labels, protocol, sorted(n + each for each in more))
