"""Make the fixtures of supervision with its own sinks.

pip install supervision, then: python tests/formats/make_supervision.py
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import supervision as sv

HERE = Path(__file__).parent / "supervision"
IMAGES = {"bus.jpg": [0.9, 0.5], "zidane.jpg": [0.3], "007": [0.8]}


def detections(scores: list[float], confident: bool = True) -> sv.Detections:
    return sv.Detections(
        xyxy=np.array([[10.0, 20.0, 50.0, 40.0]] * len(scores)).reshape(-1, 4),
        confidence=np.array(scores) if confident else None,
        class_id=np.arange(len(scores)),
        data={"class_name": np.array(["person", "dog"][: len(scores)])},
    )


def main() -> None:
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir()
    for name, sink, column, confident in (
        ("sink.csv", sv.CSVSink, "file_name", True),
        ("sink.json", sv.JSONSink, "file_name", True),
        ("frames.csv", sv.CSVSink, "frame_index", True),
        ("own_column.csv", sv.CSVSink, "photo", True),
        ("labels.json", sv.JSONSink, "file_name", False),
    ):
        with sink(str(HERE / name)) as file:
            for number, (image, scores) in enumerate(IMAGES.items()):
                value = number if column == "frame_index" else image
                file.append(detections(scores, confident), custom_data={column: value})
    with sv.CSVSink(str(HERE / "nameless.csv")) as file:
        for scores in IMAGES.values():
            file.append(detections(scores), custom_data={})
    arrays = {}
    for image, scores in {**IMAGES, "empty.jpg": []}.items():
        found = detections(scores)
        arrays[image] = {
            "xyxy": found.xyxy.tolist(),
            "confidence": found.confidence.tolist(),
            "class_id": found.class_id.tolist(),
            "data": {"class_name": found.data["class_name"].tolist()},
        }
    (HERE / "arrays.json").write_text(json.dumps(arrays))


if __name__ == "__main__":
    main()
