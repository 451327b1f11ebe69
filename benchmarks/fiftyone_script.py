"""FiftyOne: a whole run beside the script that somebody would write, in CPU of both sides.

    python -m benchmarks.fiftyone_script [--samples 100000] [--boxes 20000]

Both sides are Python and a mongod of its own, so the CPU time of both counts; the contenders take
turns. The peaks are of processes of their own, above what they had before they read anything.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

import labelnext
from benchmarks.fiftyone import N_CLASSES, N_DIMENSIONS
from labelnext.adapter import open_adapter
from labelnext.journal import Journal
from labelnext.ranking import rank
from labelnext_adapters.fiftyone.database.mongod import disconnect, running_mongod, use_database

BUDGET, N_BOXES = 100, 10
#: The goals: how many times as much CPU the script takes, and megabytes that a run may grow by.
RATIOS = {"logits": 3, "boxes": 2}
_RUN = {
    "logits": {"pred_field": "pred"},
    "embeddings": {"pred_field": "pred", "embeddings": "emb"},
    "boxes": {"pred_field": "det"},
}


def fill(name: str, n: int, what: str) -> Any:
    """A dataset of logits, with embeddings where asked, or of ten boxes, past all checks."""
    import fiftyone as fo
    import fiftyone.core.utils as fou
    from bson import Binary, ObjectId

    generator = np.random.default_rng(0)
    dataset = fo.Dataset(name, persistent=True)
    dataset.default_classes = [str(c) for c in range(N_CLASSES)]
    box = fo.Detection(label="1", confidence=0.5, bounding_box=[0.0, 0.0, 0.5, 0.5])
    one: dict[str, Any] = {"det": fo.Detections(detections=[box])}
    if what != "boxes":
        zeros = np.zeros(N_CLASSES, np.float32)
        one = {"pred": fo.Classification(label="0", logits=zeros)}
        if what == "embeddings":
            one["emb"] = np.zeros(N_DIMENSIONS, np.float32)
    dataset.add_sample(fo.Sample("/images/none.png", **one))
    template = dataset._sample_collection.find_one()
    dataset._sample_collection.delete_many({})

    def packed(size: int) -> Any:
        vector = generator.normal(size=size).astype(np.float32)
        return Binary(fou.serialize_numpy_array(vector))

    documents = []
    for i in range(n):
        document = {**template, "_id": ObjectId(), "filepath": f"/images/{i}.png", "_rand": i / n}
        if what == "boxes":
            kind = template["det"]["detections"][0]
            found = [
                {**kind, "_id": ObjectId(), "confidence": c} for c in generator.random(N_BOXES)
            ]
            document["det"] = {"_cls": "Detections", "detections": found}
        else:
            document["pred"] = {**template["pred"], "_id": ObjectId(), "logits": packed(N_CLASSES)}
            if what == "embeddings":
                document["emb"] = packed(N_DIMENSIONS)
        documents.append(document)
        if len(documents) == 2000 or i == n - 1:
            dataset._sample_collection.insert_many(documents)
            documents = []
    return dataset


def script(dataset: Any, what: str) -> None:
    """Read, score, and write a score and a rank, with FiftyOne's own calls."""
    if what == "boxes":
        ids, found = dataset.values(["id", "det.detections.confidence"])
        scores = np.array([np.mean([1 - c for c in each]) for each in found])
    else:
        ids, logits = dataset.values(["id", "pred.logits"])
        powers = np.exp(np.stack(logits))
        likely = np.sort(powers / powers.sum(axis=1, keepdims=True), axis=1)
        scores = 1 - (likely[:, -1] - likely[:, -2])
        if what == "embeddings":
            np.stack(dataset.values("emb"))
    order = np.argsort(-scores)
    ranks = np.empty(len(order), dtype=int)
    ranks[order] = np.arange(1, len(order) + 1)
    dataset.set_values("score", scores.tolist())
    dataset.set_values("rank", ranks.tolist())
    dataset.create_index("rank")
    dataset.save_view("batch", dataset.select([ids[i] for i in order[:BUDGET]], ordered=True))


def settings(dataset: Any, what: str, folder: str) -> dict[str, Any]:
    source = {"adapter": "fiftyone", "dataset": dataset.name, **_RUN[what]}
    method = "k_center" if what == "embeddings" else "top_k"
    return {
        "source": source,
        "selection": {"method": method, "budget": BUDGET},
        "report": {"path": None},
        "state": folder,
    }


