"""undo, resume and runs: undo, finish or list runs, including batches that were sent."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from labelnext.adapter.protocol import Adapter, Target
from labelnext.config.config import Config
from labelnext.config.opened import loaded, opened, opened_target
from labelnext.errors import ConfigError
from labelnext.journal.journal import Journal, check_newest, find_journal, read_journals
from labelnext.journal.lock import only_run
from labelnext.journal.plan import Progress
from labelnext.runs.jobs import writer_of

_log = logging.getLogger("labelnext")


def undo(
    config: Config | Path | str | Mapping[str, Any],
    run_id: str | None = None,
    *,
    adapter: Adapter | None = None,
) -> tuple[Journal, list[str]]:
    """Undo a run, the newest one by default.

    Returns:
        The run's journal, and what had to stay, one sentence each.

    Raises:
        NotFound: if there is no such run.
        ConfigError: if the run is already undone, or a later run built on it.
    """
    settings = loaded(config)
    with only_run(settings.state):
        journal = find_journal(settings.state, run_id, ("done", "broken"))
        _newest(settings, journal, "undone")
        with _platform(settings, journal, adapter, None) as platform:
            return journal, writer_of(settings, platform, journal, None).undo(journal)


def resume(
    config: Config | Path | str | Mapping[str, Any],
    run_id: str | None = None,
    *,
    adapter: Adapter | None = None,
    progress: Progress | None = None,
) -> Journal:
    """Finish an interrupted run, the newest one by default.

    Raises:
        NotFound: if there is no such run.
        ConfigError: if the run is already done or undone, or a later run built on it.
    """
    settings = loaded(config)
    with only_run(settings.state):
        journal = find_journal(settings.state, run_id, ("planned", "broken"))
        if journal.status == "done":
            raise ConfigError(f"run {journal.run_id} is already done; there is nothing to resume.")
        _newest(settings, journal, "resumed")
        with _platform(settings, journal, adapter, progress) as platform:
            writer_of(settings, platform, journal, progress).apply(journal.plan, journal)
        return journal


def _platform(
    settings: Config, journal: Journal, adapter: Adapter | None, progress: Progress | None
) -> AbstractContextManager[Adapter | Target]:
    """The platform that a journal's run writes to: the source, or the target of `send`."""
    if journal.what == "send":
        return opened_target(settings, progress)
    return opened(settings, adapter, progress)


def runs(config: Config | Path | str | Mapping[str, Any]) -> list[Journal]:
    """The journals of a configuration, oldest first; logs a warning for each skipped file."""
    known, faults = read_journals(loaded(config).state)
    for fault in faults.values():
        _log.warning("skipped: %s", fault)
    return known


def _newest(settings: Config, journal: Journal, verb: str) -> None:
    if journal.undone:
        raise ConfigError(f"run {journal.run_id} is already undone.")
    check_newest(settings.state, journal, verb)
