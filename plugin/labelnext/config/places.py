"""Where a configuration reads and writes; what is read is never written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from labelnext.config.config import Config
from labelnext.errors import ConfigError
from labelnext.support.files import check_outputs, matches
from labelnext.support.store import is_url

_WRITTEN = {("write", "output"), ("report", "path"), ("replay", "path"), ("state",)}
_DATA = (".parquet", ".pq")  # what a folder of data is made of


def check_places(settings: Config, more: Mapping[str, Path] | None = None) -> None:
    """Check that nothing the configuration writes is something it reads, before any work.

    Whatever else the configuration names and is a file counts as read.

    Args:
        settings: the configuration.
        more: further outputs of a command, by their options, such as --log-file.

    Raises:
        ConfigError: if two of them are one file, by whatever name.
    """
    outputs = {**_outputs(settings), **(more or {})}
    existing = {key: path for key, path in outputs.items() if path.exists()}
    inputs = dict(_inputs(settings)) if existing else {}  # one that is missing can't be read
    check_outputs(outputs, inputs)
    place = getattr(settings.source_options, "path", None)
    if place is not None and not is_url(place):
        _check_pool(existing, settings.directory / Path(place).expanduser())


def check_export(settings: Config, folder: Path | str) -> None:
    """Check that exported files won't lie inside the pool that they come from.

    Raises:
        ConfigError: if they would.
    """
    place = getattr(settings.source_options, "path", None)
    if place is None or is_url(folder) != is_url(place):
        return
    pool = str(place) if is_url(place) else settings.directory / Path(place).expanduser()
    if is_url(place):
        inside = f"{folder}/".startswith(f"{place}".rstrip("/") + "/")
    else:
        inside = Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(pool))
    if inside:
        raise ConfigError(
            f"the folder must lie outside the pool; got {str(folder)!r}, inside {str(pool)!r}.",
            hint="name a folder elsewhere.",
        )


def check_overwritable(path: Path) -> None:
    """Check that a file that `init` replaces is a configuration, and no data.

    Raises:
        ConfigError: if it is something else.
    """
    if not path.is_file():
        return
    try:
        with path.open(encoding="utf-8") as file:
            start = file.read(100_000)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{str(path)!r} must be a configuration; it can't be read.") from error
    if start.strip() and not re.search(r"^source\s*:", start, re.MULTILINE):
        raise ConfigError(
            f"{str(path)!r} must be a configuration to be overwritten; it has no key `source`.",
            hint="name another file with --output.",
        )


def _outputs(settings: Config) -> dict[str, Path]:
    """What is written, by the key that names it."""
    write, state = settings.write.output, settings.state
    named = {
        "write.output": None if write is None or is_url(write) else write,
        "report.path": settings.report.path,
        "replay.path": settings.replay.path,
    }
    found = {
        key: settings.directory / path.expanduser()
        for key, path in named.items()
        if path is not None
    }
    return {**found, **{f"state ({name})": state / name for name in ("lock", "watch.json")}}


def _inputs(settings: Config) -> Iterator[tuple[str, Path]]:
    """Every file that the configuration names and doesn't write, and the configuration itself."""
    if settings.path is not None:
        yield "the configuration", settings.path
    for key, text in _texts(settings.to_dict(), ()):
        if key in _WRITTEN or key[0] == "write" or "://" in text or len(text) > 4096:
            continue
        path = settings.directory / os.path.expanduser(text)
        try:
            if path.is_file():
                yield ".".join(key), path
        except (OSError, ValueError):  # no name that a file could have
            continue


def _texts(value: Any, key: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _texts(part, (*key, str(name)))
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _texts(part, key)


def _check_pool(outputs: Mapping[str, Path], pool: Path) -> None:
    """Refuse an output that is one of a pool's files."""
    base = os.path.realpath(pool)
    for key, output in outputs.items():
        real = os.path.realpath(output)
        inside = Path(real).is_relative_to(base) and output.suffix.lower() in _DATA
        if output.is_file() and (inside or (not pool.exists() and matches(real, base))):
            raise ConfigError(
                f"{key} must not be one of the files of source.path; got {str(output)!r}.",
                hint="name a file outside the pool.",
            )
