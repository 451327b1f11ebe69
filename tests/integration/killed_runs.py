"""Runs on FiftyOne that die by SIGKILL at their n-th write; and all that a run or sending touches.

    python -m tests.integration.killed_runs CONFIG [run|send] [EVERY]

Each part is a fork of a process that has imported FiftyOne but not connected, so it is a process of
its own that starts in no time. Prints one line of JSON for each death, and one at the end. EVERY
leaves writes out, where there are many.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import httpx
from fiftyone.core.odm import get_db_conn
from pymongo import monitoring

import labelnext
from labelnext.config import Config, load_config
from labelnext.runs.undo import resume, runs, undo

WRITES = {"insert", "update", "delete", "findAndModify", "createIndexes", "dropIndexes", "create"}


class Killer(monitoring.CommandListener):
    """Kills its own process just before, or just after, the n-th write to the database."""

    def __init__(self, n: int, moment: str) -> None:
        self.left = n
        self.moment = moment

    def started(self, event: Any) -> None:
        self.count("before", event.command_name in WRITES)

    def succeeded(self, event: Any) -> None:
        self.count("after", event.command_name in WRITES)

    def failed(self, event: Any) -> None:
        """Commands that fail write nothing."""

    def count(self, moment: str, writes: bool) -> None:
        if writes and moment == self.moment:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def forked(work: Callable[[], Any]) -> tuple[bool, Any]:
    """Whether the work came to its end in a process of its own, and what it returned."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer"
        child = os.fork()
        if child == 0:
            try:
                answer.write_text(json.dumps(work(), default=str, sort_keys=True))
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            return False, None
        if os.WEXITSTATUS(status):
            raise SystemExit("a part of the run failed")
        return True, json.loads(answer.read_text())


def forget() -> None:
    """Let go of the datasets that this process knows, so that they are read anew."""
    fo.Dataset._instances.clear()


def state(dataset_name: str) -> dict[str, Any]:
    """All that a run touches, but for when and by which journal."""
    dataset = fo.load_dataset(dataset_name)
    collections = [dataset._sample_collection]
    if dataset.media_type == "video":
        collections.append(dataset._frame_collection)
    documents = [document for c in collections for document in c.find().sort("_id")]
    views = dataset._doc.get_saved_views()
    runs = {key: dataset.get_run_info(key).config.serialize() for key in dataset.list_runs()}
    of_dataset = {"_dataset_id": dataset._doc.id}
    database = get_db_conn()
    return {
        "kept runs": sorted(one["key"] for one in database.runs.find(of_dataset)),
        "kept views": sorted(one["name"] for one in database.views.find(of_dataset)),
        "documents": [_document(d) for d in documents],
        # A view that was taken away and made again is the last.
        "views": sorted((v.name, v.slug, v.description, _stages(v)) for v in views),
        "runs": {k: {n: v for n, v in c.items() if n != "journal"} for k, c in runs.items()},
        "indexes": dataset.get_index_information(),
        "schema": {n: str(f) for n, f in dataset.get_field_schema(flat=True).items()},
        "of frames": [*(dataset.get_frame_field_schema(flat=True) or ())],
    }


def _document(stored: dict[str, Any]) -> dict[str, Any]:
    """Without its moment, and the ids that FiftyOne gives fetched and pre-labels, which are any."""
    for name in ("labels", "labelnext_prelabel"):
        _forget_ids(stored.get(name))
    return {k: v for k, v in stored.items() if k != "last_modified_at"}


def _forget_ids(label: Any) -> None:
    if isinstance(label, dict):
        label.pop("_id", None)
        for part in label.values():
            _forget_ids(part)
    for part in label if isinstance(label, list) else ():
        _forget_ids(part)


def _stages(view: Any) -> list[Any]:
    """Without the name of the copy that FiftyOne makes of a view's frames."""
    stages = [json.loads(stage) for stage in view.view_stages]
    return [[s["_cls"], *(k for k in s["kwargs"] if k[0] != "_state")] for s in stages]


def projects(config: Config) -> list[dict[str, Any]]:
    """The projects of the server, the newest last; none where nothing is sent."""
    if getattr(config.send, "url", None) is None:
        return []
    with server(config) as http:
        answer = http.get("/api/projects/", params={"page_size": 1000}).raise_for_status()
    return sorted(answer.json()["results"], key=lambda project: int(project["id"]))


def server(config: Config) -> httpx.Client:
    """A connection to Label Studio."""
    options: Any = config.send
    headers = {"Authorization": f"Token {options.api_key.get_secret_value()}"}
    return httpx.Client(base_url=options.url, headers=headers, timeout=60)


def sent(config: Config, others: set[int]) -> dict[str, Any]:
    """What Label Studio has, but for numbers, moments and the projects of other tests."""
    mine = [project for project in projects(config) if project["id"] not in others]
    if not mine:
        return {}
    with server(config) as http:

        def get(path: str, **params: Any) -> Any:
            return http.get(path, params=params).raise_for_status().json()

        found = {}
        for project in mine:
            number = project["id"]
            rows = get("/api/tasks", project=number, fields="all", page_size=100)["tasks"]
            found[project["description"]] = {
                "tasks": sorted(json.dumps(_task(row), sort_keys=True) for row in rows),
                "files": len(get(f"/api/projects/{number}/file-uploads", all=True)),
                "tabs": [v["data"]["title"] for v in get("/api/dm/views", project=number)],
            }
        return found


def _task(row: dict[str, Any]) -> dict[str, Any]:
    data = {k: v for k, v in row["data"].items() if not str(v).startswith("/data/upload/")}
    return {"data": data, "predictions": [p["result"] for p in row["predictions"]]}


def main(path: str, what: str = "run", every: str = "1") -> None:
    config = load_config(path)
    place: Any = config.source_options if config.source.adapter == "fiftyone" else config.send
    name, action = str(place.dataset), {"run": labelnext.run, "send": labelnext.send}[what]

    def begun(n: int, moment: str) -> bool:
        def work() -> None:
            monitoring.register(Killer(n, moment))
            action(config)

        return forked(work)[0]

    def settled(how: Callable[[Any], Any]) -> Any:
        def work() -> Any:
            how(config)
            return state(name)

        return forked(work)[1]

    def broken() -> bool:
        # In a process of its own: listing runs opens the database, which a fork must not inherit.
        return bool(forked(lambda: [j.status for j in runs(config)][-1:] == ["broken"])[1])

    _, before = forked(lambda: state(name))
    done = settled(action)
    undone = settled(undo)
    assert undone == before != done, f"{what} that nobody killed"
    n = 1
    while not begun(n, "before"):
        touched = broken()
        resumed = settled(resume) == done if touched else True
        taken_back = settled(undo) == before if touched else True
        dies = not begun(n, "after")
        settle = dies and broken()
        undone = settled(undo) == before if settle else True
        row = {"write": n, "resume": resumed, "then undo": taken_back, "undo": undone}
        say({**row, "touched": touched and settle})
        n += int(every)
    say({"end": True})


def say(row: dict[str, Any]) -> None:
    """On a line of its own, whatever a process that died left on the last one."""
    print("\n" + json.dumps(row), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
