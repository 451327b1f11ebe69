"""Supervisely's JSON of an image: objects, with a tag for the score where a model drew them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.tables.column_names import plain
from labelnext_adapters.files.tables.known_names import CERTAINTIES
from labelnext_adapters.files.vision.boxes import around
from labelnext_adapters.files.vision.findings import Finding, Said, Tool, inside, rows_of


def _is_one(value: Any) -> bool:
    if not isinstance(value, Mapping) or not isinstance(value.get("objects"), list):
        return False
    size, first = value.get("size"), next(iter(value["objects"]), {"classTitle": ""})
    sized = isinstance(size, Mapping) and {"width", "height"} <= size.keys()
    return sized and isinstance(first, Mapping) and "classTitle" in first


def _said(image: Mapping[str, Any]) -> Said:
    found = [_finding(row) for row in rows_of(image["objects"], "objects")]
    if found and all(one.confidence is None for one in found):
        raise Unusable("its objects have no tag with a score: these are labels, not predictions")
    size = image["size"]
    return Said(objects=found, size=(size["width"], size["height"]))


def _finding(row: Mapping[str, Any]) -> Finding:
    tags = rows_of(row.get("tags") or [], "tags")
    scores = [tag.get("value") for tag in tags if plain(str(tag.get("name"))) in CERTAINTIES]
    corners = inside(row, "points", "exterior")
    told = corners if isinstance(corners, list) and all(map(_is_point, corners)) else []
    box = around(*zip(*told, strict=True)) if len(told) > 1 else None
    return Finding(row.get("classTitle"), scores[0] if scores else None, box)


def _is_point(point: Any) -> bool:
    return isinstance(point, list) and [type(n) in (int, float) for n in point] == [True, True]


TOOLS = (Tool(_is_one, _said, "its images have a size and objects with classTitle"),)
