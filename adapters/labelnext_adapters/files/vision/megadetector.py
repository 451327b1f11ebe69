"""MegaDetector's batch format: detections of each image, by the numbers of their categories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelnext_adapters.files.vision.boxes import of_four
from labelnext_adapters.files.vision.findings import Finding, Said, Tool, records_in, rows_of

_CATEGORIES = "detection_categories"


def _several(value: Any) -> Any:
    """The images of a file, each with the names of the categories."""
    if not isinstance(value, Mapping) or not isinstance(value.get("images"), list):
        return value
    names = value.get(_CATEGORIES)
    return [
        {**one, _CATEGORIES: names} if isinstance(one, Mapping) else one for one in value["images"]
    ]


def _is_one(value: Any, sure: str = "conf") -> bool:
    if not isinstance(value, Mapping) or "file" not in value:
        return False
    if isinstance(value.get("detections"), list):
        rows = records_in(value, "detections", "category", sure)
        return bool(rows) or (rows == [] and (_CATEGORIES in value or len(value) == 2))
    return "failure" in value


def _is_of_wildlife(value: Any) -> bool:
    return _is_one(value, "confidence")


def _said(image: Mapping[str, Any]) -> Said:
    name, rows = image["file"], image.get("detections")
    if rows is None and image.get("failure"):
        return Said(objects=[], name=name, skipped=True)
    names = image.get(_CATEGORIES)
    names = names if isinstance(names, Mapping) else {}
    objects, species = [], False
    for row in rows_of(rows, "detections"):
        category = row.get("category")
        kind = names.get(str(category), category)
        species |= bool(row.get("classifications"))
        objects.append(Finding(kind, row.get("conf", row.get("confidence")), _box(row)))
    return Said(
        objects=objects, name=name, unread="Classifications inside detections" if species else ""
    )


def _box(row: Mapping[str, Any]) -> Any:
    """The corners of a box: with `conf` of a corner and a size, with `confidence` as they are."""
    return of_four(row.get("bbox")) if "conf" in row else row.get("bbox")


_SIGN = "its images have file and detections with category"
TOOLS = (
    Tool(_is_one, _said, _SIGN, several=_several, fractions=True),
    Tool(_is_of_wildlife, _said, _SIGN, several=_several),
)
