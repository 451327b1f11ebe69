"""How long does reading a project take, against the SDK and against the bare transfer?

    python -m benchmarks.label_studio_read [N_TASKS]

It starts a Label Studio of its own (SQLite) with five boxes on each task, and reads all of them
three ways: the SDK's listing; the two endpoints that labelnext asks, transferred and decoded as
JSON and nothing else; and labelnext, which ends with a pool. Memory is of a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.integration.label_studio_server import LabelStudio, running_server

from benchmarks.label_studio_project import make_project

_MEMORY = """
import resource, sys, time
from labelnext.adapter import open_adapter
url, key, project = sys.argv[1:]
adapter = open_adapter("label-studio", url=url, api_key=key, project=int(project))
adapter.client
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
pool = adapter.read()
seconds = time.perf_counter() - start
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(seconds, (after - before) / 1024, len(pool), pool.objects.counts.sum())
"""


def with_sdk(server: LabelStudio, project: int) -> float:
    """Seconds of the SDK's own listing."""
    from label_studio_sdk import LabelStudio as Client  # the contender

    client = Client(base_url=server.url, api_key=server.token, timeout=600)
    start = time.perf_counter()
    boxes = sum(
        len(prediction.result)
        for task in client.tasks.list(project=project, fields="all", page_size=1000)
        for prediction in task.predictions or ()
    )
    seconds = time.perf_counter() - start
    print(f"  the SDK saw {boxes} boxes")
    return seconds


def bare(server: LabelStudio, project: int) -> float:
    """Seconds of the same requests as labelnext's, transferred and decoded, no more."""
    import msgspec

    from labelnext.adapter import open_adapter

    adapter = open_adapter("label-studio", url=server.url, api_key=server.token, project=project)
    bodies: list[tuple[str, dict[str, str]]] = []
    adapter.client._http.event_hooks["request"].append(  # type: ignore[attr-defined]
        lambda request: bodies.append((request.url.path, dict(request.url.params)))
    )
    adapter.read()
    adapter.close()
    start = time.perf_counter()
    for path, parameters in bodies:
        answer = server._http.get(path, params=parameters, timeout=600)
        msgspec.json.decode(answer.content)
    return time.perf_counter() - start


def ours(server: LabelStudio, project: int) -> tuple[float, float]:
    """Seconds, and MiB above the interpreter with everything imported."""
    command = [sys.executable, "-c", _MEMORY, server.url, server.token, str(project)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, memory, tasks, boxes = done.stdout.split()
    print(f"  labelnext saw {boxes} boxes of {tasks} tasks")
    return float(seconds), float(memory)


def main(n_tasks: int) -> None:
    with tempfile.TemporaryDirectory() as name, running_server(Path(name)) as server:
        project = make_project(server, n_tasks)
        own, memory = ours(server, project)
        transfer = bare(server, project)
        sdk = with_sdk(server, project)
    print(json.dumps({"sdk": sdk, "bare": transfer, "labelnext": own}, indent=2))
    print(f"the SDK takes {sdk / own:.1f} times as long as labelnext")
    print(f"labelnext takes {own / transfer:.2f} times as long as the bare transfer and decoding")
    print(f"labelnext takes {memory:.0f} MiB above the interpreter")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
