"""Responses of Rekognition, Google Vision, Azure Custom Vision, Vertex AI and Comprehend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.content.values import real
from labelnext_adapters.files.vision.boxes import around, of_sides
from labelnext_adapters.files.vision.findings import (
    Finding,
    Said,
    Tool,
    inside,
    list_of,
    records_in,
    rows_of,
)

_LABELS = ("CustomLabels", "Labels", "ModerationLabels")


def _is_rekognition(value: Any) -> bool:
    return any(records_in(value, key, "Name", "Confidence") is not None for key in _LABELS)


def _rekognition(image: Mapping[str, Any]) -> Said:
    key = next(name for name in _LABELS if isinstance(image.get(name), list))
    objects, classes = [], []
    for row in rows_of(image[key], key):
        kind, sure = row.get("Name"), _percent(row.get("Confidence"))
        if isinstance(shape := row.get("Geometry"), Mapping):
            objects.append(Finding(kind, sure, _rekognition_box(shape)))
            continue
        instances = rows_of(row.get("Instances") or [], "Instances")
        objects += [
            Finding(kind, _percent(one.get("Confidence")), _rekognition_box(one))
            for one in instances
        ]
        if not instances:
            classes.append(Finding(kind, sure))
    return Said(objects=objects, classes=classes)


def _percent(value: Any) -> Any:
    """A confidence from 0 to 100 as a fraction; what is none stays, and is said."""
    try:
        return real(value, "Confidence") / 100
    except Unusable:
        return value


def _rekognition_box(shape: Mapping[str, Any]) -> Any:
    return of_sides(shape.get("BoundingBox"), "Left", "Top", "Width", "Height")


_GOOGLE_CLASSES = "labelAnnotations"
_GOOGLE_OBJECTS = "localizedObjectAnnotations"


def _google_images(value: Any) -> Any:
    """The responses; Google says nothing of an image in which it found nothing."""
    responses = inside(value, "responses")
    if not isinstance(responses, list):
        return value
    return [
        {**one, _GOOGLE_OBJECTS: []}
        if isinstance(one, Mapping) and one.keys() <= {"context"}
        else one
        for one in responses
    ]


def _is_google(value: Any) -> bool:
    return isinstance(value, Mapping) and bool({_GOOGLE_CLASSES, _GOOGLE_OBJECTS} & value.keys())


def _google(image: Mapping[str, Any]) -> Said:
    objects = None
    if _GOOGLE_OBJECTS in image:
        rows = rows_of(image[_GOOGLE_OBJECTS], _GOOGLE_OBJECTS)
        objects = [Finding(r.get("name"), r.get("score"), _google_box(r)) for r in rows]
    labels = rows_of(image.get(_GOOGLE_CLASSES) or [], _GOOGLE_CLASSES)
    return Said(
        objects=objects,
        classes=[Finding(row.get("description"), row.get("score")) for row in labels],
        name=inside(image, "context", "uri"),
    )


def _google_box(row: Mapping[str, Any]) -> Any:
    """The box around the corners, of which coordinates that are 0 are left out."""
    corners = inside(row, "boundingPoly", "normalizedVertices")
    if not isinstance(corners, list) or not corners:
        return None
    corners = rows_of(corners, "normalizedVertices")
    return around([c.get("x", 0) for c in corners], [c.get("y", 0) for c in corners])


def _is_azure(value: Any) -> bool:
    rows = records_in(value, "predictions", "tagName", "probability")
    return rows is not None and (bool(rows) or "iteration" in value)


def _azure(image: Mapping[str, Any]) -> Said:
    rows = rows_of(image["predictions"], "predictions")
    sides = ("left", "top", "width", "height")
    told = [
        Finding(r.get("tagName"), r.get("probability"), of_sides(r.get("boundingBox"), *sides))
        for r in rows
    ]
    boxed = any(row.get("boundingBox") is not None for row in rows)
    return Said(objects=told) if boxed or not rows else Said(classes=told)


def _vertex_images(value: Any) -> Any:
    told = inside(value, "predictions")
    return told if isinstance(told, list) and any(map(_is_vertex, told[:20])) else value


def _vertex_prediction(value: Any) -> Any:
    return value.get("prediction", value) if isinstance(value, Mapping) else None


def _is_vertex(value: Any) -> bool:
    told = _vertex_prediction(value)
    if not isinstance(told, Mapping):
        return False
    table = {"classes", "scores"} <= told.keys() and "instance" in value
    return table or {"displayNames", "confidences"} <= told.keys()


def _vertex(record: Mapping[str, Any]) -> Said:
    told, name = _vertex_prediction(record), _vertex_name(record)
    if "displayNames" not in told:
        scores = list_of(told["scores"], "scores")
        kinds = list_of(told["classes"], "classes", len(scores))
        return Said(classes=list(map(Finding, kinds, scores)), name=name)
    scores = list_of(told["confidences"], "confidences")
    kinds = list_of(told["displayNames"], "displayNames", len(scores))
    if "bboxes" in told or "textSegmentStartOffsets" in told:
        boxes = list_of(told.get("bboxes") or [None] * len(scores), "bboxes", len(scores))
        return Said(objects=list(map(Finding, kinds, scores, map(_vertex_box, boxes))), name=name)
    return Said(classes=list(map(Finding, kinds, scores)), name=name)


def _vertex_name(record: Mapping[str, Any]) -> Any:
    """The key of an instance, or the address of its content."""
    within = (inside(record, "instance", name) for name in ("key", "content", "id"))
    names = (record.get("key"), *within)
    return next((name for name in names if isinstance(name, str | int) and name != ""), None)


def _vertex_box(box: Any) -> Any:
    """The corners of [xMin, xMax, yMin, yMax]."""
    return [box[0], box[2], box[1], box[3]] if isinstance(box, list) and len(box) == 4 else box


_COMPREHEND = ("Classes", "Labels")


def _is_comprehend(value: Any) -> bool:
    if isinstance(value, Mapping) and isinstance(value.get("SentimentScore"), Mapping):
        return True
    return any(records_in(value, key, "Name", "Score") for key in _COMPREHEND)


def _comprehend(record: Mapping[str, Any]) -> Said:
    mood = record.get("SentimentScore")
    if isinstance(mood, Mapping):
        classes = [Finding(name, score) for name, score in mood.items()]
    else:
        key = next(name for name in _COMPREHEND if isinstance(record.get(name), list))
        classes = [Finding(r.get("Name"), r.get("Score")) for r in rows_of(record[key], key)]
    file, line = record.get("File"), record.get("Line")
    return Said(classes=classes, name=file if line is None else f"{file}:{line}")


SERVICES = (
    Tool(
        _is_rekognition,
        _rekognition,
        "it has labels with Name and Confidence, as Rekognition's responses",
        fractions=True,
        independent=True,
    ),
    Tool(
        _is_google,
        _google,
        "it has annotations of Google Vision",
        several=_google_images,
        fractions=True,
        independent=True,
    ),
    Tool(
        _is_azure,
        _azure,
        "its predictions have tagName and probability, as Azure Custom Vision's",
        fractions=True,
    ),
    Tool(
        _is_vertex,
        _vertex,
        "its predictions have displayNames and confidences, as Vertex AI's",
        several=_vertex_images,
        fractions=True,
    ),
    Tool(_is_comprehend, _comprehend, "its classes have Name and Score, as Comprehend's"),
)
