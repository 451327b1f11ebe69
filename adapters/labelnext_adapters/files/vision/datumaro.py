"""Datumaro's JSON: items with annotations, of which a model's have a score among the attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.tables.column_names import first_of
from labelnext_adapters.files.tables.known_names import CERTAINTIES
from labelnext_adapters.files.vision.boxes import around, of_four
from labelnext_adapters.files.vision.findings import Finding, Said, Tool, inside, rows_of

_NAMES = "names of the classes"  # beside an item, by their number
_UNSHAPED = ("caption", "label", "points")


def _several(value: Any) -> Any:
    """The items of a data set, each with the names of its classes."""
    if not _is_set(value):
        return value
    names = [inside(one, "name") for one in inside(value, "categories", "label", "labels") or []]
    return [
        {**item, _NAMES: names} if isinstance(item, Mapping) else item for item in value["items"]
    ]


def _is_set(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("categories"), Mapping)
        and isinstance(value.get("items"), list)
    )


def _is_one(value: Any) -> bool:
    return isinstance(value, Mapping) and {"id", "annotations", _NAMES} <= value.keys()


def _said(item: Mapping[str, Any]) -> Said:
    rows = rows_of(item["annotations"], "annotations")
    rows = [row for row in rows if row.get("type") != "caption"]
    media = [item[key] for key in ("image", "media") if isinstance(item.get(key), Mapping)]
    image: Mapping[str, Any] = media[0] if media else {}
    found = [(row, _finding(row, item[_NAMES])) for row in rows]
    if found and all(one.confidence is None for _, one in found):
        raise Unusable("its annotations have no score, so they are labels, not predictions")
    size = image.get("size")
    classes = [one for row, one in found if row.get("type") == "label"]
    objects = [one for row, one in found if row.get("type") != "label"]
    return Said(
        objects=objects if objects or not classes else None,
        classes=classes,
        name=image.get("path") or item["id"],
        size=size[::-1] if isinstance(size, list) and len(size) == 2 else None,
    )


def _finding(row: Mapping[str, Any], names: Sequence[Any]) -> Finding:
    told = row.get("attributes")
    known = {**row, **told} if isinstance(told, Mapping) else row
    sure, number = first_of(known, CERTAINTIES), row.get("label_id")
    if type(number) is int and not 0 <= number < len(names):
        raise Unusable(f"label_id must be one of 0 to {len(names) - 1}; got {number}")
    kind = names[number] if type(number) is int else number
    return Finding(kind, None if sure is None else known[sure], _box(row))


def _box(row: Mapping[str, Any]) -> Any:
    """The box of an annotation in pixels, or that around its points; None if it has none."""
    if isinstance(box := row.get("bbox"), list) and len(box) == 4:
        return of_four(box)
    points = row.get("points")
    if row.get("type") in _UNSHAPED or not isinstance(points, list) or len(points) < 4:
        return None
    return around(points[::2], points[1::2])


TOOLS = (
    Tool(
        _is_one,
        _said,
        "it has categories and items with annotations, as Datumaro's",
        several=_several,
    ),
)
