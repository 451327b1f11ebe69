"""Darknet's result.json: objects of each image, with boxes by their centre."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelnext_adapters.files.vision.boxes import from_middle
from labelnext_adapters.files.vision.findings import Finding, Said, Tool, records_in, rows_of


def _is_one(value: Any) -> bool:
    rows = records_in(value, "objects", "relative_coordinates", "confidence")
    return bool(rows) or (rows == [] and "frame_id" in value)


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
    sides = ("center_x", "center_y", "width", "height")
    return from_middle(*map(box.get, sides)) if isinstance(box, Mapping) else None


TOOLS = (Tool(_is_one, _said, "its images have objects with relative_coordinates", fractions=True),)
