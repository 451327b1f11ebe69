"""undo, resume, runs: the way back, for either kind of pool and for batches that were sent."""

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
        with _platform(settings, journal, adapter, None) as platform:
            return journal, writer_of(settings, platform, journal, None).undo(journal)


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
        with _platform(settings, journal, adapter, progress) as platform:
            writer_of(settings, platform, journal, progress).apply(journal.plan, journal)
        return journal


def _platform(
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


def _newest(settings: Config, journal: Journal, verb: str) -> None:
    if journal.undone:
        raise ConfigError(f"run {journal.run_id} must not be undone already; it is.")
    check_newest(settings.state, journal, verb)
