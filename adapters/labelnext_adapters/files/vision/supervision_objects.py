"""Detections and classes of the library supervision to a Pool, from memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labelnext.errors import InvalidInput
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.vision.findings import Finding, Images, Said


def pool_of_detections(detections: Any, sizes: Mapping[Any, Any] | None) -> Pool:
    """The images.

    Args:
        detections: `Detections` or `Classifications` by id, or a `DetectionDataset`.
        sizes: width and height of the images in pixels, by id.

    Raises:
        InvalidInput: if they are something else, or too many can't be used.
    """
    kinds = getattr(detections, "classes", None)  # of a data set of supervision
    by_item = _by_item("detections", getattr(detections, "annotations", detections))
    known = {} if sizes is None else _by_item("sizes", sizes)
    sides = {item: _checked_size(item, known.get(item)) for item in by_item}
    said = [_said(item, one, sides[item], kinds) for item, one in by_item.items()]
    notices = []
    boxed = (item for item, one in by_item.items() if len(getattr(one, "xyxy", ())))
    if sizeless := tuple(str(item) for item in boxed if sides[item] is None):
        message = "Left out the boxes of items without a size (give sizes)."
        notices.append(Notice("no_boxes", message, sizeless))
    places = [f"item {str(item)[:60]}" for item in by_item]
    return Images(places, list(by_item), said, notices).pool(None, independent=False)


def _said(item: Any, one: Any, size: Any, names: Any) -> Said | Unusable:
    """What supervision says of an image: its detections or its classes.

    Raises:
        InvalidInput: if it is something else.
    """
    if not (hasattr(one, "xyxy") or (hasattr(one, "class_id") and hasattr(one, "confidence"))):
        raise InvalidInput(
            f"detections must be of supervision; item {item!r:.60} has {type(one).__name__}."
        )
    n, boxed = len(one.xyxy if hasattr(one, "xyxy") else one.class_id), hasattr(one, "xyxy")
    if not boxed and one.confidence is None:
        return Unusable("it has no confidence")
    sure = [None] * n if one.confidence is None else [*map(float, one.confidence)]
    kinds = [None] * n if one.class_id is None else [_named(int(n), names) for n in one.class_id]
    if not boxed:
        return Said(classes=list(map(Finding, kinds, sure)))
    named = one.data.get("class_name")
    kinds = kinds if named is None else [*map(str, named)]
    boxes = [None] * n if size is None else [[*map(float, box)] for box in one.xyxy]
    return Said(objects=list(map(Finding, kinds, sure, boxes)), size=size)


def _named(number: int, names: Any) -> Any:
    """A class by its name, where names are known."""
    known = isinstance(names, list | tuple) and 0 <= number < len(names)
    return str(names[number]) if known else number


def _by_item(what: str, value: Any) -> dict[Any, Any]:
    """A mapping by item, or its pairs.

    Raises:
        InvalidInput: if it is something else.
    """
    try:
        return dict(value)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"{what} must be by item; got {type(value).__name__}.",
            hint=f'give a dictionary: {{"a.jpg": …}}, one of the {what} for each id.',
        ) from error


def _checked_size(item: Any, size: Any) -> Any:
    """Width and height of an image; None if they aren't known.

    Raises:
        InvalidInput: if they are something else.
    """
    if size is None or (isinstance(size, Iterable) and len(sides := [*size]) == 2):
        return None if size is None else sides
    raise InvalidInput(
        f"sizes must be width and height in pixels; item {item!r:.60} has {size!r:.60}."
    )
