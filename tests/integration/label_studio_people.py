"""People who label through the requests that the browser makes, each in a thread of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.integration.label_studio_server import LabelStudio

LABEL = {"result": [], "lead_time": 1.0}
_WAIT = 0.2  # seconds between two looks of somebody who is served nothing


@dataclass
class Person:
    """Somebody with a tab of their own.

    Attributes:
        server: with their token.
        project: number of the project.
        tab: title of their tab; whatever Label All Tasks serves when None.
        habit: what they do with a task instead of submitting it: returns whether they did.
        think: seconds for a task.
        served: the tasks in the order in which they were on the screen.
        submitted: those that they annotated.
        faults: answers that nobody should get.
        slowest: seconds that they waited at most.
    """

    server: LabelStudio
    project: int
    tab: str | None
    habit: Callable[[Person, int], bool] = lambda person, task: False
    think: float = 0.0
    served: list[int] = field(default_factory=list)
    submitted: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def label(self, stop: threading.Event) -> None:
        """Take the next task, and the next, until told to stop."""
        while not stop.is_set():
            try:
                task = self._timed(self._next)
                if task is None:
                    stop.wait(_WAIT)
                    continue
                self.served.append(task)
                stop.wait(self.think)
                if not self.habit(self, task):
                    self._timed(lambda task=task: self.server.annotate(task))
                    self.submitted.append(task)
            except (AssertionError, ValueError) as error:
                self.faults.append(str(error)[:300])

    def skip(self, task: int) -> None:
        """Press Skip."""
        body = {"result": [], "was_cancelled": True}
        self.server.api("POST", f"/api/tasks/{task}/annotations/", body)

    def draft(self, task: int, *, postponed: bool = False) -> None:
        """Save a draft, as the browser does; postponed, by the arrow to the next task."""
        body = {"result": [], "lead_time": 1.0, "was_postponed": postponed}
        self.server.api("POST", f"/api/tasks/{task}/drafts", body)

    def _next(self) -> int | None:
        if self.tab is None:
            return self.server.next_of_all(self.project)
        if all(tab["data"]["title"] != self.tab for tab in self.server.tabs(self.project)):
            return None  # a run is under way, or was undone
        return self.server.next_task(self.project, self.tab)

    def _timed(self, ask: Callable[[], Any]) -> Any:
        start = time.monotonic()
        try:
            return ask()
        finally:
            self.slowest = max(self.slowest, time.monotonic() - start)


__all__ = ["LABEL", "Person"]
