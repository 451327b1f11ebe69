"""Make the fixtures of Ultralytics' results, to the published description of `summary()`.

python -m tests.formats.make_ultralytics

A result is a list of records with name, class, confidence and box (x1 y1 x2 y2, or four corners of
an oriented one), segments and keypoints; of classification, the five likeliest classes.
"""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "ultralytics"


def record(name: str, number: int, confidence: float, scale: float = 1.0) -> dict[str, Any]:
    box = dict(zip(("x1", "y1", "x2", "y2"), (10, 20, 50, 40), strict=True))
    box = {key: round(value * scale, 5) for key, value in box.items()}
    return {"name": name, "class": number, "confidence": confidence, "box": box}


def oriented(confidence: float) -> dict[str, Any]:
    corners = {
        "x1": 5.0,
        "y1": 0.0,
        "x2": 9.0,
        "y2": 4.0,
        "x3": 5.0,
        "y3": 8.0,
        "x4": 1.0,
        "y4": 4.0,
    }
    return {"name": "ship", "class": 1, "confidence": confidence, "box": corners}


def main() -> None:
    shutil.rmtree(HERE, ignore_errors=True)
    one = [record("person", 0, 0.9), record("dog", 16, 0.5)]
    images = {"bus": one, "zidane": [record("person", 0, 0.3)], "empty": []}
    (HERE / "folder").mkdir(parents=True)
    for stem, records in images.items():
        (HERE / "folder" / f"{stem}.json").write_text(json.dumps(records, indent=2))
    dump = {
        "one_image": one,
        "list_of_lists": list(images.values()),
        "list_of_texts": [json.dumps(records) for records in images.values()],
        "by_name": {f"{stem}.jpg": records for stem, records in images.items()},
        "fractions": {"a.jpg": [record("person", 0, 0.9, 0.01)]},
        "oriented": {"a.png": [oriented(0.75), oriented(0.25)], "b.png": [oriented(0.25)]},
        "flat": [{"image": f"{s}.jpg", **r} for s, rows in images.items() for r in rows],
        "classified": {
            "a.jpg": [
                {"name": name, "class": i, "confidence": p}
                for i, (name, p) in enumerate({"cat": 0.7, "dog": 0.2, "cow": 0.05}.items())
            ],
            "b.jpg": [
                {"name": name, "class": i, "confidence": p}
                for i, (name, p) in enumerate({"cow": 0.4, "dog": 0.35, "cat": 0.1}.items())
            ],
        },
        "top1": {
            "a.jpg": [{"name": "cat", "class": 0, "confidence": 0.9}],
            "b.jpg": [{"name": "dog", "class": 1, "confidence": 0.6}],
            "c.jpg": [{"name": "dog", "class": 1, "confidence": 0.7}],
        },
    }
    for name, value in dump.items():
        (HERE / f"{name}.json").write_text(json.dumps(value))
    with (HERE / "table.csv").open("w", newline="") as file:
        rows = csv.DictWriter(file, ["image", "name", "class", "confidence", "box"])
        rows.writeheader()
        for stem, records in images.items():
            rows.writerows({"image": f"{stem}.jpg", **r} for r in records)


if __name__ == "__main__":
    main()
