"""How long do three people wait while a project is ranked, ranked again, and the runs are undone?

    python -m benchmarks.label_studio_people [N_TASKS] [MODE] [postgres]

It starts a Label Studio of its own, on SQLite or on a PostgreSQL of its own, with five boxes on
each task. Three people label by "Label All Tasks", with a second between two requests; one of them
saves a draft before. Printed are the seconds of each run, and the longest waits; a request that
fails ends the benchmark.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from tests.integration.label_studio_server import LabelStudio, running_server
from tests.integration.postgres import running_postgres

from benchmarks.label_studio_project import make_project
from benchmarks.label_studio_rounds import settings
from labelnext import run
from labelnext.runs.undo import undo

_THINK, _ALONE, _LABELS = 1.0, 12.0, 20  # seconds, seconds, and labels before the third run


class Person(threading.Thread):
    """Labels until stopped; notes how long each request took."""

    def __init__(self, server: LabelStudio, project: int, *, drafts: bool) -> None:
        super().__init__(daemon=True)
        self.waits: list[tuple[str, float]] = []
        self.unserved = 0
        self.failed: BaseException | None = None
        self.halt = threading.Event()
        self._server, self._project, self._drafts = server, project, drafts

    def run(self) -> None:
        """Ask for a task, think, submit."""
        try:
            while not self.halt.is_set():
                task = self._timed("next", self._server.next_of_all, self._project)
                self.halt.wait(_THINK)
                if task is None:  # the last copies are on other people's screens
                    self.unserved += 1
                    continue
                if self._drafts:
                    body = {"result": [], "lead_time": 1.0}
                    path = f"/api/tasks/{task}/drafts"
                    self._timed("draft", self._server.api, "POST", path, body)
                    self.halt.wait(_THINK)
                self._timed("submit", self._server.annotate, task)
        except BaseException as error:  # told at the end
            self.failed = error

    def _timed(self, what: str, call: Callable[..., Any], *arguments: Any) -> Any:
        start = time.perf_counter()
        done = call(*arguments)
        self.waits.append((what, time.perf_counter() - start))
        return done


def meanwhile(what: str, users: list[LabelStudio], project: int, call: Callable[[], Any]) -> None:
    """Do something while people label, and print how long they waited."""
    people = [Person(user, project, drafts=not n) for n, user in enumerate(users)]
    for person in people:
        person.start()
    start = time.perf_counter()
    report = call()
    seconds = time.perf_counter() - start
    for person in people:
        person.halt.set()
    for person in people:
        person.join()
        if person.failed is not None:
            raise person.failed
    stages = getattr(report, "seconds", {})
    parts = ", ".join(f"{name} {value:.1f}" for name, value in stages.items())
    print(f"{what}: {seconds:.1f} s ({parts}), load {os.getloadavg()[0]:.1f}")
    for kind in ("next", "submit", "draft"):
        waits = [wait for person in people for name, wait in person.waits if name == kind]
        if waits:
            middle, longest = np.median(waits), max(waits)
            print(f"  {kind}: {len(waits)}, median {middle:.2f} s, longest {longest:.2f} s")
    if unserved := sum(person.unserved for person in people):
        print(f"  {unserved} times, somebody was served nothing")
    sys.stdout.flush()


def main(n_tasks: int, mode: str, *, postgres: bool) -> None:
    """Print the figures of one server."""
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory())
        database = stack.enter_context(running_postgres()) if postgres else None
        server = stack.enter_context(running_server(Path(name), database))
        project = make_project(server, n_tasks)
        time.sleep(60)  # what is that new is read again by a run
        config = {**settings(server, project, Path(name) / "state"), "write": {"mode": mode}}
        users = [server.second_user() for _ in range(3)]
        meanwhile("people alone", users, project, lambda: time.sleep(_ALONE))
        meanwhile("first run", users, project, lambda: run(config))
        for _ in range(_LABELS):
            server.annotate(server.next_of_all(project) or 0)
        start = time.perf_counter()
        report = run(config)
        parts = ", ".join(f"{part} {value:.1f}" for part, value in report.seconds.items())
        print(f"after {_LABELS} labels, alone: {time.perf_counter() - start:.1f} s ({parts})")
        meanwhile("run again", users, project, lambda: run(config))
        meanwhile("undo of that", users, project, lambda: undo(config))
        meanwhile("undo of the one before", users, project, lambda: undo(config))
        meanwhile("undo of the first", users, project, lambda: undo(config))


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    words = [word for word in sys.argv[1:] if not word.isdigit()]
    modes = [word for word in words if word != "postgres"] or ["uncertainty"]
    main((numbers or [20_000])[0], modes[0], postgres="postgres" in words)
