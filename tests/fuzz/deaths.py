"""Runs, undos and resumes of plain files that are killed, or find the disk full, at any event.

Each is a fork of a process that has imported labelnext, so it is a process of its own that starts
in no time. An audit hook counts what the process asks of the file system, and kills it or refuses.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import labelnext
from labelnext.errors import LabelnextError
from labelnext.report.report import Report
from labelnext.runs.undo import resume, runs, undo
from labelnext.support.store import Store

_EVENTS = {
    "open",
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.chmod",
    "os.utime",
    "os.truncate",
    "shutil.rmtree",
}
_NEED_ROOM = {"open", "os.mkdir", "fsync"}
KINDS = ("csv", "jsonl", "parquet", "folder")
ACTIONS = ("run", "undo", "resume")
ENDS = ("killed", "full")


def asks_to_write(folder: str, event: str, args: tuple[Any, ...]) -> bool:
    """Whether an event of Python's audit is about to change something in a folder."""
    if event not in _EVENTS or not str(args[0]).startswith(folder):
        return False
    written = os.O_WRONLY | os.O_RDWR | os.O_CREAT
    return event != "open" or (isinstance(args[2], int) and bool(args[2] & written))


class Watch:
    """Counts events in one folder; at the n-th, kills the process or refuses room from then on."""

    def __init__(self, folder: Path, at: int, end: str) -> None:
        self.folder, self.at, self.end, self.seen = str(folder), at, end, 0

    def install(self) -> None:
        sys.addaudithook(self.hook)
        fsync, folder, file = os.fsync, Store.remove_folder, Store.remove
        os.fsync = lambda n: (self.count("fsync"), fsync(n))[1]

        def remove_folder(store: Store, name: str) -> None:
            self.count("remove folder")
            for path in sorted(Path(store.path(name)).rglob("*.*"))[::2]:
                path.unlink()  # some of it is gone when the next event comes
            folder(store, name)
            self.count("folder removed")

        def remove(store: Store, name: str) -> None:
            self.count("remove")
            file(store, name)

        Store.remove_folder, Store.remove = remove_folder, remove  # type: ignore[method-assign]

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        if asks_to_write(self.folder, event, args):
            self.count(event)

    def count(self, event: str) -> None:
        self.seen += 1
        if self.end == "killed" and self.seen == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.end == "full" and self.seen >= self.at > 0 and event in _NEED_ROOM:
            raise OSError(28, "No space left on device")


