"""Rankings written to Label Studio, and what is there afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from labelnext.journal import Journal
from labelnext.ranking import Ranking, rank
from tests.integration.choices import choice_task

if TYPE_CHECKING:
    from tests.integration.label_studio_server import LabelStudio


def write(adapter: Any, folder: Path, ranking: Ranking | None = None, **options: Any) -> Journal:
    """Write a ranking, by margin unless one is given; the journal as it lies on disk."""
    ranking = ranking or rank(adapter.read(), "margin", **options)
    plan = adapter.plan(ranking)
    journal = Journal.create(folder, plan)
    adapter.apply(plan, journal)
    return Journal(journal.path)


def tags(label_studio: LabelStudio, project: int) -> dict[int, Any]:
    """The shard of each task that has one, or had."""
    rows = {t: json.loads(d) for t, d in label_studio.stored_data(project).items()}
    return {t: d["labelnext_batch"] for t, d in rows.items() if "labelnext_batch" in d}


def writes(adapter: Any) -> list[httpx.Request]:
    """Every request of the adapter that is not a GET, as it is sent."""
    sent: list[httpx.Request] = []

    def note(request: httpx.Request) -> None:
        if request.method != "GET":
            sent.append(request)

    adapter.client._http.event_hooks["request"].append(note)
    return sent


def predict_anew(label_studio: LabelStudio, project: int, order: list[int]) -> None:
    """Predictions of a newer model, by which these tasks come in this order."""
    rows = [
        {
            "task": task,
            "model_version": "m2",
            "result": choice_task(0.6 + 0.02 * place)["predictions"][0]["result"],
        }
        for place, task in enumerate(order)
    ]
    label_studio.api("POST", f"/api/projects/{project}/import/predictions", rows)
