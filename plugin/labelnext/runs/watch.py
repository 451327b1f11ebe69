"""watch: look at the platform, and train and rank again after enough new labels or enough time.

It looks every few seconds, and at once when a webhook says that something happened. It doesn't
rely on webhooks: Label Studio by default sends none to private addresses and never repeats a lost
one, while reading its counters takes one small request.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from labelnext.adapter.capabilities import Capability, can, missing_capability
from labelnext.adapter.protocol import CountsLabels
from labelnext.adapter.registry import able
from labelnext.config.config import Config
from labelnext.config.opened import loaded, opened
from labelnext.config.places import page_of
from labelnext.errors import (
    Busy,
    CommandFailed,
    InvalidInput,
    LabelnextError,
    Unavailable,
    WriteFailed,
)
from labelnext.report.report import Report
from labelnext.runs.callbacks import ask_for_calls, forget_calls
from labelnext.runs.listen import Listener, listening
from labelnext.runs.loop import Seen, load_seen, save_seen
from labelnext.runs.rounds import WROTE_NOTHING, check_loop, train, train_again
from labelnext.runs.run import run
from labelnext.runs.status import status
from labelnext.support.refused import refusals_told
from labelnext.support.started import CONFIG, how
from labelnext.support.words import counted

_MOVING = 1.0  # seconds until the second look at predictions or items that change
_LONGEST_WAIT = 300.0  # seconds between two attempts while the platform is away

_log = logging.getLogger("labelnext.watch")


@dataclass(frozen=True)
class Health:
    """The state of `watch` after each check of the platform.

    Attributes:
        ok: whether the platform answered and the last run completed.
        labels: the platform's label count; None if it didn't answer.
        ranked_at: the label count at the last run; None before the first.
        runs: number of runs by this process.
        message: the state in one line.
        predictions: a text that changes with the platform's predictions and items; None if not
            known.
    """

    ok: bool
    labels: int | None
    ranked_at: int | None
    runs: int
    message: str
    predictions: str | None = None


_STARTING = Health(True, None, None, 0, "starting")


@dataclass(frozen=True)
class _Rule:
    """When to rank again."""

    labels: int
    minutes: float | None
    once: bool


@refusals_told()
def watch(
    config: Config | Path | str | Mapping[str, Any],
    *,
    labels: int | None = None,
    minutes: float | None = None,
    poll: float = 10.0,
    once: bool = False,
    stop: threading.Event | None = None,
    tell: Callable[[Health], None] | None = None,
) -> Health:
    """Run now if due, then again after every `labels` new labels or `minutes`.

    Also when somebody has nothing left to label while others have work, and when somebody else has
    stored predictions, or added or removed items. With `watch.command`, each ranking after new
    labels begins with a round of it; if it fails, the queue stays as it was and the round is tried
    again later.

    `stop` never interrupts a run: a run in progress finishes first. It ends a command in progress.
    Annotators keep the task that they have open and submit it as usual; their next task follows
    the new order.

    Args:
        config: as for `run`.
        labels: number of new labels that trigger a run, at least 1; None: `watch.labels`.
        minutes: time after which to run again, if anything was labelled since; None:
            `watch.minutes`.
        poll: seconds between checks.
        once: check once, run if due, and return.
        stop: event that ends the watch when set.
        tell: called with each `Health`.

    Returns:
        The last `Health`.

    Raises:
        InvalidInput: if a number is out of range.
        ConfigError: if the adapter can't count labels, or the configuration is wrong.
    """
    settings = loaded(config)
    labels = settings.watch.labels if labels is None else labels
    minutes = settings.watch.minutes if minutes is None else minutes
    for name, given, fits, least in (
        ("labels", labels, labels >= 1, "at least 1"),
        ("minutes", minutes, minutes is None or minutes > 0, "above 0"),
        ("poll", poll, poll > 0, "above 0"),
    ):
        if not fits:
            raise InvalidInput(f"{name} must be {least}; got {given!r}.")
    settings, rule = replace(settings, memory={}), _Rule(labels, minutes, once)
    stop = stop or threading.Event()
    if once:
        return _told(_look(settings, rule, _STARTING, stop), tell)
    with listening(settings) as listener, closing(_Calls(settings, listener)) as calls:
        return _watch(settings, rule, poll, stop, tell, calls)


def _watch(
    settings: Config,
    rule: _Rule,
    poll: float,
    stop: threading.Event,
    tell: Callable[[Health], None] | None,
    calls: _Calls,
) -> Health:
    """Look again and again until the stop."""
    health, wait = _STARTING, poll
    while not stop.is_set():
        for said in calls.asked():
            _told(replace(health, message=said), tell)
        before, health = health, _told(_look(settings, rule, health, stop), tell)
        if stop.is_set():
            break
        wait = poll if health.ok else min(2 * wait, max(_LONGEST_WAIT, poll))
        moved = before.predictions is not None and health.predictions != before.predictions
        calls.wait(stop, min(_MOVING, wait) if moved and health.ok else wait, health)
    return health


def _told(health: Health, tell: Callable[[Health], None] | None) -> Health:
    _log.log(logging.INFO if health.ok else logging.WARNING, "%s", health.message)
    if tell is not None:
        tell(health)
    return health


class _Calls:
    """The platform's calls while `watch` waits, where it listens for any."""

    def __init__(self, settings: Config, listener: Listener | None) -> None:
        self._settings, self._listener = settings, listener
        self._open = listener is not None  # whether the platform is still to be asked

    def asked(self) -> Iterator[str]:
        """Ask the platform to call, until it has answered; says what it answered."""
        listener = self._listener
        if listener is None or not self._open:
            return
        where = self._settings.watch.listen
        try:
            with opened(self._settings, None, None) as adapter:
                takes = ask_for_calls(self._settings, adapter, listener.address, listener.headers)
            said = f"listening on {where}" if takes else f"{adapter.name} sends no webhooks"
        except (Unavailable, WriteFailed):  # asked again at the next look, which says so
            return
        except LabelnextError as error:
            said = f"no webhooks, so it only polls: {error}"
        self._open = False
        yield said

    def wait(self, stop: threading.Event, seconds: float, health: Health) -> None:
        """Wait for a call or a stop, at most so long."""
        if self._listener is None:
            stop.wait(seconds)
            return
        seen = load_seen(self._settings)
        self._listener.figures = {
            "up": float(health.ok),
            "labels": health.labels,
            "labels_at_last_ranking": health.ranked_at,
            "runs_total": health.runs,
            "last_ranking_timestamp_seconds": None if seen is None else seen.time,
        }
        self._listener.wait(stop, seconds)

    def close(self) -> None:
        """Let the platform call no more."""
        if self._listener is not None:
            with suppress(LabelnextError), opened(self._settings, None, None) as adapter:
                forget_calls(self._settings, adapter)


