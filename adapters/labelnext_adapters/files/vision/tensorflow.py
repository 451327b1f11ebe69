"""TensorFlow's object detection: parallel lists of each image, with boxes y1 x1 y2 x2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelnext_adapters.files.vision.findings import Finding, Said, Tool, inside, list_of

_NAMES = ("detection_class_names", "detection_class_entities", "detection_classes_as_text")


def _several(value: Any) -> Any:
    """The images of a response of TensorFlow Serving."""
    told = inside(value, "predictions")
    return told if isinstance(told, list) and any(map(_is_one, told[:20])) else value


def _is_one(value: Any) -> bool:
    return isinstance(value, Mapping) and {"detection_boxes", "detection_scores"} <= value.keys()


def _said(image: Mapping[str, Any]) -> Said:
    scores = _unbatched(list_of(image["detection_scores"], "detection_scores"))
    boxes = list_of(_unbatched(image["detection_boxes"]), "detection_boxes", len(scores))
    names = next((image[name] for name in _NAMES if name in image), None)
    kinds: Any = image.get("detection_classes") if names is None else names
    kinds = [None] * len(scores) if kinds is None else _unbatched(kinds)
    kinds = list_of(kinds, "detection_classes", len(scores))
    count = image.get("num_detections")
    count = count[0] if isinstance(count, list) and count else count
    known = isinstance(count, int | float) and 0 <= count <= len(scores)
    told = int(count) if known else len(scores)  # type: ignore[arg-type]  # known
    objects = map(Finding, kinds, scores, map(_corners, boxes))
    return Said(objects=list(objects)[:told], name=image.get("key"))


def _unbatched(value: Any) -> Any:
    """Without the axis of a batch of one."""
    return value[0] if _is_batch(value) else value


def _is_batch(value: Any) -> bool:
    """Whether a list has one member, itself a list of scores, classes or boxes."""
    inner = value[0] if isinstance(value, list) and len(value) == 1 else None
    return isinstance(inner, list) and (len(inner) != 4 or isinstance(inner[0], list))


def _corners(box: Any) -> Any:
    return [box[1], box[0], box[3], box[2]] if isinstance(box, list) and len(box) == 4 else box


TOOLS = (
    Tool(
        _is_one,
        _said,
        "its images have detection_boxes and detection_scores",
        several=_several,
        fractions=True,
    ),
)
