"""The values of our data keys as a run left them, kept in the state folder.

To list the tasks for them takes the server a second for each 2,000, and people wait meanwhile. They
count as long as only that run has written them: see `own_writes`. Tasks that were changed since are
read.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from labelnext.adapter.protocol import Context
from labelnext.errors import LabelnextError
from labelnext.journal.journal import Journal
from labelnext.support.files import write_atomically
from labelnext_adapters.label_studio.read.kept import kept_path
from labelnext_adapters.label_studio.read.own_writes import (
    Stamps,
    Written,
    is_alone,
    stamps_of,
)
from labelnext_adapters.label_studio.server.changes import changed_after, read_until
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.pages import count_tasks, task_pages
from labelnext_adapters.label_studio.server.tasks import Tasks
from labelnext_adapters.label_studio.write.data_keys import Values, targets_of

_FOLDER, _ENDING = "data_keys", ".json"
_FEW = 0.1  # of the tasks; to read more than that by themselves takes as long as all
_BROKEN = (OSError, ValueError, KeyError, msgspec.MsgspecError, LabelnextError)


class _Kept(msgspec.Struct):
    """A file.

    Attributes:
        journal: of the run that followed, within the state folder.
        since: what the server dates later may be otherwise now.
        stamps: as they were before the values were read.
        ids: of the tasks that were there.
        marked: the data keys whose values are of all tasks.
        values: before the run.
    """

    journal: str
    since: datetime
    stamps: Stamps
    ids: list[int]
    marked: list[str]
    values: Values


@dataclass
class KeptValues:
    """What is kept of a project.

    Args:
        client: the server.
        project: its number.
        context: with the state folder.
    """

    client: Client
    project: int
    context: Context

    def __post_init__(self) -> None:
        self._since: datetime | None = None
        self._stamps: Stamps = {}

    def recall(self, tasks: Tasks, names: Iterable[str]) -> None:
        """Fill in the values that are known; the others stay to be read.

        Args:
            tasks: as they are now.
            names: the data keys of ours that are asked for.
        """
        path, wanted = self._path, {*names} - tasks.marked
        if path is None or not wanted:
            return
        self._since = read_until(self.client, self.project)
        self._stamps = stamps_of(self.client, self.project)
        with suppress(*_BROKEN):
            kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
            if not (wanted <= {*kept.marked} and {*kept.ids} <= {*tasks.ids}):
                return
            known = Tasks(kept.ids)
            known.values |= {name: kept.values[name] for name in kept.marked}
            run = Written(Journal(path.parent.parent / kept.journal), targets_of)
            if is_alone(kept.stamps, self._stamps, run, known) and self._read(known, kept.since):
                tasks.values |= {name: known.values[name] for name in wanted}
                tasks.marked |= wanted

    def keep(self, tasks: Tasks, journal: Journal) -> None:
        """Keep what the tasks had before a run; what the disk refuses is no error.

        Args:
            tasks: with the values that `recall` or the server told.
            journal: of the run that writes now.
        """
        path = self._path
        if path is None or self._since is None:
            return
        with suppress(*_BROKEN):
            name = str(journal.path.relative_to(path.parent.parent))
            values = {key: tasks.values[key] for key in sorted(tasks.marked)}
            kept = _Kept(name, self._since, self._stamps, tasks.ids, [*values], values)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            content = msgspec.json.encode(kept)
            write_atomically(path, lambda file: file.write(content), private=True)

    @property
    def _path(self) -> Path | None:
        return kept_path(self.client, self.project, self.context, _FOLDER, _ENDING)

    def _read(self, known: Tasks, since: datetime) -> bool:
        """Bring the values of changed tasks up to date; whether these were few."""
        after = (changed_after(since),)
        if count_tasks(self.client, self.project, after) > _FEW * len(known.ids):
            return False
        options: dict[str, Any] = {"filters": after, "context": self.context}
        for page in task_pages(self.client, self.project, "id,data", **options):
            for task in page:
                for values in known.values.values():
                    values.pop(task.id, None)
                known.mark(task)
        return True


__all__ = ["KeptValues"]