def _look(settings: Config, rule: _Rule, before: Health, stop: threading.Event) -> Health:
    """Ask the platform for its label count, and run if due."""
    count: int | None = None
    seen = load_seen(settings)
    ranked_at = None if seen is None else seen.labels
    try:
        count = _count(settings)
        news = _news(settings, rule, before, seen, count)
        stored = news.stored
        if news.why is None:
            of = f"{rule.labels} since the last ranking"
            message = f"{counted(count, 'label')}, {news.labels} of {of}"
            return Health(True, count, ranked_at, before.runs, message, stored)
        said = train(settings, count, stop) if news.why == "labels" else ""
        if said is None:
            return Health(True, count, ranked_at, before.runs, "stopped during watch.command")
        report = _ranked(settings, said)
        still_dry = _ran_dry(settings) if news.dry else ()
        with suppress(Unavailable):  # the run is done: if the server goes away only now, it counts
            stored = _stored(settings)
        save_seen(settings, Seen(count, time.time(), still_dry, stored, rule.labels, rule.minutes))
    except (Unavailable, Busy, WriteFailed, CommandFailed, InvalidInput) as error:
        if isinstance(error, InvalidInput) and not _has_own_file(settings):
            raise
        if settings.memory is not None:  # what was read may be half of what is there now
            settings.memory.clear()
        return Health(False, count, ranked_at, before.runs, _failure(error, count, once=rule.once))
    ranked = counted(report.counts["ranked"], "item")
    done = f"ranked {ranked}, run {report.run_id}{_shown(settings)}"
    if report.nothing_ranked:
        done = f"the queue is as it was: {report.nothing_ranked.rstrip('.')}"
    message = f"{counted(count, 'label')}: {said + ', ' if said else ''}{done}"
    if not before.runs:  # once is enough
        message += "".join(f". {n.message}" for n in report.notices if n.code == "shared_target")
    return Health(True, count, count, before.runs + 1, message, stored)


