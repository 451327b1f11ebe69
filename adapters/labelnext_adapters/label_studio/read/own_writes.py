"""Whether the data keys of ours have only been written by a run of which we have the journal.

The server dates no change of a data key, but a run that writes them leaves its id in a tab.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from labelnext.errors import LabelnextError
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Step
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.tab import is_ours, list_tabs, stamp_of
from labelnext_adapters.label_studio.server.tasks import Tasks

Stamps = dict[int, str | None]
"""Of each tab of ours, the run that wrote it."""


@dataclass(frozen=True)
class Written:
    """What a run wrote.

    Attributes:
        journal: of the run.
        targets: the values that a step sets, by data key and task.
    """

    journal: Journal
    targets: Callable[[Step], Mapping[str, Mapping[int, Any]]]


def stamps_of(client: Client, project: int) -> Stamps:
    """The stamps of a project's tabs."""
    tabs = list_tabs(client, project)
    return {view["id"]: stamp_of(view["data"]) for view in tabs if is_ours(view["data"])}


def is_alone(before: Stamps, now: Stamps, written: Written | None, tasks: Tasks) -> bool:
    """Whether nobody else has written our data keys; takes what our own run has written.

    Args:
        before: the stamps before the tasks were read.
        now: those that are there.
        written: what our run wrote since; None if none did.
        tasks: as they were read; their values are brought up to date.
    """
    ours, gone = None, set[int]()
    if written is not None:
        try:  # another process may have taken the run back
            journal = Journal(written.journal.path)
            if journal.status != "done" or not _take_writes(journal, written, before, tasks):
                return False
        except LabelnextError:
            return False
        ours = journal.run_id
        gone = {s.payload["view"] for s in journal.plan.steps if s.kind == "old tab"}
    left = all(view in now for view in before if view not in gone)
    return left and all(run == ours or before.get(view, "") == run for view, run in now.items())


def _take_writes(journal: Journal, written: Written, before: Stamps, tasks: Tasks) -> bool:
    """Take the values that a run has written; whether nobody wrote between reading and writing."""
    there = {*tasks.ids}
    for number, step in enumerate(journal.plan.steps):
        if step.kind == "fields":
            for name, targets in written.targets(step).items():
                values = tasks.values[name]
                values.update({t: value for t, value in targets.items() if t in there})
        elif step.kind == "tab":
            tab = journal.befores[number]["tab"]
            if tab is not None and before.get(tab["id"], "") != stamp_of(tab["data"]):
                return False
    return True


__all__ = ["Stamps", "Written", "is_alone", "stamps_of"]
