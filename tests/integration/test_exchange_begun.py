"""Sending a batch again while somebody labels the one before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import labelnext
from labelnext.runs.undo import undo
from tests.integration.choices import CHOICES, sure_to_unsure
from tests.integration.exchange import made, ranked, settings, tasks

if TYPE_CHECKING:  # pytest itself imports the plugins, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = (
    "tests.integration.mongod",
    "tests.integration.label_studio_server",
    "tests.integration.exchange_datasets",
)

# label-studio-sdk 2.1 exchanges a Personal Access Token by a call that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")


def test_sending_again_leaves_what_somebody_has_begun_in_its_place(
    label_studio: LabelStudio, animals: Any, tmp_path: Path
) -> None:
    config = settings(label_studio, animals, tmp_path) | {"selection": {"budget": 2}}
    labelnext.run(config)
    labelnext.send(config)
    project = made(label_studio, animals)["id"]
    first = {task["data"]["name"]: task["id"] for task in tasks(label_studio, project)}

    def priorities() -> dict[str, str]:
        rows = {t["data"]["name"]: t["data"] for t in tasks(label_studio, project)}
        return {name: data["labelnext_priority"] for name, data in rows.items()}

    assert priorities() == {"d.png": "1.0000", "b.png": "0.5000"}
    label_studio.second_user().api("POST", f"/api/tasks/{first['d.png']}/drafts", {"result": []})
    # Now c and d are the batch; d, of which somebody has a draft, would be the second.
    logits = {"a": [0.99, 0.01], "b": [0.95, 0.05], "c": [0.5, 0.5], "d": [0.55, 0.45]}
    animals.set_values("pred.logits", [np.log(logits[n]) for n in animals.values("name")])
    labelnext.run(config)
    labelnext.send(config)
    values = priorities()
    assert (values["d.png"], values["b.png"]) == ("1.0000", "")
    assert 0 < float(values["c.png"]) < 1
    undo(config)
    assert priorities() == {"d.png": "1.0000", "b.png": "0.5000"}


def test_of_tasks_that_were_there_before_skipped_ones_come_last(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(4))
    ids = label_studio.task_ids(project)
    rows = [f"{task},{p},{1 - p}" for task, p in zip(ids, (0.5, 0.625, 0.75, 0.875), strict=True)]
    (tmp_path / "pool.csv").write_text("\n".join(["item_id,good,bad", *rows]))
    config = ranked(
        tmp_path,
        source={"adapter": "files", "path": str(tmp_path / "pool.csv")},
        selection={"budget": 3},
        write={"output": str(tmp_path / "ranking.csv")},
        send={"url": label_studio.url, "api_key": label_studio.token, "project": project},
    )
    labelnext.run(config)
    skipped = {"result": [], "was_cancelled": True}
    label_studio.second_user().api("POST", f"/api/tasks/{ids[0]}/annotations/", skipped)
    sent = labelnext.send(config)
    assert label_studio.priorities(project) == {
        ids[1]: "1.0000",
        ids[2]: "0.6667",
        ids[0]: "0.3333",
    }
    assert f"Put 1 skipped task after all others: {ids[0]}." in [n.message for n in sent.notices]
