"""Where a configuration reads and writes; what is read is never written."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelnext.adapter.sample import has_ranking_columns
from labelnext.errors import ConfigError
from labelnext.journal.state import check_leads_somewhere
from labelnext.support.files import (
    PAGE_ENDINGS,
    check_outputs,
    real_path,
    same_file,
)
from labelnext.support.store import is_run_id, is_url

if TYPE_CHECKING:
    from labelnext.config.config import Config

_PAGE_KEYS = {("report", "path"), ("replay", "path"), ("watch", "page")}
_WRITTEN = {("write", "output"), *_PAGE_KEYS, ("state",)}
_DATA = (".parquet", ".pq")  # what a folder of data is made of
_PAGES = {".".join(key) for key in _PAGE_KEYS}
_OF_STATE = ("history", "lock", "loop")


def check_places(settings: Config, more: Mapping[str, Path] | None = None) -> None:
    """Check that nothing the configuration writes is something it reads, before any work.

    Whatever else the configuration names and is a file counts as read.

    Args:
        settings: the configuration.
        more: further outputs of a command, by their options, such as --log-file.

    Raises:
        ConfigError: if two of them are one file, by whatever name, or `state` is no folder for it.
    """
    outputs = {**_outputs(settings), **(more or {})}
    _check_state(outputs, settings.state, _pool(settings))
    outputs |= {"state (lock)": settings.state / "lock"}
    check_unread(settings, outputs)


def check_unread(settings: Config, outputs: Mapping[str, Path]) -> None:
    """Check that no output is something the configuration reads, or another output.

    Args:
        settings: the configuration.
        outputs: files by what asks for them.

    Raises:
        ConfigError: if two of them are one file, by whatever name.
    """
    # os.path, as a name may be too long for the system to look at.
    existing = {key: path for key, path in outputs.items() if os.path.exists(path)}
    inputs = dict(_inputs(settings)) if existing else {}  # one that is missing can't be read
    check_outputs(outputs, inputs)
    side = settings.source.predictions
    pools = {"source.path": _pool(settings)}
    if side is not None:
        pools["source.predictions.file"] = settings.directory / side.file.expanduser()
    for name, path in pools.items():
        if path is not None:
            _check_pool(existing, name, path)


def _pool(settings: Config) -> Path | None:
    """The file, folder or glob of the source; None of other platforms and of URLs."""
    path = getattr(settings.source_options, "path", None)
    return None if path is None or is_url(path) else settings.directory / Path(path).expanduser()


def check_export(settings: Config, folder: Path | str) -> None:
    """Check that exported files won't lie inside the pool that they come from.

    Raises:
        ConfigError: if they would, or if the folder is that of the journals.
    """
    if not is_url(folder) and real_path(folder).is_relative_to(os.path.realpath(settings.state)):
        raise ConfigError(
            f"the folder must differ from state and lie outside it; got {str(folder)!r}.",
            hint="name a folder elsewhere.",
        )
    path = getattr(settings.source_options, "path", None)
    if path is None or is_url(folder) != is_url(path):
        return
    pool = str(path) if is_url(path) else settings.directory / Path(path).expanduser()
    if is_url(path):
        inside = f"{folder}/".startswith(f"{path}".rstrip("/") + "/")
    else:
        inside = real_path(folder).is_relative_to(os.path.realpath(pool))
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
    write = settings.write.output
    named = {
        "write.output": None if write is None or is_url(write) else write,
        "report.path": settings.report.path,
        "replay.path": settings.replay.path,
        "watch.page": settings.watch.page,
    }
    return {
        key: settings.directory / path.expanduser()
        for key, path in named.items()
        if path is not None
    }


def page_of(settings: Config) -> Path | None:
    """The page of `watch.page`; None without one."""
    return _outputs(settings).get("watch.page")


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


def _check_pool(outputs: Mapping[str, Path], name: str, pool: Path) -> None:
    """Refuse an output that is one of a folder's or glob's files, by whatever name."""
    files = {path.stat().st_ino: (key, path) for key, path in outputs.items() if path.is_file()}
    for file in _files_of(pool, set(files)) if files else ():
        for key, path in files.values():
            if _is_data(key, file) and same_file(path, Path(file)):
                raise ConfigError(
                    f"{key} must not be one of the files of {name}; got {str(path)!r}.",
                    hint="name a file outside the pool.",
                )


def _is_data(key: str, file: str) -> bool:
    """Whether a file of a pool is data, and not what was written there under this key earlier."""
    ending = os.path.splitext(file)[1].lower()
    if key == "write.output" and has_ranking_columns(file):
        return False
    return ending in _DATA or (key in _PAGES and ending not in PAGE_ENDINGS)


def _files_of(pool: Path, numbers: Set[int]) -> Iterator[str]:
    """The files of a pool that are links, or have one of these inode numbers."""
    if not pool.is_dir():
        pattern = str(pool)
        yield from glob.iglob(pattern, recursive=True) if glob.has_magic(pattern) else ()
        return
    waiting, seen = [str(pool)], set[tuple[int, int]]()
    while waiting:
        try:
            status = os.stat(folder := waiting.pop())
            if (status.st_dev, status.st_ino) in seen:  # a link that leads back
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir():
                        waiting.append(entry.path)
                    elif entry.is_symlink() or entry.inode() in numbers:
                        yield entry.path
        except OSError:  # gone, or not for this user
            continue


def _check_state(outputs: Mapping[str, Path], state: Path, pool: Path | None) -> None:
    """Refuse a state folder that is a file or a pool, and outputs in place of its files."""
    if os.path.exists(state) and not os.path.isdir(state):
        raise ConfigError(
            f"state must be a folder; got {str(state)!r}, a file.", hint="name a new folder."
        )
    if pool is not None and same_file(state, pool):
        raise ConfigError(
            f"state must differ from source.path; both are {str(state)!r}.",
            hint="name a new folder.",
        )
    for key, path in outputs.items():
        of_state = path.name in _OF_STATE or is_run_id(path.name.partition(".")[0])
        of_state = of_state or path.suffix == ".jsonl"  # read as a journal
        if same_file(path, state) or (of_state and same_file(path.parent, state)):
            raise ConfigError(
                f"{key} must differ from state and its files; got {str(path)!r}.",
                hint="name a file elsewhere.",
            )
    check_leads_somewhere(state)
