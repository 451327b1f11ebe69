"""What is known of a configuration's loop, kept with its journals."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from labelnext.config.config import Config
from labelnext.runs.callbacks import folder_of
from labelnext.runs.rounds import load_rounds
from labelnext.support.files import read_regular, write_atomically
from labelnext.support.words import counted


@dataclass(frozen=True)
class Seen:
    """What `watch` saw at its last ranking.

    Attributes:
        labels: the platform's label count.
        time: when, in seconds since 1970.
        dry: who had nothing to label even after it.
        predictions: what the platform's predictions were; None if not known.
        every: number of new labels after which `watch` ranks again.
        minutes: time after which it does, if anything was labelled; None: never.
    """

    labels: int
    time: float
    dry: tuple[str, ...] = ()
    predictions: str | None = None
    every: int | None = None
    minutes: float | None = None


@dataclass(frozen=True)
class Loop:
    """How the loop stands.

    Attributes:
        labels: the platform's label count now.
        ranked_at: its label count at the last ranking.
        ranked: time of the last ranking, in UTC.
        rounds: number of rounds of `watch.command` so far.
        left: number of labels until the next ranking; 0 if it is due.
        due: time of the next ranking in UTC, if anything is labelled until then; None without any.
    """

    labels: int
    ranked_at: int
    ranked: str
    rounds: int
    left: int
    due: str | None

    def sentence(self) -> str:
        """All of it in a sentence."""
        rounds = f"{counted(self.rounds, 'round')}, " if self.rounds else ""
        said = f"{rounds}last ranking at {counted(self.ranked_at, 'label')}, {self.ranked}; "
        said += (
            f"the next after {counted(self.left, 'more label')}" if self.left else "the next is due"
        )
        if self.due is not None and self.left:
            said += f", or on {self.due} if anything is labelled until then"
        return f"{said}."


def loop_of(settings: Config, labels: int) -> Loop | None:
    """How the loop stands; None if `watch` never ranked.

    Args:
        settings: the configuration.
        labels: the platform's label count now.
    """
    seen = load_seen(settings)
    if seen is None:
        return None
    every = settings.watch.labels if seen.every is None else seen.every
    new = abs(labels - seen.labels)
    due = None if seen.minutes is None else seen.time + 60 * seen.minutes
    return Loop(
        labels=labels,
        ranked_at=seen.labels,
        ranked=_moment(seen.time),
        rounds=load_rounds(settings).number,
        left=max(every - new, 0),
        due=None if due is None else _moment(due),
    )


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def load_seen(settings: Config) -> Seen | None:
    """What `watch` saw last; None before the first ranking, or if the file is unusable."""
    try:
        seen = json.loads(read_regular(_path(settings)))
        return Seen(**{**seen, "dry": tuple(seen.get("dry", ()))})
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return None  # it costs one extra run


def save_seen(settings: Config, seen: Seen) -> None:
    """Keep what `watch` saw."""
    text = json.dumps(asdict(seen)).encode()
    write_atomically(_path(settings), lambda file: file.write(text), private=True)


def _path(settings: Config) -> Path:
    return folder_of(settings) / "seen.json"


__all__ = ["Loop", "Seen", "load_seen", "loop_of", "save_seen"]