def forked(folder: Path, work: Callable[[], Any], at: int = 0, end: str = "") -> dict[str, Any]:
    """What became of work in a process of its own: ended, its events, its refusal, or a fault."""
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(source)
        watch = Watch(folder, at, end)
        said: dict[str, Any] = {}
        try:
            os.chdir(folder)
            page = "<title>labelnext</title>"  # plots take long
            Report.to_html = lambda _: page  # type: ignore[method-assign]
            watch.install()
            work()
        except LabelnextError as error:
            said["refused"] = str(error)
        except BaseException:
            said["fault"] = traceback.format_exc()
        os.write(sink, json.dumps({**said, "events": watch.seen}).encode())
        os._exit(0)
    os.close(sink)
    with os.fdopen(source, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return {"killed": True}
    found: dict[str, Any] = json.loads(said)
    return found


def ranking(folder: Path) -> Any:
    """The ranking that a reader sees: its bytes, without what names its run and its parts."""
    if not (folder / "data").is_dir():
        (output,) = [*folder.glob("ranking.*")] or [None]
        return output and (output.read_bytes(), oct(output.stat().st_mode))
    manifest = folder / "ranking" / "manifest.json"
    if not manifest.exists():
        return None
    said = json.loads(manifest.read_bytes())
    names = [file["path"] for file in said["files"]] + [said["batch"]["path"]]
    return [(manifest.parent / name).read_bytes() for name in names]


def left_over(folder: Path) -> list[str]:
    """Temporary files that should be gone, and copies of what an undone run replaced."""
    found = [run for config in folder.glob("*.yaml") for run in runs(config)]
    undone = {one.run_id for one in found if one.status == "undone"}
    left = [*folder.rglob("*.partial")]
    left += [path for path in folder.rglob("*.kept") if path.name.split(".")[0] in undone]
    return [str(path.relative_to(folder)) for path in left]


@dataclass
class Case:
    """One kind of output, with a ranking that a second run replaces.

    Attributes:
        template: a folder after the first run, to be copied.
        done: the ranking of the second run.
    """

    kind: str
    template: Path
    done: Any
    n_events: dict[str, int]

    @property
    def before(self) -> Any:
        return ranking(self.template)


def made(kind: str, folder: Path) -> Case:
    template = folder / f"{kind}-first"
    template.mkdir()
    rows = [[0.9, 0.1], [0.7, 0.3], [0.55, 0.45], [0.6, 0.4]]
    output, path = f"ranking.{kind}", "p.jsonl"
    if kind == "folder":
        output, path = "ranking", "data"
        (template / "data").mkdir()
        for number in range(2):
            part = pa.table(
                {
                    "item_id": [f"{number}{n}" for n in range(2)],
                    "probabilities": rows[2 * number : 2 * number + 2],
                }
            )
            pq.write_table(part, template / "data" / f"{number}.parquet")
    else:
        lines = [{"item_id": str(n), "probabilities": row} for n, row in enumerate(rows)]
        (template / path).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    text = f"source: {{adapter: files, path: {path}}}\nwrite: {{output: {output}}}\n"
    config = template / "c.yaml"
    config.write_text(f"{text}report: {{path: null}}\nselection: {{budget: 1}}\n")
    first = forked(template, lambda: labelnext.run("c.yaml"))
    assert first.keys() == {"events"}, first
    config.write_text(f"{text}report: {{path: r.html}}\nselection: {{budget: 3}}\n")
    second = folder / f"{kind}-second"
    shutil.copytree(template, second)
    ran = forked(second, lambda: labelnext.run("c.yaml"))
    assert ran.keys() == {"events"}, ran
    case = Case(kind, template, ranking(second), {"run": ran["events"]})
    undone = forked(second, lambda: undo("c.yaml"))
    assert undone.keys() == {"events"}, undone
    assert ranking(second) == case.before != case.done
    case.n_events |= {"undo": undone["events"], "resume": ran["events"]}
    return case


def tried(case: Case, action: str, end: str, at: int, rng: random.Random, work: Path) -> str | None:
    """What went wrong in one trial; None if nothing did."""
    folder = work / "trial"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(case.template, folder)
    calls: dict[str, Callable[[], Any]] = {
        "run": lambda: labelnext.run("c.yaml"),
        "undo": lambda: undo("c.yaml"),
        "resume": lambda: resume("c.yaml"),
    }

    def do(what: str, at: int = 0, end: str = "") -> dict[str, Any]:
        return forked(folder, calls[what], at, end)

    if action == "undo":
        do("run")
    elif action == "resume":
        do("run", rng.randint(1, case.n_events["run"]), "killed")
        if newest(folder) not in ("planned", "broken"):
            return None
    first = do(action, at, end)
    if "fault" in first:
        return str(first["fault"])
    status = newest(folder)
    now = ranking(folder)
    if now not in (case.before, case.done):
        return f"the ranking is neither the earlier one nor the new one ({status})"
    if status == "done" and now != case.done and not (action == "undo" and now == case.before):
        return "a run that is done has another ranking"
    if action == "undo":
        ways = [] if status == "undone" else [("undo", case.before)]
    elif status in ("planned", "broken"):
        ways = [rng.choice([("resume", case.done), ("undo", case.before)])]
        if status == "planned":
            ways = [("resume", case.done)]
    else:
        ways = [("undo", case.before)] if status == "done" else []
    if status in ("none", "undone", "planned") and now != case.before:
        return f"a run that is {status} left its ranking"
    for what, expected in ways:
        said = do(what)
        if "fault" in said or "refused" in said:
            return f"{what} of what was {status}: {said}"
        if ranking(folder) != expected:
            return f"{what} of what was {status}: another ranking"
        if what == "undo" and newest(folder) != "undone":
            return f"undone, but its status is {newest(folder)}"
    said = do("run")
    if "fault" in said or "refused" in said or ranking(folder) != case.done:
        return f"the next run: {said}"
    return f"left over: {left}" if (left := left_over(folder)) else None


def newest(folder: Path) -> str:
    """The status of the second run, or none."""
    found = runs(folder / "c.yaml")
    return found[-1].status if len(found) > 1 else "none"


def warm() -> None:
    """Load what a ranking loads late, so that no fork has to."""
    labelnext.rank(labelnext.Pool(["a"], probabilities=[[0.5, 0.5]]), "margin")
