"""Runs on the same target whose journals are in other state folders, such as the App's."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from labelnext.adapter.protocol import Adapter
from labelnext.adapter.registry import get_adapter
from labelnext.errors import LabelnextError
from labelnext.journal.journal import Journal, Status, read_journals
from labelnext.runs.belonging import belongs, reaches
from labelnext.support.files import real_path

if TYPE_CHECKING:
    from labelnext.config.config import Config
    from labelnext.config.outline import Outline

_log = logging.getLogger("labelnext")


def with_states(settings: Config, adapter: Adapter | None = None) -> list[Config]:
    """The configuration, and copies with each further state folder of its target.

    Args:
        settings: the configuration.
        adapter: an open adapter of its source, if there is one.
    """
    if not _knows_states(settings.source.adapter):
        return [settings]
    from labelnext.config.opened import opened

    try:
        with opened(settings, adapter, None) as platform:
            folders = platform.states()
    except LabelnextError as error:
        _log.warning("runs in other state folders aren't known: %s", error.message)
        return [settings]
    own_state = real_path(settings.state)
    others = [
        folder
        for folder in dict.fromkeys(real_path(folder) for folder in folders)
        if folder != own_state and folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)
    ]
    rests = [settings.rest.model_copy(update={"state": folder}) for folder in others]
    return [settings, *(replace(settings, rest=rest) for rest in rests)]


def holding(
    settings: Config, run_id: str | None, statuses: Sequence[Status], adapter: Adapter | None
) -> Config:
    """The copy whose state folder holds a run: the named one, else the newest with that status.

    Args:
        settings: the configuration; returned itself where there is no such run.
        run_id: of the run.
        statuses: that the newest run must have.
        adapter: as for `with_states`.
    """
    newest, best = "", settings
    for one in with_states(settings, adapter):
        for journal in read_journals(one.state)[0]:
            if run_id is not None:
                wanted = journal.run_id == run_id and (one is settings or reaches(journal, one))
            else:
                wanted = journal.status in statuses and belongs(journal, one)
            if wanted and journal.run_id > newest:
                newest, best = journal.run_id, one
    return best


def everywhere(settings: Config | Outline) -> list[Journal]:
    """The configuration's own runs in further state folders of its target, oldest first."""
    if not _knows_states(settings.source.adapter):
        return []
    from labelnext.config.config import Config, config_of

    whole = settings if isinstance(settings, Config) else config_of(settings)
    others = with_states(whole)[1:]
    return sorted(
        (j for one in others for j in read_journals(one.state)[0] if belongs(j, one)),
        key=lambda journal: journal.run_id,
    )


def _knows_states(name: str) -> bool:
    """Whether an adapter may know further state folders."""
    return getattr(get_adapter(name), "states", Adapter.states) is not Adapter.states
