"""355 road images with a detector's boxes, as COCO has them; made up where the data is absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "detections" / "cars"
LABEL_CONFIG = (
    '<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image">'
    '<Label value="Car"/></RectangleLabels></View>'
)


def cars() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Images and detections; some images have none."""
    if FOLDER.is_dir():
        truth = json.loads((FOLDER / "ground_truth.json").read_text("utf-8"))
        return truth["images"], json.loads((FOLDER / "detections.json").read_text("utf-8"))
    rng = np.random.default_rng(0)
    images = [{"id": i, "width": 676, "height": 380, "file_name": f"{i}.jpg"} for i in range(355)]
    detections = [
        {
            "image_id": i,
            "category_id": 0,
            "bbox": [*rng.uniform(0, 300, 2).tolist(), *rng.uniform(5, 80, 2).tolist()],
            "score": float(rng.uniform(0.05, 1)),
        }
        for i in range(355)
        for _ in range(rng.integers(0, 10))
    ]
    return images, detections


def car_task(image: dict[str, Any], detections: list[dict[str, Any]]) -> dict[str, Any]:
    """An image and its detections as a Label Studio task with a prediction."""
    width, height = image["width"], image["height"]
    result = []
    for number, detection in enumerate(detections):
        x, y, w, h = detection["bbox"]
        value = {
            "x": 100 * x / width,
            "y": 100 * y / height,
            "width": 100 * w / width,
            "height": 100 * h / height,
            "rotation": 0,
            "rectanglelabels": ["Car"],
        }
        result.append(
            {
                "id": f"r{number}",
                "from_name": "box",
                "to_name": "image",
                "type": "rectanglelabels",
                "original_width": width,
                "original_height": height,
                "image_rotation": 0,
                "score": detection["score"],
                "value": value,
            }
        )
    scores = [d["score"] for d in detections]
    mean = float(np.mean(scores)) if scores else 0.0
    prediction = {"model_version": "frcnn", "score": mean, "result": result}
    data = {"image": f"http://localhost/{image['file_name']}", "name": image["file_name"]}
    return {"data": data, "predictions": [prediction]}