def run(dataset: Any, what: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        labelnext.run(settings(dataset, what, folder))


def clean(dataset: Any) -> None:
    dataset.reload()
    for name in dataset.list_runs():
        dataset.delete_run(name)
    for name in dataset.list_saved_views():
        dataset.delete_saved_view(name)
    for name in ("score", "rank"):
        if dataset.has_sample_field(name):
            dataset.delete_sample_field(name)


def spent() -> float:
    """CPU seconds of this process and of its mongod."""
    mine = time.process_time()
    times = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return mine + sum(t.user + t.system for t in times)


def cost(dataset: Any, call: Callable[[], object]) -> float:
    """CPU seconds of a call, with what the database puts off."""
    admin = dataset._sample_collection.database.client.admin
    admin.command("fsync")
    before = spent()
    call()
    admin.command("fsync")
    return spent() - before


def compare(dataset: Any, what: str, turns: int) -> None:
    least: dict[str, float] = {}
    for _ in range(turns):
        for name, call in (("script", script), ("labelnext", run)):
            taken = cost(dataset, lambda call=call: call(dataset, what))  # type: ignore[misc]
            least[name] = min(taken, least.get(name, taken))
            clean(dataset)
    ratio = least["script"] / least["labelnext"]
    goal = RATIOS[what]
    print(
        f"{what}, {len(dataset):,} samples, CPU of both sides: script {least['script']:.1f} s, "
        f"labelnext {least['labelnext']:.1f} s: {ratio:.2f} times as fast (goal {goal})"
    )


def undoing(dataset: Any, what: str) -> None:
    adapter = open_adapter("fiftyone", dataset=dataset, **_RUN[what])
    plan = adapter.plan(rank(adapter.read(), budget=BUDGET))
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.create(Path(folder), plan)
        written = cost(dataset, lambda: adapter.apply(plan, journal))
        undone = cost(dataset, lambda: adapter.undo(journal))
    clean(dataset)
    print(f"{what}: write {written:.2f} s, undo {undone:.2f} s (goal: at most the write)")


def peak(name: str, what: str, who: str) -> int:
    """Megabytes that a process of its own grew by."""
    here = [sys.executable, "-m", "benchmarks.fiftyone_script", "--peak", name, what, who]
    found = subprocess.run(here, capture_output=True, text=True, check=True)
    return int(found.stdout.split()[-1])


def grown(name: str, what: str, who: str) -> None:
    import fiftyone as fo

    dataset = fo.load_dataset(name)
    dataset.limit(10).values("id")
    small = fo.load_dataset(f"few-{what}")
    clean(small)
    run(small, what)  # so that everything is imported
    gc.collect()
    before = psutil.Process().memory_info().rss
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    {"script": script, "labelnext": run}[who](dataset, what)
    (line,) = [x for x in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in x]
    most = int(line.split()[1]) * 1024
    clean(dataset)
    print(round((most - before) / 1e6))


def command(dataset: Any) -> float:
    """CPU seconds of a command that reads a small dataset."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labelnext.yaml"
        source = f"{{adapter: fiftyone, dataset: {dataset.name}, pred_field: pred}}"
        path.write_text(f"source: {source}\nreport: {{path: null}}\n")
        here = [sys.executable, "-m", "labelnext", "check", str(path)]
        taken = []
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(here, check=True, stdout=subprocess.DEVNULL)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--boxes", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--peak", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak:
        grown(*arguments.peak)
        return
    with tempfile.TemporaryDirectory() as folder, running_mongod(Path(folder)) as uri:
        use_database(uri, Path(folder))
        os.environ["FIFTYONE_DATABASE_URI"] = uri
        import fiftyone as fo

        fo.config.show_progress_bars = False
        try:
            few = [fill(f"few-{what}", 200, what) for what in _RUN]
            print(f"labelnext check: {command(few[0]):.2f} s of CPU (goal 2.5)", flush=True)
            for what in _RUN:
                n = arguments.boxes if what == "boxes" else arguments.samples
                dataset = fill(what, n, what)
                if what in RATIOS:
                    compare(dataset, what, arguments.turns)
                    undoing(dataset, what)
                both = {who: peak(what, what, who) for who in ("script", "labelnext")}
                print(f"{what}: a run grows by {both['labelnext']} MB, the script by "
                      f"{both['script']} MB", flush=True)  # fmt: skip
        finally:
            disconnect()


if __name__ == "__main__":
    main()
