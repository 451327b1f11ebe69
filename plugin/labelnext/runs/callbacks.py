"""Calls of a platform to a `watch`: noted before they are asked for, and ended by undo."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from labelnext.adapter.protocol import Adapter
from labelnext.config.config import Config
from labelnext.errors import LabelnextError
from labelnext.journal.lock import hold
from labelnext.support.files import read_regular, real_path, write_atomically

PATH = "/webhook/"  # of an address that we asked to be called at
LISTENING = "listening"  # the lock of a `watch` that listens


def folder_of(settings: Config) -> Path:
    """Where a configuration's rounds keep their files; several may share a state folder.

    Those of one name, which lie in different folders, may share one that lies elsewhere.
    """
    name = "loop"
    if settings.path is not None:
        name, home = settings.path.name.removesuffix(".yaml"), real_path(settings.directory)
        if not real_path(settings.state).is_relative_to(home):
            name += f"-{hashlib.sha256(os.fsencode(home)).hexdigest()[:8]}"
    return settings.state / "loop" / name


def ask_for_calls(
    settings: Config, adapter: Adapter, address: str, headers: Mapping[str, str]
) -> bool:
    """Let the platform call a listener from now on; False if it can't.

    The address is noted first, so that it can be taken back if this process dies.

    Raises:
        LabelnextError: if the platform refuses, or does not answer.
    """
    _forget(settings, adapter)
    _note(settings, [address])
    return adapter.call_back(address, headers)


def end_calls(settings: Config, adapter: Adapter) -> None:
    """End the calls of a `watch` that runs no more; nothing while one listens."""
    if not _noted(settings):
        return
    with suppress(LabelnextError), hold(folder_of(settings) / LISTENING, "undo", "in use by"):
        _forget(settings, adapter)


def forget_calls(settings: Config, adapter: Adapter) -> None:
    """End the calls of this process; what a platform that is away keeps is ended the next time."""
    with suppress(LabelnextError):
        _forget(settings, adapter)


def _forget(settings: Config, adapter: Adapter) -> None:
    for address in _noted(settings):
        adapter.no_call_back(address)
    if _noted(settings):
        _note(settings, [])


def _file(settings: Config) -> Path:
    return folder_of(settings) / "callbacks.json"


def _noted(settings: Config) -> list[str]:
    try:
        noted = json.loads(read_regular(_file(settings)))
    except (OSError, ValueError, RecursionError):
        return []
    known = noted if isinstance(noted, list) else []
    return [address for address in known if isinstance(address, str) and PATH in address]


def _note(settings: Config, addresses: list[str]) -> None:
    text = json.dumps(addresses).encode()
    write_atomically(_file(settings), lambda file: file.write(text), private=True)
