"""Detections and classes of the library supervision to a Pool, from memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.gather import Gathered


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
    gathered = Gathered("detection", likeliest=True)
    sizeless: list[str] = []
    for item, one in by_item.items():
        boxed = hasattr(one, "xyxy")
        if not boxed and hasattr(one, "class_id") and hasattr(one, "confidence"):
            with gathered.record("the classes", item):
                gathered.scores(gathered.new_item(item), _scores_of(one, kinds))
            continue
        if not boxed:
            raise InvalidInput(
                f"detections must be of supervision; item {item!r:.60} has {type(one).__name__}."
            )
        row = gathered.new_item(item)
        gathered.nothing(row)
        size = _checked_size(item, known.get(item))
        names = one.data.get("class_name")
        if size is None and len(one.xyxy):
            sizeless.append(str(item))
        for index, box in enumerate(one.xyxy):
            with gathered.record(f"detection {index + 1}", item):
                number = None if one.class_id is None else int(one.class_id[index])
                name = _named(number, kinds) if names is None else str(names[index])
                score = None if one.confidence is None else float(one.confidence[index])
                corners = None if size is None else [float(side) for side in box]
                gathered.detection(row, name, score, corners, size)
    if sizeless:
        message = "Left out the boxes of items without a size (give sizes)."
        gathered.notice("no_boxes", message, sizeless)
    return gathered.pool()


def _named(number: int | None, names: Any) -> Any:
    """A class by its name, where names are known."""
    known = isinstance(names, list | tuple) and number is not None and 0 <= number < len(names)
    return str(names[number]) if known else number


def _scores_of(classes: Any, names: Any) -> dict[Any, float]:
    """The scores of supervision's classes of an image.

    Raises:
        Unusable: if they have none.
    """
    if classes.confidence is None:
        raise Unusable("it has no confidence")
    pairs = zip(classes.class_id, classes.confidence, strict=True)
    return {_named(int(number), names): float(sure) for number, sure in pairs}


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
