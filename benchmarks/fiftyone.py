"""FiftyOne: how fast a dataset is read and a ranking written, against FiftyOne's own calls.

    python -m benchmarks.fiftyone [--samples 100000] [--written 20000] [--objects 5000]

A mongod of its own; the contenders take turns in one process, and the clock counts, because the
database works beside it.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

import labelnext
from benchmarks.contenders import show, timed
from labelnext.acquisition import get_acquisition
from labelnext.adapter import open_adapter
from labelnext_adapters.fiftyone.database.mongod import disconnect, running_mongod, use_database
from labelnext_adapters.fiftyone.database.object_scores import label_ids, matched, write_scores
from labelnext_adapters.fiftyone.database.values import fetch, flat, floats, offsets, stack, stream

N_CLASSES, N_DIMENSIONS, MEAN_OBJECTS = 10, 512, 12.5


def make_dataset(name: str, n: int, *, wide: bool) -> Any:
    """Logits, and where wide also embeddings and detections, written past FiftyOne's checks."""
    import fiftyone as fo
    import fiftyone.core.utils as fou
    from bson import Binary, ObjectId

    generator = np.random.default_rng(0)
    dataset = fo.Dataset(name)
    dataset.default_classes = [str(c) for c in range(N_CLASSES)]
    one = {
        "pred": fo.Classification(label="0", logits=np.zeros(N_CLASSES, np.float32)),
        "emb": np.zeros(N_DIMENSIONS, np.float32),
        "det": fo.Detections(
            detections=[fo.Detection(label="a", confidence=0.5, bounding_box=[0, 0, 1, 1])]
        ),
    }
    dataset.add_sample(fo.Sample("/images/none.png", **one))
    template = dataset._sample_collection.find_one()
    dataset._sample_collection.delete_many({})

    def packed(vector: Any) -> Any:
        return Binary(fou.serialize_numpy_array(vector))

    documents = []
    for i in range(n):
        logits = generator.normal(size=N_CLASSES).astype(np.float32)
        document = {**template, "_id": ObjectId(), "filepath": f"/images/{i}.png", "_rand": i / n}
        document["pred"] = {**template["pred"], "_id": ObjectId(), "logits": packed(logits)}
        document["emb"], document["det"] = None, None
        if wide:
            vector = generator.normal(size=N_DIMENSIONS).astype(np.float32)
            document["emb"] = packed(vector)
            kind = template["det"]["detections"][0]
            document["det"] = {
                "_cls": "Detections",
                "detections": [
                    {**kind, "_id": ObjectId(), "confidence": c}
                    for c in generator.random(generator.integers(5, 21)).tolist()
                ],
            }
        documents.append(document)
        if len(documents) == 2000 or i == n - 1:
            dataset._sample_collection.insert_many(documents)
            documents = []
    return dataset


