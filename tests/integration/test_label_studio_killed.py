"""A run, an undo or a resume on Label Studio that dies or finds the disk full can be settled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import labelnext
from tests.fuzz.campaign import Campaign
from tests.integration.choices import CHOICES, sure_to_unsure
from tests.integration.dying import ACTIONS, Mortal
from tests.integration.faulty_runs import settings, state

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)

_CLOCK = ("updated_at", "updated_by")  # a task that got its data back was updated


@pytest.mark.parametrize("mode", ["queue", "batch", "uncertainty"])
def test_a_death_at_any_write_is_settled_by_the_next(
    label_studio: LabelStudio,
    tmp_path: Path,
    campaign: Campaign,
    mode: str,
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    made = settings(label_studio.url, label_studio.token, project, tmp_path / "state", mode)
    made["write"]["prelabels"] = mode == "batch"
    config = tmp_path / "labelnext.yaml"
    config.write_text(yaml.safe_dump({**made, "selection": {"budget": 2}}), "utf-8")

    def dump() -> Any:
        found = label_studio.dump(project)
        for task in found[2]["tasks"]:
            for name in _CLOCK:
                task.pop(name, None)
        return found

    def content() -> Any:
        return state(label_studio, project)

    mortal = Mortal(config, labelnext.run, dump, content)
    assert mortal.writes["run"].count("server") > 1
    campaign.each([*mortal.points(ACTIONS), *mortal.full_disks()], 5, mortal.trial)
