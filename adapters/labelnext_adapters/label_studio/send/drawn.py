"""What people drew: the regions of an annotation as marks, with the ids that were sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from labelnext.adapter.batch import Attribute, Kind, Mark, Value
from labelnext_adapters.label_studio.send.brush import mask_of_rle
from labelnext_adapters.label_studio.send.label_tag import ANSWERS, FLAGS
from labelnext_adapters.label_studio.send.regions import PART
from labelnext_adapters.label_studio_format.faults import BrokenRegion
from labelnext_adapters.label_studio_format.region import Region, size_of
from labelnext_adapters.label_studio_format.regions import Found

_NUMBER = re.compile(r"[0-9]{1,4}")


def drawn_marks(
    said: Sequence[Found],
    regions: Sequence[Region],
    labels: Sequence[str],
    kind: Kind,
    attributes: Mapping[str, Mapping[str, Value]],
) -> tuple[Mark, ...]:
    """The objects of an annotation; regions that were sent as one label are one again.

    Args:
        said: classes and boxes.
        regions: the same ones, as they are stored.
        labels: names of the classes.
        kind: what is labelled.
        attributes: what else is said of regions, by their ids.

    Raises:
        BrokenRegion: if a region has no such shape.
    """
    made: dict[str | int, Mark] = {}
    named: dict[str, str] = {}
    for at, (found, region) in enumerate(zip(said, regions, strict=True)):
        label = labels[found.class_id]
        mark_id, number = _id_of(region)
        if mark_id is not None and named.setdefault(mark_id, label) != label:
            mark_id, number = None, 0  # a part that was given another label
        key = mark_id if mark_id is not None and kind in ("polygon", "keypoint") else at
        whole = made.setdefault(key, Mark(label, found.box, mark_id=mark_id))
        extra = attributes.get(str(region.id))
        if extra:  # every part of a label may have them
            whole = made[key] = replace(whole, attributes={**extra, **whole.attributes})
        if kind in ("polygon", "keypoint"):
            path = _points(region, kind)
            paths = [*whole.paths, *[()] * (number - len(whole.paths) + 1)]
            paths[number] = path
            made[key] = replace(whole, box=None, paths=tuple(paths))
        elif kind == "mask":
            made[key] = replace(whole, box=None, mask=_pixels(region))
    return tuple(
        replace(mark, paths=tuple(filter(None, mark.paths))) if kind == "polygon" else mark
        for mark in made.values()
    )


def attributes_in(
    regions: Sequence[Region], attributes: Sequence[Attribute]
) -> dict[str, dict[str, Value]]:
    """What an annotation says of regions besides their classes, by their ids.

    Args:
        regions: all of the annotation.
        attributes: what is asked for.

    Raises:
        BrokenRegion: if a number is none.
    """
    asked = {attribute.name: attribute for attribute in attributes}
    said: dict[str, dict[str, Value]] = {}
    for region in regions:
        attribute = asked.get(region.from_name)
        if attribute is None:
            continue
        value = _value(region).get(ANSWERS[attribute.kind][1])
        if isinstance(value, list):  # of choices, or of the lines of a text
            value = "\n".join(str(part) for part in value) or None
        if value is None:
            continue
        if attribute.kind == "flag":
            value = value == FLAGS[0]
        elif attribute.kind == "number" and type(value) not in (int, float):
            raise BrokenRegion(f"{attribute.name} must be a number")
        said.setdefault(str(region.id), {})[attribute.name] = value
    return said


def id_of(region: Region) -> str | None:
    """The id of the label that a region was sent as; None if people drew it."""
    return _id_of(region)[0]


def _id_of(region: Region) -> tuple[str | None, int]:
    """The id of the label that a region was sent as, and which of its parts it is."""
    text = region.id.partition("#")[0] if isinstance(region.id, str) else ""
    name, _, number = text.partition(PART)
    if not name or name.startswith("labelnext-"):
        return None, 0  # it had none
    return name, int(number) if _NUMBER.fullmatch(number) else 0


def _points(region: Region, kind: Kind) -> tuple[tuple[float, float], ...]:
    value = _value(region)
    try:
        pairs = value["points"] if kind == "polygon" else [(value["x"], value["y"])]
        return tuple((float(x) / 100, float(y) / 100) for x, y in pairs)
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenRegion(f"a {kind} without its points") from error


def _pixels(region: Region) -> Any:
    rle = _value(region).get("rle")
    width, height = int(size_of(region.original_width)), int(size_of(region.original_height))
    mask = mask_of_rle(rle, width, height) if rle and width and height else None
    if mask is None:
        raise BrokenRegion("a mask without pixels")
    return mask


def _value(region: Region) -> dict[str, Any]:
    value = json.loads(bytes(region.value))
    return value if isinstance(value, dict) else {}
