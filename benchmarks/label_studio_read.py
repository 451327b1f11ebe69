"""How long does reading a project take, against the SDK and against the bare transfer?

    python -m benchmarks.label_studio_read [N_TASKS]

It starts a Label Studio of its own (SQLite) with five boxes on each task, and reads all of them
three ways: the SDK's listing; the requests that labelnext makes, transferred and decoded as JSON
and nothing else; and labelnext, which ends with a pool. It does so twice: with Label Studio's own
ids, and with a data key as the id, for which every task must be listed. Memory is of a process of
its own. On a busy machine, compare the seconds of processor time, which are given for both sides.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.integration.label_studio_server import LabelStudio, running_server

from benchmarks.label_studio_project import make_project

_MEMORY = r"""
import re, sys, time
from pathlib import Path
from labelnext.adapter import open_adapter

def peak():  # of this process alone; what getrusage says begins with its parent's
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])

url, token, project, key = sys.argv[1:]
source = {"url": url, "api_key": token, "project": int(project), "key": key or None}
adapter = open_adapter("label-studio", **source)
adapter.client
before = peak()
start, busy = time.perf_counter(), time.process_time()
pool = adapter.read()
seconds, busy = time.perf_counter() - start, time.process_time() - busy
after = peak()
print(seconds, busy, (after - before) / 1024, len(pool), pool.objects.counts.sum())
"""


def busy_server() -> float:
    """Seconds of processor time that the server, our only child, has taken so far."""
    import psutil

    times = [child.cpu_times() for child in psutil.Process().children()]
    return float(sum(spent.user + spent.system for spent in times))


def with_sdk(server: LabelStudio, project: int) -> float:
    """Seconds of the SDK's own listing."""
    from label_studio_sdk import LabelStudio as Client  # the contender

    assert server.process is not None
    client = Client(base_url=server.url, api_key=server.token, timeout=600)
    start, own, busy = time.perf_counter(), time.process_time(), busy_server()
    boxes = sum(
        len(prediction.result)
        for task in client.tasks.list(project=project, fields="all", page_size=1000)
        for prediction in task.predictions or ()
    )
    seconds = time.perf_counter() - start
    print(f"  the SDK saw {boxes} boxes")
    own, busy = time.process_time() - own, busy_server() - busy
    print(f"  processor time: {own:.1f} s of its own, {busy:.1f} s of the server")
    return seconds


def bare(server: LabelStudio, project: int, key: str | None) -> float:
    """Seconds of the same requests as labelnext's, transferred and decoded, no more."""
    import msgspec

    from labelnext.adapter import open_adapter

    source = {"url": server.url, "api_key": server.token, "project": project}
    adapter = open_adapter("label-studio", key=key, **source)
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
    seconds = time.perf_counter() - start
    print(f"  {len(bodies)} requests, {seconds:.1f} s for transfer and decoding alone")
    return seconds


def ours(server: LabelStudio, project: int, key: str | None) -> tuple[float, float]:
    """Seconds, and MiB above the interpreter with everything imported."""
    arguments = [server.url, server.token, str(project), key or ""]
    command = [sys.executable, "-c", _MEMORY, *arguments]
    assert server.process is not None
    busy = busy_server()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    busy = busy_server() - busy
    seconds, own, memory, tasks, boxes = done.stdout.split()
    print(f"  labelnext saw {boxes} boxes of {tasks} tasks in {float(seconds):.1f} s")
    print(f"  processor time: {float(own):.1f} s of its own, {busy:.1f} s of the server")
    return float(seconds), float(memory)


def main(n_tasks: int) -> None:
    with tempfile.TemporaryDirectory() as name, running_server(Path(name)) as server:
        project = make_project(server, n_tasks)
        keys = {"Label Studio's ids": None, "a data key": "name"}
        rows = {
            what: (*ours(server, project, key), bare(server, project, key))
            for what, key in keys.items()
        }
        sdk = with_sdk(server, project)
    print(f"the SDK takes {sdk:.1f} s")
    for what, (own, memory, transfer) in rows.items():
        print(f"with {what} labelnext takes {own:.1f} s:")
        print(f"  the SDK takes {sdk / own:.1f} times as long")
        print(f"  {own / transfer:.2f} times as long as the bare transfer and decoding")
        print(f"  {memory:.0f} MiB above the interpreter")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
