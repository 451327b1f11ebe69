"""Projects and annotations of the VGG Image Annotator: regions with a class and a score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.tables.column_names import first_of
from labelnext_adapters.files.tables.known_names import CERTAINTIES, CLASSES
from labelnext_adapters.files.vision.boxes import around, of_sides
from labelnext_adapters.files.vision.findings import Finding, Said, Tool, inside

_NO_SCORE = (
    "its regions must have a score or confidence among their region_attributes; without one they "
    "are labels, not predictions"
)


def _several(value: Any) -> Any:
    """The images of a project, or of its exported annotations."""
    if isinstance(value, Mapping) and isinstance(value.get("_via_img_metadata"), Mapping):
        value = value["_via_img_metadata"]
    if isinstance(value, Mapping) and value and all(map(_is_one, value.values())):
        return list(value.values())
    return value


def _is_one(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and "filename" in value
        and isinstance(value.get("regions"), list | Mapping)
    )


def _said(image: Mapping[str, Any]) -> Said:
    regions = image["regions"]  # a mapping in version 1
    rows = list(regions.values()) if isinstance(regions, Mapping) else regions
    return Said(objects=[_finding(row) for row in rows], name=image["filename"])


def _finding(region: Any) -> Finding:
    told = inside(region, "region_attributes")
    if not isinstance(told, Mapping):
        raise Unusable(f"a region must have region_attributes; got {region!r:.60}")
    sure = first_of(told, CERTAINTIES)
    if sure is None:
        raise Unusable(_NO_SCORE)
    name = first_of([one for one in told if one != sure], CLASSES)
    return Finding(None if name is None else told[name], told[sure], _box(region))


def _box(region: Mapping[str, Any]) -> Any:
    """The box around a shape, in pixels; None if it can't be read."""
    shape = region.get("shape_attributes")
    if not isinstance(shape, Mapping):
        return None
    if "width" in shape:
        return of_sides(shape, "x", "y", "width", "height")
    xs, ys = shape.get("all_points_x"), shape.get("all_points_y")
    if isinstance(xs, list) and isinstance(ys, list) and xs and ys:
        try:
            return around(xs, ys)
        except Unusable:
            return None
    across, down = shape.get("rx", shape.get("r")), shape.get("ry", shape.get("r"))
    middle = (shape.get("cx"), shape.get("cy"), across, down)
    if any(type(one) not in (int, float) for one in middle):
        return None
    return around((middle[0] - across, middle[0] + across), (middle[1] - down, middle[1] + down))


TOOLS = (
    Tool(_is_one, _said, "its images have regions with attributes, as of VIA", several=_several),
)
