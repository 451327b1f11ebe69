"""How long does writing a ranking take, and how long does an annotator wait meanwhile?

    python -m benchmarks.label_studio_write [N_TASKS]

It starts a Label Studio of its own (SQLite), ranks a project in mode queue while one annotator
labels through another tab's stream, then marks a batch of 500 in mode batch. For comparison, tasks
are also written one by one, as PATCH of their whole data, which is what the API offers otherwise.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from tests.integration.label_studio_server import LabelStudio, running_server

from benchmarks.label_studio_project import make_project
from labelnext.adapter import open_adapter
from labelnext.journal import Journal
from labelnext.ranking import Ranking, rank

_ONE_BY_ONE = 20


class Annotator(threading.Thread):
    """Asks for the next task and submits it, over and over; notes how long each request took."""

    def __init__(self, server: LabelStudio, project: int) -> None:
        super().__init__(daemon=True)
        self.seconds: list[float] = []
        self._server, self._project = server, project
        self._stopped = threading.Event()

    def run(self) -> None:
        """Label until stopped."""
        while not self._stopped.is_set():
            # A server that is very busy drops a connection; the browser asks again.
            with suppress(httpx.TransportError):
                task = self._timed(self._server.next_of_all, self._project)
                if task is not None:
                    self._timed(self._server.annotate, task)
            self._stopped.wait(0.2)

    def stop(self) -> list[float]:
        """End after the request under way; the seconds of each."""
        self._stopped.set()
        self.join()
        return self.seconds

    def _timed(self, call: Any, *arguments: Any) -> Any:
        start = time.perf_counter()
        try:
            return call(*arguments)
        finally:
            self.seconds.append(time.perf_counter() - start)


def opened(server: LabelStudio, project: int, mode: str) -> Any:
    source = {"url": server.url, "api_key": server.token, "project": project}
    return open_adapter("label-studio", write={"mode": mode}, **source)


def written(adapter: Any, ranking: Ranking, folder: Path) -> tuple[float, int, int]:
    """Seconds, requests and writing requests of planning and writing."""
    sent: list[str] = []
    adapter.client._http.event_hooks["request"].append(lambda request: sent.append(request.method))
    start = time.perf_counter()
    plan = adapter.plan(ranking)
    adapter.apply(plan, Journal.create(folder, plan))
    seconds = time.perf_counter() - start
    return seconds, len(sent), sum(method != "GET" for method in sent)


def main(n_tasks: int) -> None:
    with (
        tempfile.TemporaryDirectory() as name,
        running_server(Path(name)) as server,
    ):
        folder = Path(name) / "state"
        project = make_project(server, n_tasks)
        annotators = server.second_user()

        alone = Annotator(annotators, project)
        alone.start()
        time.sleep(8)
        usual = alone.stop()

        adapter = opened(server, project, "queue")
        ranking = rank(adapter.read(), "mean_object_confidence", budget=500)
        busy = Annotator(annotators, project)
        busy.start()
        seconds, requests, writes = written(adapter, ranking, folder)
        meanwhile = busy.stop()
        labelled = {t["id"] for t in _annotated(server, project)}
        order = [int(i) for i in ranking.pool_order if int(i) not in labelled]
        head = server.listing(project)[:200] == order[:200]

        start = time.perf_counter()
        for task in order[:_ONE_BY_ONE]:
            whole = server.api("GET", f"/api/tasks/{task}/", resolve_uri=False)["data"]
            server.api("PATCH", f"/api/tasks/{task}/", {"data": {**whole, "other": "0.5"}})
        one_by_one = (time.perf_counter() - start) / _ONE_BY_ONE * n_tasks

        batch = opened(server, project, "batch")
        other = rank(batch.read(), "entropy", budget=500)
        batch_seconds, batch_requests, _ = written(batch, other, folder)

    print(f"{n_tasks} tasks, mode queue: {seconds:.1f} s; one by one: {one_by_one:.0f} s")
    print(f"  ratio {one_by_one / seconds:.0f}")
    per = 10_000 / n_tasks
    print(f"  {requests} requests, {writes} of them writes: {requests * per:.0f} per 10,000 tasks")
    print(f"  first 200 in exact order: {head}")
    print(f"annotator alone:      {spread(usual)}")
    print(f"annotator meanwhile:  {spread(meanwhile)}")
    print(f"batch of 500 alone: {batch_seconds:.2f} s, {batch_requests} requests")


def _annotated(server: LabelStudio, project: int) -> list[dict[str, Any]]:
    page = server.api(
        "GET",
        "/api/tasks",
        project=project,
        fields="task_only",
        include="id,total_annotations",
        page_size=100_000,
    )
    return [task for task in page["tasks"] if task["total_annotations"]]


def spread(seconds: list[float]) -> str:
    """The median and the longest of these."""
    middle, longest = np.median(seconds), max(seconds)
    return f"median {middle:.2f} s, longest {longest:.2f} s of {len(seconds)} requests"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
