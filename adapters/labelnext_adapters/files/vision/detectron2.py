"""Detectron2's instances of each image: parallel lists, or records of COCO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelnext_adapters.files.vision.boxes import of_four
from labelnext_adapters.files.vision.findings import Finding, Said, Tool, list_of, rows_of


def _is_one(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    inside = _instances(value)
    if isinstance(inside, list):
        first = inside[0] if inside else None
        records = isinstance(first, Mapping) and {"category_id", "score"} <= first.keys()
        return records or (not inside and "image_id" in value)
    return isinstance(inside, Mapping) and {"pred_boxes", "scores"} <= inside.keys()


def _instances(image: Mapping[str, Any]) -> Any:
    """The records, or the fields, of an image; as `Instances` keeps them, or as vars() shows it."""
    inside = image.get("instances", image)
    for name in ("fields", "_fields"):
        if isinstance(inside, Mapping) and isinstance(inside.get(name), Mapping):
            return inside[name]
    return inside


def _said(image: Mapping[str, Any]) -> Said:
    inside = _instances(image)
    if isinstance(inside, list):
        return Said(
            objects=[
                Finding(row.get("category_id"), row.get("score"), of_four(row.get("bbox")))
                for row in rows_of(inside, "instances")
            ],
            size=_size(image),
        )
    scores = list_of(inside["scores"], "scores")
    boxes = inside["pred_boxes"]
    boxes = boxes.get("tensor") if isinstance(boxes, Mapping) else boxes
    boxes = list_of(boxes, "pred_boxes", len(scores))
    kinds = inside.get("pred_classes")
    kinds = [None] * len(scores) if kinds is None else list_of(kinds, "pred_classes", len(scores))
    size = _size(inside) or _size(image.get("instances", {})) or _size(image)
    return Said(objects=list(map(Finding, kinds, scores, boxes)), size=size)


def _size(record: Mapping[str, Any]) -> Any:
    """Width and height of the image; None if they aren't there."""
    shape = record.get("image_size", record.get("_image_size"))
    if isinstance(shape, list) and len(shape) == 2:
        return shape[1], shape[0]
    sides = record.get("width"), record.get("height")
    return None if None in sides else sides


TOOLS = (Tool(_is_one, _said, "its images have pred_boxes and scores, or lists of instances"),)
