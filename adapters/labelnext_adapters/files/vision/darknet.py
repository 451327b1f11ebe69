"""Darknet's result.json: objects of each image, with boxes by their centre."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelnext_adapters.files.vision.findings import Finding, Said, Tool, from_corner, rows_of


def _is_one(value: Any) -> bool:
    if not isinstance(value, Mapping) or not isinstance(value.get("objects"), list):
        return False
    first = value["objects"][0] if value["objects"] else None
    if first is None:
        return "frame_id" in value
    return isinstance(first, Mapping) and {"relative_coordinates", "confidence"} <= first.keys()


def _said(image: Mapping[str, Any]) -> Said:
    objects = []
    for row in rows_of(image["objects"], "objects"):
        kind = row.get("name")
        kind = row.get("class_id") if kind in (None, "") else kind
        objects.append(
            Finding(kind, row.get("confidence"), _corners(row.get("relative_coordinates")))
        )
    return Said(objects=objects)


def _corners(box: Any) -> Any:
    if not isinstance(box, Mapping):
        return None
    x, y = box.get("center_x"), box.get("center_y")
    width, height = box.get("width"), box.get("height")
    corners = from_corner(x, y, width, height)
    if corners == [x, y, width, height]:
        return corners
    across, down = corners[2] - corners[0], corners[3] - corners[1]
    return [corners[0] - across / 2, corners[1] - down / 2, corners[0] + across / 2,
            corners[1] + down / 2]  # fmt: skip


TOOLS = (Tool(_is_one, _said, "its images have objects with relative_coordinates", fractions=True),)
