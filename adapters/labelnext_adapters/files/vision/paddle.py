"""Paddle's results of an image: boxes with their coordinates, or numbers of classes with scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelnext_adapters.files.vision.findings import (
    Finding,
    Said,
    Tool,
    list_of,
    records_in,
    rows_of,
)


def _is_detection(value: Any) -> bool:
    rows = records_in(value, "boxes", "coordinate", "score")
    return bool(rows) or (rows == [] and "input_path" in value)


def _detected(image: Mapping[str, Any]) -> Said:
    objects = []
    for row in rows_of(image["boxes"], "boxes"):
        kind = row.get("label")
        kind = row.get("cls_id") if kind is None else kind
        objects.append(Finding(kind, row.get("score"), row.get("coordinate")))
    return Said(objects=objects, name=image.get("input_path"))


def _is_classification(value: Any) -> bool:
    return isinstance(value, Mapping) and {"class_ids", "scores"} <= value.keys()


def _classified(image: Mapping[str, Any]) -> Said:
    scores = list_of(image["scores"], "scores")
    names = image.get("label_names") or image["class_ids"]
    kinds = list_of(names, "class_ids", len(scores))
    return Said(classes=list(map(Finding, kinds, scores)), name=image.get("input_path"))


TOOLS = (
    Tool(_is_detection, _detected, "its images have boxes with coordinate and score"),
    Tool(_is_classification, _classified, "its images have class_ids and scores"),
)