def _failure(error: LabelnextError, count: int | None, *, once: bool) -> str:
    """What went wrong, and what becomes of the queue and of `watch`."""
    early = " Nothing is labelled yet." if isinstance(error, CommandFailed) and count == 0 else ""
    unharmed = isinstance(error, CommandFailed | InvalidInput)
    state = [*(["the queue is as it was"] if unharmed else []), *([] if once else ["trying again"])]
    hint = f" Hint: {error.hint}" if error.hint and (unharmed or once) else ""
    return f"{', '.join(state)}{': ' if state else ''}{error.message}{early}{hint}"


def _ranked(settings: Config, said: str) -> Report:
    """Rank; a command that wrote nothing is named if there is nothing else to rank by."""
    try:
        return run(settings)
    except InvalidInput as error:
        if not said.endswith(WROTE_NOTHING) or _has_own_file(settings):
            raise
        train_again(settings)
        raise CommandFailed(
            f"watch.command wrote nothing, and {error.message}",
            hint="it must write its predictions to the file that LABELNEXT_PREDICTIONS names.",
        ) from error


def _has_own_file(settings: Config) -> bool:
    """Whether runs read what the command writes, which may be odd once and right the next time."""
    return settings.watch.command is not None and settings.source.predictions is not None


def _shown(settings: Config) -> str:
    """Write the page of `watch.page`; why it couldn't be written, as the end of a message."""
    page = page_of(settings)
    if page is None:
        return ""
    try:
        status(settings, page=page)
    except LabelnextError as error:  # the ranking is done, and the next writes it again
        return f", but no page: {error.message}"
    return ""


@dataclass(frozen=True)
class _News:
    """What has happened since the last ranking, and why to rank again; None to wait."""

    why: Literal["labels", "predictions", "dry"] | None
    labels: int
    stored: str | None  # what the platform's predictions are, or were at the last ranking
    dry: tuple[str, ...] = ()


def _news(settings: Config, rule: _Rule, before: Health, seen: Seen | None, count: int) -> _News:
    if seen is None:
        return _News("labels", rule.labels, _stored(settings))
    # Labels can also be deleted; then the counter falls, which changes the ranking as well.
    new = abs(count - seen.labels)
    late = rule.minutes is not None and time.time() - seen.time >= 60 * rule.minutes
    if new >= rule.labels or (late and new > 0):
        return _News("labels", new, seen.predictions)  # at once: nothing else is asked first
    stored = _stored(settings)
    # Whoever stores predictions may be in the middle of it: two looks must agree.
    settled = rule.once or before.predictions == stored
    if None not in (stored, seen.predictions) and stored != seen.predictions and settled:
        return _News("predictions", new, stored)
    dry = _ran_dry(settings)
    return _News("dry" if {*dry}.difference(seen.dry) else None, new, stored, dry)


def _stored(settings: Config) -> str | None:
    """What tells whether the platform's predictions changed."""
    with opened(settings, None, None) as adapter:
        return adapter.prediction_state()


def _ran_dry(settings: Config) -> tuple[str, ...]:
    """Who has nothing left to label while others have."""
    with opened(settings, None, None) as adapter:
        return adapter.ran_dry()


def _count(settings: Config) -> int:
    with opened(settings, None, None) as adapter:
        if not can(adapter, Capability.COUNTS_LABELS):
            raise missing_capability(
                "source.adapter",
                adapter.name,
                Capability.COUNTS_LABELS,
                able(Capability.COUNTS_LABELS),
                f"Or schedule {how('run', CONFIG)} instead.",
            )
        check_loop(settings, adapter)
        return cast("CountsLabels", adapter).count_labels()


__all__ = ["Health", "watch"]
