"""Whose run a journal records: several configurations may share a state folder or a target."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelnext.adapter.protocol import Adapter
from labelnext.adapter.registry import get_adapter
from labelnext.config.places import check_unread
from labelnext.errors import ConfigError
from labelnext.journal.journal import Journal
from labelnext.support.addresses import server_of
from labelnext.support.store import is_url

if TYPE_CHECKING:
    from labelnext.config.config import Config
    from labelnext.config.outline import Located, Outline


INPUT = "input"
"""The kind of a journal's note on what the run read."""


def origin_of(settings: Config, what: str = "run") -> dict[str, Any]:
    """What a journal's header says about where its run comes from.

    Args:
        settings: the configuration.
        what: "run", "send", "fetch" or "push".

    Returns:
        One key, `origin`: the configuration's file, the platform and project, and the ranking
        file. Paths are relative to the state folder, so that a copied folder keeps its own runs.
    """
    config = None if settings.path is None else _relative(settings.path, settings)
    return {"origin": {"config": config, "place": _place(settings, what), **_output(settings)}}


def belongs(journal: Journal, settings: Config | Outline) -> bool:
    """Whether a run is of this configuration; a run of an older version is, if it may be.

    It has to reach the same platform. A run that was made from a file belongs to that file, even if
    its output has changed since. Python code has no file, and a renamed file no longer has its
    name: there, the ranking file has to be the same.
    """
    origin = journal.origin
    if not reaches(journal, settings):
        return False
    if not origin:
        return True
    config = origin.get("config")
    if config is None or settings.path is None:  # of Python code, which has no file's name
        return _same_output(origin, settings)
    if config == _relative(settings.path, settings):
        return True
    # A configuration that was renamed keeps its runs. One that is still there keeps its own, except
    # where this one writes a run of the same name to the dataset, which was renamed since.
    gone = not os.path.exists(settings.state / config)
    renamed = journal.plan.run == settings.write.run and _is_renamed(journal, settings)
    return (gone or renamed) and _same_output(origin, settings)


def newest_read(
    known: Sequence[Journal], settings: Config | Outline
) -> tuple[Journal, str | None] | None:
    """The newest run of a configuration that is done, and the hash of what it read.

    Args:
        known: journals, oldest first.
        settings: the configuration.

    Returns:
        None without such a run; without a hash if the disk was full.
    """
    done = [j for j in known if j.what == "run" and j.status == "done" and belongs(j, settings)]
    return (done[-1], done[-1].notes.get(INPUT, {}).get("sha256")) if done else None


def lists(journal: Journal, settings: Config | Outline) -> bool:
    """Whether `runs` lists a run: its own, and those of versions that didn't say whose they are."""
    return not journal.origin or belongs(journal, settings)


def reaches(journal: Journal, settings: Config | Outline) -> bool:
    """Whether the configuration leads to the platform and project that a run wrote to."""
    target = journal.origin.get("place")
    if isinstance(target, Mapping):
        return _named(target) == _place(settings, journal.what) or _is_renamed(journal, settings)
    adapter = str(journal.header["plan"].get("adapter", ""))
    return adapter in ("", settings.source.adapter, settings.send.adapter)


def _is_renamed(journal: Journal, settings: Config | Outline) -> bool:
    """Whether a run wrote to what the configuration names, which had another name then."""
    name, target = settings.source.adapter, journal.origin.get("place")
    if journal.what == "send" or journal.header["plan"].get("adapter") != name:
        return False
    if isinstance(target, Mapping) and _named(target) == _place(settings, journal.what):
        return False
    asked = getattr(get_adapter(name), "is_renamed", Adapter.is_renamed)
    return bool(asked(settings.source_options, journal.plan))


def check_reaches(journal: Journal, settings: Config | Outline) -> None:
    """Check that a run that was asked for by name isn't of another project or ranking file.

    Raises:
        ConfigError: if it is.
    """
    origin = journal.origin
    if reaches(journal, settings) and (
        not origin or belongs(journal, settings) or _same_output(origin, settings)
    ):
        return
    config = journal.config
    raise ConfigError(
        f"run {journal.run_id} must be of a project, dataset or file that this configuration "
        f"names; got one of {config or 'another configuration'}, which wrote to {journal.target}.",
        hint=f"name {config} instead." if config else None,
    )


