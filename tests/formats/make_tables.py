"""Make the fixtures of tables, COCO and Label Studio by hand: the same items in every kind of file.

python -m tests.formats.make_tables
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

HERE = Path(__file__).parent
CLASSES = ["cat", "dog", "cow"]
#: Probabilities of the items of each table; ids that aren't numbers, whatever they look like.
ITEMS = {
    "007": [0.5, 0.25, 0.25],
    "1e5": [0.125, 0.75, 0.125],
    "2024-01-01": [0.0625, 0.0, 0.9375],
    "ä.jpg": [0.375, 0.25, 0.375],
    "NaN": [0.625, 0.25, 0.125],
}
#: Confidences of the objects of each image.
IMAGES = {"1": [0.9, 0.5], "2": [0.3], "3": [], "4": [0.8, 0.25, 0.125]}

Row = Sequence[Any]


def text_of(rows: Sequence[Row], delimiter: str = ",", end: str = "\n") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(rows)
    return out.getvalue()


def wide(number: Any = str) -> list[Row]:
    return [["id", *CLASSES], *([i, *map(number, p)] for i, p in ITEMS.items())]


def comma(value: float) -> str:
    return str(value).replace(".", ",")


def logit(value: float) -> float:
    return float(np.log(max(value, 1e-9)) + 3)


def top(p: Sequence[float], count: int) -> list[Any]:
    best = sorted(range(len(p)), key=lambda place: -p[place])[:count]
    return [part for place in best for part in (CLASSES[place], p[place])]


def write_csv(folder: Path) -> None:
    texts = {
        "wide.csv": text_of(wide()),
        "semicolon.csv": text_of(wide(comma), ";"),
        "tabs.tsv": text_of(wide(), "\t"),
        "crlf.csv": "\ufeff" + text_of(wide(), end="\r\n"),
        "logits.csv": text_of(wide(logit)),
        "percent.csv": text_of(wide(lambda p: 100 * p)),
        "prefixed.csv": text_of([["item_id", *(f"p_{c}" for c in CLASSES)], *wide()[1:]]),
        "top1.csv": text_of(
            [["file", "prediction", "confidence"], *([i, *top(p, 1)] for i, p in ITEMS.items())]
        ),
        "top2.csv": text_of(
            [["id", "pred_1", "prob_1", "pred_2", "prob_2"], *([i, *top(p, 2)] for i, p in
             ITEMS.items())]
        ),
        "long.csv": text_of(
            [["id", "class", "score"], *([i, c, v] for i, p in ITEMS.items() for c, v in
             zip(CLASSES, p, strict=True))]
        ),
    }  # fmt: skip
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode("utf-8"))
    (folder / "utf16.csv").write_bytes(text_of(wide()).encode("utf-16"))
    packed = gzip.compress(text_of(wide()).encode("utf-8"), mtime=0)
    (folder / "wide.csv.gz").write_bytes(packed)
    with pa.CompressedOutputStream(str(folder / "wide.csv.zst"), "zstd") as stream:
        stream.write(text_of(wide()).encode("utf-8"))


def records() -> list[dict[str, Any]]:
    return [
        {"item_id": i, "probabilities": dict(zip(CLASSES, p, strict=True))}
        for i, p in ITEMS.items()
    ]


def write_json(folder: Path) -> None:
    rows = records()
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / "mappings.jsonl").write_text("\n".join(lines), "utf-8")
    (folder / "mappings.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
    (folder / "mappings.json").write_text(json.dumps(rows), "utf-8")
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    (folder / "columns.json").write_text(json.dumps(columns), "utf-8")
    answers = [
        {"id": i, "prediction": CLASSES[int(np.argmax(p))], "confidence": max(p)}
        for i, p in ITEMS.items()
    ]
    (folder / "answers.jsonl").write_text("\n".join(map(json.dumps, answers)), "utf-8")


def write_arrow(folder: Path) -> None:
    ids, rows = list(ITEMS), list(ITEMS.values())
    table = pa.table({"item_id": ids, "probabilities": rows})
    pa.parquet.write_table(table, folder / "lists.parquet")
    coded = pa.table({"item_id": pa.array(ids).dictionary_encode(), "probabilities": rows})
    pa.parquet.write_table(coded, folder / "categories.parquet")
    in_bytes = pa.table({"item_id": [i.encode() for i in ids], "probabilities": rows})
    pa.parquet.write_table(in_bytes, folder / "bytes.parquet")
    flat = pa.table({"id": ids, **{c: [p[k] for p in rows] for k, c in enumerate(CLASSES)}})
    pa.parquet.write_table(flat, folder / "flat.parquet")
    pa.feather.write_feather(table, folder / "lists.feather")
    with (
        pa.OSFile(str(folder / "lists.arrow"), "wb") as file,
        pa.ipc.new_file(file, table.schema) as out,
    ):
        out.write_table(table)
    np.savez(folder / "arrays.npz", item_ids=ids, probabilities=rows)
    np.save(folder / "scores.npy", np.array(rows))
    (folder / "scores.txt").write_text("\n".join(ids), "utf-8")


def write_coco(folder: Path) -> None:
    images = [{"id": int(i), "file_name": f"{i}.jpg", "width": 10, "height": 10} for i in IMAGES]
    categories = [{"id": 1, "name": "cat"}, {"id": 7, "name": "dog"}]
    shapes = {
        "boxes": {"bbox": [1, 1, 4, 4]},
        "polygons": {"segmentation": [[1, 1, 5, 1, 5, 5, 1, 5]]},
        "keypoints": {"keypoints": [1, 1, 2, 4, 4, 2], "num_keypoints": 2},
    }
    for name, shape in shapes.items():
        found = [
            {"image_id": int(i), "category_id": 1 + 6 * (place % 2), "score": c, **shape}
            for i, scores in IMAGES.items()
            for place, c in enumerate(scores)
        ]
        (folder / f"{name}.json").write_text(json.dumps(found))
    listing = {"images": images, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(listing))
    texts = [{**one, "image_id": str(one["image_id"])} for one in found]
    (folder / "text_ids.json").write_text(json.dumps(texts))
    numbered = [{"id": n, **one} for n, one in enumerate(found, 1)]
    (folder / "data_set.json").write_text(json.dumps({**listing, "annotations": numbered}))


def write_label_studio(folder: Path) -> None:
    def task(name: str, regions: list[Any]) -> dict[str, Any]:
        prediction = {"id": 1, "model_version": "v1", "result": regions}
        return {"id": len(name), "data": {"image": name}, "annotations": [], "predictions":
                [prediction]}  # fmt: skip

    def region(kind: str, value: Any, score: float) -> dict[str, Any]:
        return {"from_name": "r", "to_name": "i", "type": kind, "value": value, "score": score}

    area = {"x": 10, "y": 10, "width": 20, "height": 20, "rectanglelabels": ["cat"]}
    boxes = [task(f"{i}.jpg", [region("rectanglelabels", area, c) for c in scores]) for i, scores
             in IMAGES.items()]  # fmt: skip
    answers = [task(i, [region("choices", {"choices": top(p, 1)[:1]}, max(p))]) for i, p in
               ITEMS.items()]  # fmt: skip
    for name, tasks in (("boxes", boxes), ("choices", answers)):
        for number, one in enumerate(tasks, 1):
            one["id"] = number
        (folder / f"{name}.json").write_text(json.dumps(tasks))


if __name__ == "__main__":
    for name, makers in {
        "tables": (write_csv, write_json, write_arrow),
        "coco": (write_coco,),
        "label_studio": (write_label_studio,),
    }.items():
        shutil.rmtree(HERE / name, ignore_errors=True)
        (HERE / name).mkdir()
        for make in makers:
            make(HERE / name)
