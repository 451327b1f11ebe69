"""How long does a round take: the first ranking, one after 20 labels, and `watch`?

    python -m benchmarks.label_studio_rounds [N_TASKS]

It starts a Label Studio of its own (SQLite) with five boxes on each task, ranks it while one
annotator labels through another tab's stream, labels the first 20 tasks and ranks again with the
same predictions. Then `watch` waits for 20 more labels; the time from the last of them to the new
order is told, with the requests of that round. The SDK's listing of the same project comes last,
for comparison; the memory is of a process of its own.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration.label_studio_server import LabelStudio, running_server

from benchmarks.label_studio_project import make_project
from benchmarks.label_studio_read import with_sdk
from benchmarks.label_studio_write import Annotator, spread
from labelnext import run
from labelnext.adapter import open_adapter
from labelnext.runs.watch import watch

LABELS = 20
_MEMORY = r"""
import json, re, sys, time
from pathlib import Path
import labelnext_adapters.label_studio.server.client
import labelnext_adapters.label_studio.write.plan
from labelnext import run

def peak():  # of this process alone; what getrusage says begins with its parent's
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])

config = json.loads(sys.argv[1])
before = peak()
run(config)
print((peak() - before) / 1024)
"""


def settings(server: LabelStudio, project: int, folder: Path) -> dict[str, Any]:
    """A configuration as somebody would write it."""
    source = {"adapter": "label-studio", "url": server.url, "api_key": server.token}
    return {
        "source": {**source, "project": project},
        "acquisition": {"name": "mean_object_confidence"},
        "selection": {"budget": 100},
        "state": str(folder),
        "report": {"path": None},
    }


@contextmanager
def counted(config: dict[str, Any]) -> Iterator[tuple[Any, list[str]]]:
    """An adapter, and the method of each request that it makes."""
    source = {name: value for name, value in config["source"].items() if name != "adapter"}
    state = Path(config["state"])
    state.mkdir(exist_ok=True)
    adapter = open_adapter("label-studio", state=state, **source)
    sent: list[str] = []
    adapter.client._http.event_hooks["request"].append(  # type: ignore[attr-defined]
        lambda request: sent.append(request.method)
    )
    try:
        yield adapter, sent
    finally:
        adapter.close()


def first_of(server: LabelStudio, project: int, n: int) -> list[int]:
    """The first tasks of the tab."""
    view = server.tab(project)["id"]
    slim = {"fields": "task_only", "include": "id", "page_size": n}
    page = server.api("GET", "/api/tasks", view=view, project=project, **slim)
    return [task["id"] for task in page["tasks"]]


def one_round(what: str, server: LabelStudio, project: int, config: dict[str, Any]) -> None:
    """Rank and write; print how long each part took and what it changed."""
    before = server.priorities(project)
    with counted(config) as (adapter, sent):
        start = time.perf_counter()
        report = run(config, adapter=adapter)
        seconds = time.perf_counter() - start
    after = server.priorities(project)
    changed = sum(before.get(task) != value for task, value in after.items())
    stages = ", ".join(f"{name} {value:.1f} s" for name, value in report.seconds.items())
    writes = sum(method != "GET" for method in sent)
    print(f"{what}: {seconds:.1f} s ({stages})")
    print(f"  {len(sent)} requests, {writes} of them writes; {changed} priorities changed")
    assert report.ranking is not None
    place = {int(item): rank for rank, item in enumerate(report.ranking.pool_order)}
    shown = [place[task] for task in first_of(server, project, 200)]
    print(f"  the first {len(shown)} in exact order: {shown == sorted(shown)}")


@contextmanager
def watching(config: dict[str, Any]) -> Iterator[threading.Event]:
    """`watch` at work after its first ranking; the event is set by each ranking that follows."""
    stop, ranked = threading.Event(), threading.Event()
    runs: list[int] = []

    def tell(health: Any) -> None:
        if runs and health.runs > runs[-1]:
            ranked.set()
        runs.append(health.runs)

    options = {"labels": LABELS, "poll": 1.0, "stop": stop, "tell": tell}
    thread = threading.Thread(target=watch, args=(config,), kwargs=options, daemon=True)
    thread.start()
    while not runs or not runs[-1]:
        time.sleep(0.2)
    ranked.clear()
    yield ranked
    stop.set()
    thread.join()


def watched(server: LabelStudio, project: int, config: dict[str, Any]) -> tuple[float, int]:
    """Seconds from the last of 20 labels to the order that `watch` makes of them, and requests."""
    with watching(config) as ranked:
        for task in first_of(server, project, LABELS):
            server.annotate(task)
        before, start = _answers(server), time.perf_counter()
        ranked.wait(600)
        return time.perf_counter() - start, _answers(server) - before


def _answers(server: LabelStudio) -> int:
    """How many requests the server has logged."""
    lines = re.findall(rb'"(?:GET|POST|PATCH|DELETE) \S+ HTTP', server.log.read_bytes())
    return len(lines) // 2  # each is logged twice


def main(n_tasks: int) -> None:
    """Print the figures of one server."""
    with tempfile.TemporaryDirectory() as name, running_server(Path(name)) as server:
        project = make_project(server, n_tasks)
        config = settings(server, project, Path(name) / "state")
        people = server.second_user()
        time.sleep(30)  # what was made within the last half minute counts as under way
        alone = Annotator(people, project)
        alone.start()
        time.sleep(8)
        usual = alone.stop()
        busy = Annotator(people, project)
        busy.start()
        one_round("first ranking", server, project, config)
        print(f"  annotator alone:     {spread(usual)}")
        print(f"  annotator meanwhile: {spread(busy.stop())}")
        for task in first_of(server, project, LABELS):
            server.annotate(task)
        one_round("after 20 labels", server, project, config)
        command = [sys.executable, "-c", _MEMORY, json.dumps(config)]
        memory = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        print(f"a run takes {memory:.0f} MiB above the interpreter")
        seconds, requests = watched(server, project, config)
        print(f"watch: {seconds:.1f} s and {requests} requests from the 20th label to the order")
        for key in (None, "name"):
            source = {**config["source"], "key": key}
            source.pop("adapter")
            adapter = open_adapter("label-studio", **source)
            start = time.perf_counter()
            adapter.read()
            print(f"reading, key {key}: {time.perf_counter() - start:.1f} s")
            adapter.close()
        print(f"the SDK's listing: {with_sdk(server, project):.1f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
