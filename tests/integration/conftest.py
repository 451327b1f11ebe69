"""The order of the modules: those that take longest first, so that all processes end together."""

from __future__ import annotations

import pytest

#: With pytest-xdist, the first three begin in three processes: one migrates Label Studio's database
#: for all, one FiftyOne and one PostgreSQL. Modules that aren't named follow by name.
FIRST = (
    "label_studio_contract",
    "fiftyone_contract",
    "label_studio_postgres",
    "label_studio_killed",
    "label_studio_faults",
    "label_studio_faults_whole",
    "exchange_killed",
    "demo_printed",
    "demo_served",
    "ray",
    "tutorials",
    "label_studio_team",
    "label_studio_two_machines",
    "fiftyone_killed",
    "tutorial_texts",
    "label_studio_simulation",
    "demo",
    "label_studio_modes",
    "fiftyone_frames",
    "app_plugin",
    "ray_same_answer",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {f"test_{name}.py": number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: place.get(item.path.name, len(FIRST)))