def check_unread_by(journal: Journal, settings: Config) -> None:
    """Check that a run of files, to be finished or undone, wrote nothing that is read now.

    Raises:
        ConfigError: if it did: the configuration or the journal was changed since.
    """
    if journal.header["plan"]["adapter"] != "files" or journal.what != "run":
        return
    paths = [step.payload["path"] for step in journal.plan.steps if "path" in step.payload]
    for path in paths:
        check_unread(settings, {f"what run {journal.run_id} wrote": settings.directory / str(path)})


def builds_on(later: Journal, earlier: Journal) -> bool:
    """Whether a later run may have built on an earlier one of the same state folder."""
    first, second = earlier.origin, later.origin
    if not (first and second):
        return True
    config = first.get("config")  # none of Python code, whose runs have only their target in common
    if config is not None and config == second.get("config"):
        return True
    wrote = later.header["plan"]
    adapter, run = str(wrote.get("adapter")), str(wrote.get("run"))
    apart = later.what == "run" and _are_apart(earlier, adapter, run)
    return _target(first) == _target(second) and not apart


def overwrites(settings: Config, journal: Journal) -> bool:
    """Whether a run of this configuration writes to the target of an earlier run of its own."""
    origin = journal.origin
    return belongs(journal, settings) and (not origin or _same_output(origin, settings))


def shared_with(journal: Journal, settings: Config) -> bool:
    """Whether another configuration's run wrote to this configuration's own target."""
    other = journal.status in ("done", "broken") and journal.what == "run"
    origin = journal.origin
    if not other or not origin or belongs(journal, settings):
        return False
    if _are_apart(journal, settings.source.adapter, settings.write.run):
        return False
    return reaches(journal, settings) and _same_output(origin, settings)


def wrote_output(journal: Journal, settings: Config) -> bool:
    """Whether a run that still stands wrote the configuration's own ranking file."""
    if journal.status not in ("done", "broken") or journal.what != "run":
        return False
    return not journal.origin or _same_output(journal.origin, settings)


def _are_apart(journal: Journal, adapter: str, run: str) -> bool:
    """Whether a ranking and one of that name write nothing in common, even in one place."""
    wrote = journal.header["plan"]
    if journal.what != "run" or wrote.get("adapter") != adapter or wrote.get("run") == run:
        return False
    return are_runs_apart(adapter)


def are_runs_apart(adapter: str) -> bool:
    """Whether rankings of different names write nothing in common."""
    return bool(getattr(get_adapter(adapter), "runs_apart", Adapter.runs_apart))


def _target(origin: Mapping[str, Any]) -> tuple[Any, Any]:
    place = origin.get("place")
    return _named(place) if isinstance(place, Mapping) else place, origin.get("output")


def _named(place: Mapping[str, Any]) -> dict[str, Any]:
    """A place as `_place` names it; of an earlier version, whose address said http or https."""
    return {k: server_of(str(v)) if k == "url" else v for k, v in place.items()}


def _same_output(origin: Mapping[str, Any], settings: Config | Outline) -> bool:
    return bool(origin.get("output") == _output(settings).get("output"))


def _output(settings: Config | Outline) -> dict[str, str]:
    """The ranking file, where it is all that is written."""
    output = settings.write.output
    if settings.source.adapter != "files" or output is None:
        return {}
    path = str(output)
    if not is_url(output):
        path = _relative(settings.directory / output.expanduser(), settings)
    return {"output": path}


def _place(settings: Config | Outline, what: str) -> dict[str, str]:
    """The platform and project."""
    name = settings.send.adapter if what == "send" else settings.source.adapter
    target = {"adapter": name}
    for key in getattr(get_adapter(name), "target_keys", ()):
        options = settings.send if what == "send" else settings.source_options
        value = getattr(options, key, None)
        text = str(getattr(value, "name", value))
        target[key] = server_of(text) if key == "url" else text
    return target


def _relative(path: Path, settings: Located) -> str:
    real = os.path.realpath(path)
    try:
        return os.path.relpath(real, os.path.realpath(settings.state))
    except ValueError:  # on another drive
        return real
