"""One round of the loop: labels to a file, the user's command, its predictions to the platform."""

from __future__ import annotations

import json
import os
import shutil
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from labelnext.adapter.capabilities import Capability, can, missing_capability
from labelnext.adapter.protocol import Adapter
from labelnext.adapter.registry import able
from labelnext.config.config import Config
from labelnext.config.opened import opened
from labelnext.errors import (
    Busy,
    CommandFailed,
    ConfigError,
    InvalidInput,
    LabelnextError,
    Unavailable,
    WriteFailed,
)
from labelnext.runs.callbacks import folder_of
from labelnext.runs.command import run_command
from labelnext.runs.labelled_file import labels
from labelnext.runs.push import push
from labelnext.support.files import read_regular, write_atomically
from labelnext.support.words import counted

WROTE_NOTHING = "wrote no predictions"

_KEPT = 20  # logs of rounds

_Mark = tuple[int, int, int]


@dataclass(frozen=True)
class Rounds:
    """What is known of the rounds of a configuration, kept with its journals.

    Attributes:
        number: of the last round that was begun; 0 before the first.
        trained: the label count for which the command last came to its end; None before it did.
    """

    number: int = 0
    trained: int | None = None


def check_loop(settings: Config, adapter: Adapter) -> None:
    """Check that the predictions of the command can get to where a run reads them.

    Raises:
        ConfigError: if they can't.
        LabelnextError: if the platform takes none under that version.
    """
    if settings.watch.command is None or settings.source.predictions is not None:
        return
    if not can(adapter, Capability.TAKES_PREDICTIONS):
        capability = Capability.TAKES_PREDICTIONS
        instead = "Or name the file that the command writes in source.predictions."
        known = able(capability)
        raise missing_capability("source.adapter", adapter.name, capability, known, instead)
    version = version_of(settings, 1)
    adapter.check_version(version)  # before a round trains for hours
    if not adapter.reads_version(version):
        raise ConfigError(
            f"watch.version must be a version that runs read; got {settings.watch.version!r}.",
            hint="in Label Studio leave out source.model_version, so that each task's newest "
            "prediction is read; in FiftyOne set watch.version to the field of source.pred_field.",
        )


def train_again(settings: Config) -> None:
    """Let the command run again for the same label count."""
    _save(settings, Rounds(load_rounds(settings).number))


def version_of(settings: Config, number: int) -> str:
    """The model version of a round."""
    return settings.watch.version.replace("{round}", str(number))


def train(settings: Config, count: int, stop: threading.Event) -> str | None:
    """Run the command of a round, and push the predictions that it wrote.

    Args:
        settings: the configuration; without a command nothing happens.
        count: the platform's label count. The command isn't run twice for the same count.
        stop: ends the command when set.

    Returns:
        What happened, for a message; empty if nothing did, None if it was stopped.

    Raises:
        CommandFailed: if the command failed, took too long, or wrote what can't be stored; nothing
            is written then.
        Unavailable: if a server or database does not answer.
        WriteFailed: if the predictions could not be written whole.
    """
    known = load_rounds(settings)
    command = settings.watch.command
    if command is None or known.trained == count:
        return ""
    number = known.number + 1
    folder = folder_of(settings)
    _save(settings, Rounds(number, known.trained))  # a round that dies has its number all the same
    _forget(folder, number)
    out = labels(settings, folder / "labels.parquet", private=True).path.absolute()
    path = predictions_of(settings)
    before = _mark(path)
    minutes = settings.watch.timeout
    environment = {
        "LABELNEXT_LABELS": str(out),
        "LABELNEXT_PREDICTIONS": str(path),
        "LABELNEXT_ROUND": str(number),
        "LABELNEXT_VERSION": version_of(settings, number),
        "LABELNEXT_CONFIG": "" if settings.path is None else str(settings.path.absolute()),
    }
    ended = run_command(
        command,
        shell=settings.watch.shell,
        directory=settings.directory,
        environment=environment,
        log=folder / f"round-{number}.log",
        seconds=None if minutes is None else 60 * minutes,
        stop=stop,
    )
    if not ended:
        return None
    try:
        said = _pushed(settings, path, before, number)
    except (Unavailable, WriteFailed, Busy):
        raise
    except LabelnextError as error:
        message = f"what watch.command wrote can't be stored: {error.message}"
        raise CommandFailed(message, hint=error.hint) from error
    _save(settings, Rounds(number, count))
    return said


def predictions_of(settings: Config) -> Path:
    """Where the command puts its predictions."""
    named, side = settings.watch.predictions, settings.source.predictions
    if named is None and side is not None:
        named = side.file
    if named is None:
        return (folder_of(settings) / "predictions.parquet").absolute()
    return (settings.directory / named.expanduser()).absolute()


def _pushed(settings: Config, path: Path, before: _Mark | None, number: int) -> str:
    """Push what the command wrote; a side file is read by the run itself."""
    now = _mark(path)
    if now is None or now == before:
        return f"round {number} {WROTE_NOTHING}"
    if settings.source.predictions is not None:
        return f"round {number} wrote {path.name}"
    version = version_of(settings, number)
    with opened(settings, None, None) as adapter:
        result = push(settings, path, version, adapter=adapter)
    if not result.counts["stored"]:
        raise InvalidInput(" ".join((result.nothing, *(n.message for n in result.notices))))
    stored = counted(result.counts["stored"], "prediction")
    return f"round {number} stored {stored} as {version}"


def _mark(path: Path) -> _Mark | None:
    """What changes when a file is written; None without one. Of a folder, that of its entries."""
    try:
        files = [path, *path.rglob("*")] if path.is_dir() else [path]
        marks = [file.stat() for file in files]
    except OSError:
        return None
    return max(m.st_mtime_ns for m in marks), sum(m.st_size for m in marks), marks[0].st_ino


def _forget(folder: Path, number: int) -> None:
    """Remove the predictions of the last round, and the log of one long ago."""
    for name in ("predictions.parquet", f"round-{number - _KEPT}.log"):
        shutil.rmtree(folder / name, ignore_errors=True)  # a command may have made a folder
        with suppress(OSError):
            os.remove(folder / name)


def load_rounds(settings: Config) -> Rounds:
    """What is known of the rounds; nothing if that can't be read."""
    try:
        return Rounds(**json.loads(read_regular(folder_of(settings) / "rounds.json")))
    except (OSError, ValueError, TypeError, RecursionError):
        return Rounds()


def _save(settings: Config, rounds: Rounds) -> None:
    text = json.dumps(asdict(rounds)).encode()
    path = folder_of(settings) / "rounds.json"
    write_atomically(path, lambda file: file.write(text), private=True)


__all__ = [
    "WROTE_NOTHING",
    "Rounds",
    "check_loop",
    "load_rounds",
    "predictions_of",
    "train",
    "train_again",
    "version_of",
]
