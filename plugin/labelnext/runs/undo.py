"""undo, resume and runs: undo, finish or list runs, including batches that were sent."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal

from labelnext.adapter.protocol import Adapter, Target
from labelnext.config.config import Config
from labelnext.config.opened import loaded, opened, opened_target
from labelnext.errors import ConfigError, NotFound
from labelnext.journal.file import sweep_state
from labelnext.journal.journal import (
    Journal,
    Status,
    check_newest,
    find_journal,
    read_journals,
)
from labelnext.journal.lock import only_run
from labelnext.journal.plan import Progress
from labelnext.runs.belonging import belongs, builds_on, check_reaches, check_unread_by, lists
from labelnext.runs.callbacks import end_calls
from labelnext.runs.elsewhere import everywhere, holding
from labelnext.runs.jobs import writer_of
from labelnext.runs.ready import extra_output
from labelnext.support.refused import refusals_told
from labelnext.support.started import from_here

_log = logging.getLogger("labelnext")
_UNDONE: tuple[Status, ...] = ("done", "broken")
_RESUMED: tuple[Status, ...] = ("planned", "broken")


@refusals_told()
def undo(
    config: Config | Path | str | Mapping[str, Any],
    run_id: str | None = None,
    *,
    adapter: Adapter | None = None,
) -> tuple[Journal, list[str]]:
    """Undo a run, the newest one by default.

    Returns:
        The run's journal, and what had to stay, one sentence each. The journal is `undone` unless
        something is left that another undo of the run removes.

    Raises:
        NotFound: if there is no such run.
        ConfigError: if the run is already undone, or a later run built on it.
    """
    settings = holding(loaded(config), run_id, _UNDONE, adapter)
    with _held(settings, run_id, "undone") as journal:
        with _platform(settings, journal, adapter, None) as platform:
            stayed = writer_of(settings, platform, journal, None).undo(journal)
            if isinstance(platform, Adapter):
                end_calls(settings, platform)
        sweep_state(settings.state)
        return journal, stayed


def undo_all(
    config: Config | Path | str | Mapping[str, Any], *, adapter: Adapter | None = None
) -> Iterator[tuple[Journal, list[str]]]:
    """Undo every run of the configuration, newest first; yields each as `undo` returns it.

    It ends at the first run that isn't undone to its end.

    Raises:
        ConfigError: at the first run that can't be undone; those before it are undone.
        WriteRefused: likewise.
    """
    settings = loaded(config)
    undone = True
    while undone and (newest := _newest(settings, adapter)) is not None:
        journal, stayed = undo(settings, newest, adapter=adapter)
        undone = journal.undone
        yield journal, stayed


def _newest(settings: Config, adapter: Adapter | None) -> str | None:
    """The newest run that can be undone; None without one."""
    held = holding(settings, None, _UNDONE, adapter)
    try:
        return find_journal(held.state, None, _UNDONE, lambda one: belongs(one, held)).run_id
    except NotFound:
        return None


@refusals_told()
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
    settings = holding(loaded(config), run_id, _RESUMED, adapter)
    with _held(settings, run_id, "resumed") as journal:
        with _platform(settings, journal, adapter, progress) as platform:
            writer_of(settings, platform, journal, progress).apply(journal.plan, journal)
        _name_missing(settings, journal)
        return journal


def _name_missing(settings: Config, journal: Journal) -> None:
    """Name the ranking file beside a write-back: a journal has no ranking to write it from."""
    if journal.what == "run" and (path := extra_output(settings, journal.plan)) is not None:
        place = from_here(str(path))
        _log.warning("run %s is finished, but for %s: run again", journal.run_id, place)


@contextmanager
def _held(
    settings: Config, run_id: str | None, verb: Literal["undone", "resumed"]
) -> Iterator[Journal]:
    """The journal of a run, as `_found`, while no other run goes on; makes no state folder."""
    if not settings.state.is_dir():
        try:
            _found(settings, run_id, verb)
        except NotFound as error:
            error.hint = error.hint or (
                f"runs are noted in {str(settings.state)!r}, which isn't there: if state was "
                "changed since, name the earlier folder."
            )
            raise
    with only_run(settings.state):
        yield _found(settings, run_id, verb)


def _platform(
    settings: Config, journal: Journal, adapter: Adapter | None, progress: Progress | None
) -> AbstractContextManager[Adapter | Target]:
    """The platform that a journal's run writes to: the source, or the target of `send`."""
    if journal.what == "send":
        return opened_target(settings, progress)
    return opened(settings, adapter, progress)


def to_undo(config: Config | Path | str | Mapping[str, Any], run_id: str | None = None) -> Journal:
    """The run that `undo` would undo. Changes nothing; raises as `undo` does."""
    return _found(holding(loaded(config), run_id, _UNDONE, None), run_id, "undone")


@refusals_told()
def runs(config: Config | Path | str | Mapping[str, Any], *, every: bool = False) -> list[Journal]:
    """The journals of a configuration, oldest first; logs a warning for each skipped file.

    Args:
        config: as for `run`.
        every: include runs of other configurations in the same state folder.
    """
    settings = loaded(config)
    known, faults = read_journals(settings.state)
    for fault in faults.values():
        _log.warning("skipped: %s", fault)
    listed_journals = [journal for journal in known if every or lists(journal, settings)]
    return sorted([*listed_journals, *everywhere(settings)], key=lambda journal: journal.run_id)


def _found(settings: Config, run_id: str | None, verb: Literal["undone", "resumed"]) -> Journal:
    """The journal of a run that can be undone or resumed: the configuration's newest by default."""
    statuses = _UNDONE if verb == "undone" else _RESUMED
    journal = find_journal(settings.state, run_id, statuses, lambda one: belongs(one, settings))
    check_reaches(journal, settings)
    if journal.undone and (verb == "resumed" or journal.kept_for is None):
        raise ConfigError(f"run {journal.run_id} is already undone.")
    if verb == "resumed" and journal.finished and not journal.undoing:
        raise ConfigError(f"run {journal.run_id} is already done; there is nothing to resume.")
    check_newest(settings.state, journal, verb, builds_on)
    check_unread_by(journal, settings)
    return journal
