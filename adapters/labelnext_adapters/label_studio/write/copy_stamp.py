"""Which run people are served by in mode uncertainty, left where other machines can see it.

There is no tab to carry the id of a run, as in the other modes. One copy carries it: in `neighbors`
of a prediction, which Label Studio keeps and neither uses nor shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import msgspec

from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput, NotFound
from labelnext.journal.journal import Journal
from labelnext_adapters.label_studio.read.read import stored_predictions
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.project import get_project, is_copy
from labelnext_adapters.label_studio.server.tasks import Prediction

_KEY = "labelnext"


def run_of(copy: Prediction) -> str | None:
    """The id of the run that a copy carries."""
    said = msgspec.json.decode(copy.neighbors)
    return str(said[_KEY]) if isinstance(said, dict) and _KEY in said else None


def place_of(copies: Iterable[Prediction]) -> int | None:
    """The task whose copy carries the newest id of a run; None if none does."""
    runs = {run: copy.task for copy in copies if (run := run_of(copy)) is not None}
    return runs[max(runs)] if runs else None


def stamped(client: Client, project: int, place: int, version: str) -> Prediction | None:
    """The copy of a task; None without one, also where the task is gone."""
    with suppress(InvalidInput):  # as the server calls a task that is gone
        rows = client.rows("api/predictions/", Prediction, project=project, task=place)
        return next((row for row in rows if row.model_version == version), None)
    return None


def put_stamp(client: Client, copy: Prediction | None, run: str | None) -> None:
    """Let a copy carry the id of a run; none if None."""
    if copy is not None and run_of(copy) != run:
        carried: Any = None if run is None else {_KEY: run}
        with suppress(NotFound):  # somebody was faster
            client.send("PATCH", f"api/predictions/{copy.id}/", {"neighbors": carried})


def newest_run(client: Client, context: Context, project: int, version: str) -> str | None:
    """The newest run that copies of a model version carry; None if they carry none."""
    if not is_copy(version):
        return None
    rows = stored_predictions(client, project, context, numbered=False)
    copies = (row for row in rows if row.model_version == version)
    return max(filter(None, map(run_of, copies)), default=None)


def later_run(client: Client, context: Context, journal: Journal) -> str | None:
    """The run that people are served by since the journal's, by the same copies.

    Args:
        client: the server.
        context: with the state folder.
        journal: of the run that is undone.

    Returns:
        Its id; None if there is none.
    """
    for step in journal.plan.steps:
        if step.kind == "sampling" and "place" in step.payload:
            project, version = step.payload["project"], step.payload["version"]
            copy = stamped(client, project, step.payload["place"], version)
            if copy is not None:
                run = run_of(copy)
            else:  # a later run may have removed it, and chosen another
                run = newest_run(client, context, project, version)
            return run if run is not None and run > journal.run_id else None
    return None


def is_replaced(client: Client, context: Context, journal: Journal) -> bool:
    """Whether people are served by other copies than the journal's, of a later run."""
    for step in journal.plan.steps:
        if step.kind == "sampling" and "place" in step.payload:
            project = step.payload["project"]
            version = get_project(client, project).get("model_version")
            if version and version != step.payload["version"]:
                return (newest_run(client, context, project, version) or "") > journal.run_id
    return False
