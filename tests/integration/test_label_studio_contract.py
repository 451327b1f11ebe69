"""The Label Studio adapter keeps the contract of all adapters, on a real server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from labelnext.adapter import Adapter, open_adapter
from labelnext.testing import AdapterContract
from tests.integration.choices import CHOICES, choice_task

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)


class TestLabelStudioAdapter(AdapterContract):
    @pytest.fixture
    def adapter(self, label_studio: LabelStudio) -> Iterator[Adapter]:
        rows = (0.9, 0.6, 0.7, 0.5, 0.8, None)
        self.server = label_studio
        self.project = label_studio.create_project(
            CHOICES, [choice_task(p, name=f"item-{i}") for i, p in enumerate(rows)]
        )
        label_studio.annotate(label_studio.task_ids(self.project)[4])
        self.opened: list[Adapter] = []
        yield self.open()
        for adapter in self.opened:
            adapter.close()

    def open(self) -> Adapter:
        source = {"url": self.server.url, "api_key": self.server.token, "project": self.project}
        self.opened.append(open_adapter("label-studio", key="name", **source))
        return self.opened[-1]

    def reopened(self, adapter: Adapter) -> Adapter:
        return self.open()

    def state(self, adapter: Adapter) -> Any:
        """All of the project; a tab that is made again has another number."""
        settings, tabs, tasks, predictions = self.server.dump(self.project)
        return settings, [tab["data"] for tab in tabs], tasks, predictions

    def without_what_stays(self, state: Any) -> Any:
        settings, tabs, tasks, predictions = state
        rows = [
            {**t, "data": {k: v for k, v in t["data"].items() if (k, v) not in STAYS}}
            for t in tasks["tasks"]
        ]
        return settings, tabs, {**tasks, "tasks": rows}, predictions

    def served(self, adapter: Adapter) -> Sequence[str]:
        names = {t: f"item-{i}" for i, t in enumerate(self.server.task_ids(self.project))}
        return [names[t] for t in self.server.listing(self.project)]


STAYS = [("labelnext_priority", ""), ("labelnext_batch", "")]
