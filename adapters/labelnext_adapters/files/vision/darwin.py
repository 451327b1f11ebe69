"""V7's Darwin JSON of an image: annotations, with an inference where a model made them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.vision.boxes import around
from labelnext_adapters.files.vision.findings import Finding, Said, Tool, inside, rows_of

_SIDES = ("x", "y", "w", "h")


def _is_one(value: Any) -> bool:
    if not isinstance(value, Mapping) or not isinstance(value.get("annotations"), list):
        return False
    item, image = value.get("item"), value.get("image")
    if isinstance(item, Mapping):
        return "slots" in item or "source_info" in item
    return isinstance(image, Mapping) and "dataset" in value and "filename" in image


def _said(image: Mapping[str, Any]) -> Said:
    rows = rows_of(image["annotations"], "annotations")
    if rows and all(inside(row, "inference", "confidence") is None for row in rows):
        raise Unusable("its annotations have no inference: these are labels, not predictions")
    tags = [row for row in rows if "tag" in row]
    objects = [_finding(row) for row in rows if "tag" not in row]
    about = image.get("item", image.get("image"))
    slots = about.get("slots")
    sized = slots[0] if isinstance(slots, list) and slots else about
    sides = (sized.get("width"), sized.get("height")) if isinstance(sized, Mapping) else (None,)
    return Said(
        objects=None if tags and not objects else objects,
        classes=[_finding(row) for row in tags],
        name=about.get("name") or about.get("filename"),
        size=None if None in sides else sides,
    )


def _finding(row: Mapping[str, Any]) -> Finding:
    return Finding(row.get("name"), inside(row, "inference", "confidence"), _box(row))


def _box(row: Mapping[str, Any]) -> Any:
    """The box that V7 writes beside every shape; None without one."""
    box = row.get("bounding_box")
    if not isinstance(box, Mapping) or not all(type(box.get(s)) in (int, float) for s in _SIDES):
        return None
    x, y, width, height = (box[side] for side in _SIDES)
    return around([x, x + width], [y, y + height])


TOOLS = (Tool(_is_one, _said, "its images have an item with slots and annotations"),)
