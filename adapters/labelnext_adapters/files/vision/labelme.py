"""LabelMe's JSON of an image: shapes, which have a score where a model drew them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.vision.boxes import around
from labelnext_adapters.files.vision.detections import SCORES
from labelnext_adapters.files.vision.findings import Finding, Said, Tool, rows_of


def _is_one(value: Any) -> bool:
    return isinstance(value, Mapping) and {"shapes", "imagePath"} <= value.keys()


def _said(image: Mapping[str, Any]) -> Said:
    shapes = rows_of(image["shapes"], "shapes")
    scores = [_score(shape) for shape in shapes]
    if shapes and all(score is None for score in scores):
        raise Unusable("its shapes have no score, so they are labels, not predictions")
    flags = image.get("flags")
    if not shapes and isinstance(flags, Mapping) and any(flags.values()):
        raise Unusable("its flags have no score, so they are labels, not predictions")
    sides = image.get("imageWidth"), image.get("imageHeight")
    return Said(
        objects=[
            Finding(shape.get("label"), score, _box(shape))
            for shape, score in zip(shapes, scores, strict=True)
        ],
        name=image["imagePath"] or None,
        size=None if None in sides else sides,
    )


def _score(shape: Mapping[str, Any]) -> Any:
    """The score of a shape, also among its flags; None if it has none."""
    flags = shape.get("flags")
    places = (shape, flags) if isinstance(flags, Mapping) else (shape,)
    scores = (place.get(name) for place in places for name in SCORES)
    return next((score for score in scores if score is not None), None)


def _box(shape: Mapping[str, Any]) -> Any:
    """The box around the points; around the whole circle of a centre and a point on it."""
    points = shape.get("points")
    if not isinstance(points, list) or not points or not all(map(_is_point, points)):
        return points
    if shape.get("shape_type") == "circle" and len(points) == 2:
        (x, y), (edge_x, edge_y) = points
        radius = math.dist((float(x), float(y)), (float(edge_x), float(edge_y)))
        points = [(x - radius, y - radius), (x + radius, y + radius)]
    return around([x for x, _ in points], [y for _, y in points])


def _is_point(point: Any) -> bool:
    numbers = isinstance(point, Sequence) and [type(n) in (int, float) for n in point]
    return numbers == [True, True] and all(abs(number) < 1e9 for number in point)


TOOLS = (Tool(_is_one, _said, "it has shapes and imagePath"),)
