"""A whole third-party adapter: its platform is one JSON file, and it can do all that there is.

Each step of a plan sets one entry of the file, so one performer does them all.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from labelnext.adapter import (
    Adapter,
    Context,
    Finding,
    Options,
    Part,
    SendOptions,
    Target,
    WriteOptions,
)
from labelnext.adapter.batch import Batch, Item, Labels, Mark, Origin
from labelnext.adapter.capabilities import Capability
from labelnext.adapter.predicted import check_one_version, class_names, rows_there
from labelnext.adapter.preview import Preview
from labelnext.adapter.team import Act, Work
from labelnext.errors import NotFound
from labelnext.journal import Journal, Performer, Plan, Step
from labelnext.pool import Objects, Pool
from labelnext.ranking.ranking import Ranking, batch_ranking

ROWS = 2  # in a part


class MinimalSource(Options):
    path: Path
    """The JSON file."""
    version: str | None = None
    """The model version to read; null: what comes with the items."""


class MinimalWrite(WriteOptions):
    objects: bool = False
    """Also write a score for each object."""


class MinimalSend(SendOptions):
    path: Path
    """The JSON file."""


def load(path: Path) -> Any:
    return json.loads(path.read_text())


def setting(path: Path, kind: str, name: str, value: Any, what: str, n: int) -> Step:
    """The step that makes one entry of the file be this value; None takes the entry away."""
    return Step("set", what, n, {"path": str(path), "kind": kind, "name": name, "value": value})


class FilePerformer(Performer):
    """Sets the entries of the file that the steps name."""

    def snapshot(self, step: Step) -> Any:
        return load(Path(step.payload["path"]))[step.payload["kind"]].get(step.payload["name"])

    def perform(self, step: Step) -> None:
        self._set(step, step.payload["value"])

    def restore(self, step: Step, before: Any) -> list[str]:
        self._set(step, before)
        return []

    def _set(self, step: Step, value: Any) -> None:
        path, kind, name = Path(step.payload["path"]), step.payload["kind"], step.payload["name"]
        data = load(path)
        data[kind].pop(name, None)
        data[kind] |= {} if value is None else {name: value}
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(data))
        partial.replace(path)


def pool_of(rows: Sequence[Any], ids: Sequence[object], classes: Sequence[str]) -> Pool:
    """The items of some rows as columns."""
    kind = "objects" if any("objects" in row for row in rows) else "probabilities"
    predicted: Any = [row.get(kind, [float("nan")] * len(classes)) for row in rows]
    if kind == "objects":  # of each: class and confidence
        objects = [row.get(kind, []) for row in rows]
        flat = [found for listed in objects for found in listed]
        kinds, confidences = np.array(flat).reshape(-1, 2).T
        bounds = np.cumsum([0, *map(len, objects)])
        predicted = Objects(bounds, confidences, class_ids=kinds.astype(int))
    labels, missing = [row.get("label", -1) for row in rows], [kind not in row for row in rows]
    more = {f"{name}s": [row[name] for row in rows] for name in ("embedding", "group")}
    more[kind] = predicted
    return Pool(ids, classes=classes, labels=labels, missing=missing, **more)


class MinimalAdapter(Adapter):
    """Items of one JSON file."""

    name: ClassVar[str] = "minimal"
    requires: ClassVar[tuple[str, ...]] = ()
    install: ClassVar[str] = "pip install minimal"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)
    SourceOptions: ClassVar[type[Options]] = MinimalSource
    WriteOptions: ClassVar[type[WriteOptions]] = MinimalWrite
    SendOptions: ClassVar[type[SendOptions]] = MinimalSend

    def __init__(self, source: MinimalSource, write: MinimalWrite, context: Context) -> None:
        self._path, self._write = context.path(source.path), write
        self._version = source.version

    @classmethod
    def open_target(cls, options: MinimalSend, context: Context) -> MinimalTarget:
        return MinimalTarget(context.path(options.path))

    def check(self) -> list[Finding]:
        if self._path.is_file():
            return [Finding("ok", f"{self._path} holds {len(load(self._path)['items'])} items.")]
        return [Finding("error", f"{self._path} does not exist.", "set source.path.")]

    def read(self) -> Pool:
        data = load(self._path)
        if self._version is not None:
            stored, classes = data["versions"][self._version], data["classes"]
            of = [[stored.get(i, {}).get(c, float("nan")) for c in classes] for i in data["items"]]
            missing = [item not in stored for item in data["items"]]
            return Pool([*data["items"]], probabilities=of, classes=classes, missing=missing)
        return pool_of([*data["items"].values()], [*data["items"]], data["classes"])

    def parts(self) -> list[Part] | None:
        ids = [*load(self._path)["items"]]
        groups = [ids[start : start + ROWS] for start in range(0, len(ids), ROWS)]
        return [Part(n, f"items {', '.join(g)}", {"ids": g}, len(g)) for n, g in enumerate(groups)]

    def read_part(self, part: Part, more: Sequence[str] = ()) -> tuple[Pool, pa.Array]:
        data, ids = load(self._path), part.payload["ids"]
        rows = [data["items"][item] for item in ids]
        return pool_of(rows, range(len(ids)), data["classes"]), pa.array(ids, pa.string())

    def count_labels(self) -> int:
        return sum("label" in row for row in load(self._path)["items"].values())

    def wants_object_scores(self) -> bool:
        return self._write.objects

    def plan(self, ranking: Ranking) -> Plan:
        rows, run = ranking.pool_rows(), self._write.run
        value = {"rows": rows, "of": ranking.of or "items"}
        steps = [setting(self._path, "runs", run, value, f"Rank {len(rows)} items", len(rows))]
        if self._write.objects and ranking.object_scores is not None:
            scores = {i: ranking.object_scores[i].tolist() for i in ranking.pool_order.tolist()}
            what = f"Score the objects of {len(scores)} items"
            steps.append(setting(self._path, "object_scores", run, scores, what, len(scores)))
        return Plan(self.name, run, str(self._path), tuple(steps))

    def performer(self, journal: Journal) -> Performer:
        return FilePerformer()

    def work(self) -> Work:
        items = load(self._path)["items"].items()
        return Work(tuple(Act("somebody", i) for i, row in items if "label" in row))

    def previews(self, item_ids: Sequence[str]) -> dict[str, Preview]:
        known = load(self._path)["items"]
        return {i: Preview(f"http://localhost/{i}") for i in item_ids if i in known}

    def address(self) -> str:
        return "http://localhost/"

    def origin(self) -> Origin:
        return Origin(self.name, self._path.stem, load(self._path)["id"])

    def batch(self, run: str) -> Batch:
        data = load(self._path)
        if run not in data["runs"]:
            raise NotFound(f"run must be one of {', '.join(data['runs'])}; got {run!r}.")
        unit, classes = data["runs"][run]["of"], tuple(data["classes"])
        rows = [row for row in data["runs"][run]["rows"] if row["batch"]]
        items = tuple(Item(row["item_id"], None) for row in rows)
        return Batch(self.origin(), run, unit, classes, run, items, batch_ranking(rows, of=unit))

    def plan_labels(self, labels: Labels, field: str) -> Plan:
        data = load(self._path)
        now = data["labels"].get(field, {})
        said = {i: [m.to_row() for m in marks] for i, marks in labels.known.items()}
        new = {i: rows for i, rows in {**now, **said}.items() if i in data["items"]}
        new = {i: rows for i, rows in new.items() if i not in labels.waiting}
        n = sum(now.get(item) != new.get(item) for item in {*now, *new})
        step = setting(self._path, "labels", field, new, f"Label {n} items", n)
        return Plan(self.name, field, str(self._path), (step,) if n else ())

    def plan_predictions(self, pool: Pool, version: str) -> Plan:
        check_one_version(pool)
        data = load(self._path)
        rows, left_out = rows_there(pool, data["items"], str(self._path), "item")
        names = class_names(pool, data["classes"], "the file")
        assert pool.probabilities is not None
        value = {
            str(pool.item_ids[row]): dict(zip(names, pool.probabilities[row].tolist(), strict=True))
            for row in rows
        }
        what = f"Store predictions of {len(value)} items"
        step = setting(self._path, "versions", version, value, what, len(value))
        steps = (step,) if value else ()
        return Plan(self.name, version, str(self._path), steps, left_out=tuple(left_out))


class MinimalTarget(Target):
    """The file as the place where a batch is labelled: its tasks, and a queue for each run."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def plan(self, batch: Batch) -> Plan:
        key, ids = batch.origin.key, [item.item_id for item in batch.items]
        tasks = load(self._path)["tasks"].get(key, {})
        value = {**dict.fromkeys(ids), **tasks}  # None: nobody has labelled it
        new, n = len(value) - len(tasks), len(ids)
        make = setting(self._path, "tasks", key, value, f"Make {new} tasks", new)
        order = setting(self._path, "queues", batch.run, ids, f"Put {n} tasks in order", n)
        return Plan("minimal", batch.run, str(self._path), (make, order))

    def performer(self, journal: Journal) -> Performer:
        return FilePerformer()

    def labels(self, origin: Origin) -> Labels:
        tasks = load(self._path)["tasks"].get(origin.key, {})
        known = {item: (Mark(said),) for item, said in tasks.items() if said is not None}
        return Labels(str(self._path), "items", known, tuple(i for i in tasks if i not in known))
