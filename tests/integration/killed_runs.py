"""Runs on FiftyOne that die by SIGKILL at their n-th write to the database.

    python -m tests.integration.killed_runs CONFIG

Each part is a fork of a process that has imported FiftyOne but not connected, so it is a process of
its own that starts in no time. Prints one line of JSON for each death, and one at the end.
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
from pymongo import monitoring

from labelnext import pipeline
from labelnext.config import load_config

WRITES = {"insert", "update", "delete", "findAndModify", "createIndexes", "dropIndexes", "create"}


class Killer(monitoring.CommandListener):
    """Kills its own process just before, or just after, the n-th write."""

    def __init__(self, n: int, moment: str) -> None:
        self.left = n
        self.moment = moment

    def started(self, event: Any) -> None:
        self._count("before", event)

    def succeeded(self, event: Any) -> None:
        self._count("after", event)

    def failed(self, event: Any) -> None:
        """Commands that fail write nothing."""

    def _count(self, moment: str, event: Any) -> None:
        if moment == self.moment and event.command_name in WRITES:
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


def state(dataset_name: str) -> dict[str, Any]:
    """All that a run touches, but for when and by which journal."""
    dataset = fo.load_dataset(dataset_name)
    documents = list(dataset._sample_collection.find().sort("_id"))
    views = dataset._doc.get_saved_views()
    runs = {key: dataset.get_run_info(key).config.serialize() for key in dataset.list_runs()}
    return {
        "documents": [{k: v for k, v in d.items() if k != "last_modified_at"} for d in documents],
        "views": [(v.name, v.slug, v.description, list(v.view_stages)) for v in views],
        "runs": {k: {n: v for n, v in c.items() if n != "journal"} for k, c in runs.items()},
        "indexes": dataset.get_index_information(),
        "schema": {n: str(f) for n, f in dataset.get_field_schema(flat=True).items()},
    }


def main(path: str) -> None:
    config = load_config(path)
    name = str(config.source_options.dataset)  # type: ignore[attr-defined]  # of FiftyOne

    def begun(n: int, moment: str) -> bool:
        def work() -> None:
            monitoring.register(Killer(n, moment))
            pipeline.run(config)

        return forked(work)[0]

    def settled(how: Callable[[Any], Any]) -> Any:
        def work() -> Any:
            how(config)
            return state(name)

        return forked(work)[1]

    _, before = forked(lambda: state(name))
    done = settled(pipeline.run)
    undone = settled(pipeline.undo)
    assert undone == before != done, "a run that nobody killed"
    n = 1
    while not begun(n, "before"):
        touched = [j.status for j in pipeline.runs(config)][-1:] == ["broken"]
        resumed = settled(pipeline.resume) == done if touched else True
        taken_back = settled(pipeline.undo) == before if touched else True
        dies = not begun(n, "after")
        broken = [j.status for j in pipeline.runs(config)][-1:] == ["broken"]
        undone = settled(pipeline.undo) == before if dies and broken else True
        row = {"write": n, "resume": resumed, "then undo": taken_back, "undo": undone}
        print(json.dumps({**row, "touched": touched and broken}), flush=True)
        n += 1
    print(json.dumps({"writes": n - 1}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