def peak_growth(call: Callable[[], Any]) -> int:
    """The most bytes that the process grew by while the call ran."""
    process, done, most = psutil.Process(), threading.Event(), [0]
    before = process.memory_info().rss

    def watch() -> None:
        while not done.wait(0.005):
            most[0] = max(most[0], process.memory_info().rss - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    result = call()
    done.set()
    watcher.join()
    del result
    return most[0]


def reads(n: int) -> None:
    dataset = make_dataset("wide", n, wide=True)
    ids = dataset.values("id")
    size = n * N_DIMENSIONS * 4
    growth = peak_growth(lambda: stream(dataset, "emb", ids))
    print(f"embeddings: the process grows by {growth / size:.2f} times the array; the bar is 1.3")

    def of_objects() -> Any:
        lists = fetch(dataset, ["det.detections.confidence"])["det.detections.confidence"]
        return offsets(lists), floats(flat(lists))

    few = max(n // 100, 1)
    view = dataset.view()
    seconds = timed(
        {
            "logits: labelnext": lambda: stack(fetch(dataset, ["pred.logits"])["pred.logits"]),
            "logits: values and np.stack": lambda: np.stack(dataset.values("pred.logits")),
            "embeddings: labelnext": lambda: stream(dataset, "emb", ids),
            "embeddings: values and np.stack": lambda: np.stack(dataset.values("emb")),
            "confidences: labelnext": of_objects,
            "confidences: values and np.concatenate": lambda: np.concatenate(
                [part or [] for part in dataset.values("det.detections.confidence")]
            ),
        },
        turns=3,
        clock=time.perf_counter,
    )
    start = time.perf_counter()
    np.stack([sample.pred.logits for sample in view.limit(few).iter_samples()])
    seconds["logits: iter_samples"] = (time.perf_counter() - start) * n / few
    show(
        f"Reading {n:,} samples (iter_samples: {few:,}, times {n // few})",
        seconds,
        [
            ("logits: labelnext", "logits: values and np.stack", 3),
            ("logits: labelnext", "logits: iter_samples", 50),
            ("embeddings: labelnext", "embeddings: values and np.stack", 2),
            ("confidences: labelnext", "confidences: values and np.concatenate", 1),
        ],
    )
    whole_run(dataset, n)


def whole_run(dataset: Any, n: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        report = labelnext.run(_config(dataset, folder))
    seconds = dict(report.seconds)
    whole = sum(seconds.values())
    pool = open_adapter("fiftyone", dataset=dataset, pred_field="pred").read()
    start = time.perf_counter()
    get_acquisition(str(report.ranking.acquisition)).score(pool, of="items")
    seconds["score"] = time.perf_counter() - start
    seconds["select"] = max(seconds.pop("rank") - seconds["score"], 0)
    stages = ("read", "score", "select", "plan", "write")
    shares = ", ".join(f"{stage} {seconds[stage] / whole:.1%}" for stage in stages)
    print(f"\nA whole run over {n:,} samples: {whole:.1f} s ({shares})")


def writes(n: int) -> None:
    dataset = make_dataset("narrow", n, wide=False)
    values = np.random.default_rng(1).random(n).tolist()

    def one_run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            report = labelnext.run(_config(dataset, folder))
        taken.append(report.seconds["plan"] + report.seconds["write"])
        dataset.reload()
        dataset.delete_run("labelnext")

    taken: list[float] = []
    contenders = {"one float": lambda: dataset.set_values("score", values), "run": one_run}
    seconds = timed(contenders, turns=5, clock=time.perf_counter)
    show(
        f"Writing {n:,} samples",
        {
            "set_values of one float": seconds["one float"],
            "labelnext: plan, journal, run, field, ranks, index, views": min(taken),
        },
        [
            (
                "labelnext: plan, journal, run, field, ranks, index, views",
                "set_values of one float",
                1 / 1.5,
            )
        ],
    )


def scores_of_objects(n: int) -> None:
    dataset = make_dataset("objects", n, wide=True)
    inner = "det.detections"
    nested = [[0.5] * len(part) for part in dataset.values(f"{inner}.confidence")]

    def ours() -> None:
        ids = label_ids(dataset, inner)
        scores = matched(ids, dict(zip(ids, nested, strict=True)))
        assert write_scores(dataset, f"{inner}.ours", scores) == n

    show(
        f"A score for each of {sum(map(len, nested)):,} objects of {n:,} samples",
        timed(
            {
                "set_values of nested lists": lambda: dataset.set_values(
                    f"{inner}.theirs", nested, dynamic=True
                ),
                "labelnext": ours,
            },
            turns=3,
            clock=time.perf_counter,
        ),
        [("labelnext", "set_values of nested lists", 5)],
    )


def _config(dataset: Any, folder: str) -> dict[str, Any]:
    return {
        "source": {"adapter": "fiftyone", "dataset": dataset.name, "pred_field": "pred"},
        "report": {"path": None},
        "state": folder,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--written", type=int, default=20_000)
    parser.add_argument("--objects", type=int, default=5_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_mongod(Path(folder)) as uri:
        use_database(uri, Path(folder))
        import fiftyone as fo

        fo.config.show_progress_bars = False
        try:
            if arguments.written:
                writes(arguments.written)
            if arguments.objects:
                scores_of_objects(arguments.objects)
            if arguments.samples:
                reads(arguments.samples)
        finally:
            disconnect()


if __name__ == "__main__":
    main()
