"""The order of the modules: those that take longest first, so that all processes end together."""

from __future__ import annotations

import pytest

#: With pytest-xdist, the first three begin in three processes: one migrates Label Studio's database
#: for all, one FiftyOne and one PostgreSQL. Modules that aren't named follow by name.
FIRST = (
    "label_studio_contract",
    "fiftyone_contract",
    "label_studio_postgres",
    "ray",
    "label_studio_faults",
    "demo_printed",
    "label_studio_team",
    "label_studio_simulation",
    "exchange_killed",
    "ray_same_answer",
    "fiftyone_frames",
    "label_studio_modes",
    "label_studio_faults_whole",
    "fiftyone_killed",
    "demo",
    "label_studio_killed",
    "app_plugin",
    "tutorials",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {f"test_{name}.py": number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: place.get(item.path.name, len(FIRST)))
