"""A large project on a Label Studio server of its own, for the benchmarks beside this file."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.integration.label_studio_server import LabelStudio

BOXES = (
    '<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image">'
    '<Label value="car"/><Label value="bus"/></RectangleLabels></View>'
)
_CHUNK = 2000


def make_project(server: LabelStudio, n_tasks: int, n_boxes: int = 5) -> int:
    """A project of images with that many predicted boxes each."""
    rng = np.random.default_rng(0)
    project = server.create_project(BOXES)
    for start in range(0, n_tasks, _CHUNK):
        numbers = range(start, min(start + _CHUNK, n_tasks))
        server.api(
            "POST",
            f"/api/projects/{project}/import",
            [_task(rng, number, n_boxes) for number in numbers],
            return_task_ids=False,
        )
    return project


def _task(rng: np.random.Generator, number: int, n_boxes: int) -> dict[str, Any]:
    rows = rng.uniform(0, 50, (n_boxes, 4)).tolist()
    scores = rng.uniform(0.05, 1, n_boxes).tolist()
    result = [
        {
            "id": f"{number}-{i}",
            "from_name": "box",
            "to_name": "image",
            "type": "rectanglelabels",
            "original_width": 640,
            "original_height": 480,
            "image_rotation": 0,
            "score": score,
            "value": {
                "x": x,
                "y": y,
                "width": w,
                "height": h,
                "rotation": 0,
                "rectanglelabels": [("car", "bus")[i % 2]],
            },
        }
        for i, ((x, y, w, h), score) in enumerate(zip(rows, scores, strict=True))
    ]
    data = {"image": f"/images/{number:06d}.jpg", "name": f"{number:06d}"}
    prediction = {"model_version": "detector", "score": scores[0], "result": result}
    return {"data": data, "predictions": [prediction]}
