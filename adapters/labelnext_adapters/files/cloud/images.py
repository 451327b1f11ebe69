"""Responses about images: Azure's image analysis, Lookout for Vision and Scale's tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.vision.boxes import of_sides
from labelnext_adapters.files.vision.findings import (
    Finding,
    Said,
    Tool,
    inside,
    records_in,
    rows_of,
)


def _is_analysis(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    newer = {"tagsResult", "objectsResult", "peopleResult"} & value.keys()
    older = {"requestId", "metadata"} <= value.keys() and {"tags", "objects"} & value.keys()
    return bool(newer or older)


def _analysis(value: Mapping[str, Any]) -> Said:
    size = inside(value, "metadata", "width"), inside(value, "metadata", "height")
    objects = None
    if any(key in value for key in ("objects", "objectsResult", "peopleResult")):
        found = [*(value.get("objects") or []), *_values(value, "objectsResult")]
        objects = [_object(row) for row in rows_of(found, "objects")]
        people = rows_of(_values(value, "peopleResult"), "peopleResult")
        objects += [Finding("person", r.get("confidence"), _box(r)) for r in people]
    tags = rows_of(value.get("tags") or _values(value, "tagsResult"), "tags")
    classes = [Finding(row.get("name"), row.get("confidence")) for row in tags]
    known = None if None in size else size
    return Said(objects=objects, classes=classes, size=known)


def _values(value: Mapping[str, Any], key: str) -> Any:
    return inside(value, key, "values") or []


def _object(row: Mapping[str, Any]) -> Finding:
    """An object; in newer versions its class is its likeliest tag."""
    if "tags" not in row:
        return Finding(row.get("object"), row.get("confidence"), _box(row))
    tags = rows_of(row["tags"], "tags")
    if not tags:
        raise Unusable("an object must have a tag")
    return Finding(tags[0].get("name"), tags[0].get("confidence"), _box(row))


def _box(row: Mapping[str, Any]) -> Any:
    return of_sides(row.get("rectangle", row.get("boundingBox")), *"xywh")


def _is_lookout(value: Any) -> bool:
    return isinstance(value, Mapping) and {"IsAnomalous", "Confidence"} <= value.keys()


def _lookout(value: Mapping[str, Any]) -> Said:
    kind = "anomaly" if value["IsAnomalous"] is True else "normal"
    return Said(classes=[Finding(kind, value["Confidence"])])


def _is_scale(value: Any) -> bool:
    return bool(records_in(value, "annotations", "label", "left", "top"))


def _scale(value: Mapping[str, Any]) -> Said:
    rows = rows_of(value["annotations"], "annotations")
    if not any("confidence" in row for row in rows):
        raise Unusable("its annotations have no confidence: these are labels, not predictions")
    sides = ("left", "top", "width", "height")
    found = [Finding(r.get("label"), r.get("confidence"), of_sides(r, *sides)) for r in rows]
    names = (inside(value, "metadata", "filename"), inside(value, "params", "attachment"))
    return Said(objects=found, name=next((n for n in names if n), value.get("task_id")))


IMAGES = (
    Tool(
        _is_analysis,
        _analysis,
        "it has tags or objects of Azure's image analysis",
        independent=True,
    ),
    Tool(_is_lookout, _lookout, "it has IsAnomalous and Confidence, as of Lookout for Vision"),
    Tool(_is_scale, _scale, "its annotations have left and top, as Scale's"),
)
