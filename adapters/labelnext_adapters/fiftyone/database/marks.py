"""Labels as FiftyOne stores them, and the marks that platforms exchange."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from labelnext.adapter.batch import Kind, Mark, Points
from labelnext.errors import InvalidInput
from labelnext.pool.masks import Mask, mask_of_pixels, pixels_of
from labelnext_adapters.fiftyone.database.values import fetch

#: The class of a field that holds what people said.
CLASSES: Mapping[Kind, str] = {
    "items": "Classification",
    "box": "Detections",
    "polygon": "Polylines",
    "keypoint": "Keypoints",
    "mask": "Detections",
}
#: Where the labels of such a class are listed.
LISTED = {"Detections": "detections", "Polylines": "polylines", "Keypoints": "keypoints"}
_PLACES: Mapping[Kind, str] = {
    "box": "bounding_box",
    "polygon": "points",
    "keypoint": "points",
    "mask": "bounding_box",
}


def read_marks(
    collection: Any, path: str, kind: Kind, *, sure: bool = True
) -> Iterator[tuple[Mark, ...] | None]:
    """The labels of each sample, None for a sample without; of masks only the boxes.

    Args:
        collection: a dataset or view.
        path: of a label, or of the list of labels.
        kind: what they are.
        sure: whether the labels have confidences.
    """
    parts = ["label", "id", *(["confidence"] if sure else [])]
    place = _PLACES.get(kind)
    paths = [f"{path}.{part}" for part in (*parts, *([place] if place else []))]
    columns = fetch(collection, paths)
    n = len(columns[paths[0]])
    rows: dict[str, list[Any]] = {p.rpartition(".")[2]: columns[p] for p in paths}
    confidences = rows.get("confidence", [None] * n)
    places = rows[place] if place else [None] * n
    for row in zip(rows["label"], rows["id"], confidences, places, strict=True):
        yield _marks(kind, *row)


def _marks(kind: Kind, labels: Any, ids: Any, sure: Any, places: Any) -> tuple[Mark, ...] | None:
    if labels is None:
        return None
    if kind == "items":
        return (Mark(labels, None, sure),)
    if isinstance(labels, str):  # one label, not a list of them
        labels, ids, sure, places = [labels], [ids], [sure], [places]
    sure = [None] * len(labels) if sure is None else sure
    rows = zip(labels, ids, sure, places, strict=True)
    return tuple(_mark(kind, *row) for row in rows if row[0] and row[3])


def _mark(kind: Kind, label: str, mark_id: Any, confidence: Any, place: Any) -> Mark:
    if isinstance(confidence, list):  # one for each point
        known = [c for c in confidence if c is not None and math.isfinite(c)]
        confidence = sum(known) / len(known) if known else None
    name = None if mark_id is None else str(mark_id)
    if kind in ("box", "mask"):
        x, y, width, height = place
        return Mark(label, (x, y, x + width, y + height), confidence, name)
    return Mark(label, None, confidence, name, _paths(kind, place))


def _paths(kind: Kind, points: Any) -> tuple[Points, ...]:
    if kind == "polygon":
        return tuple(tuple((x, y) for x, y in path) for path in points)
    return tuple(((x, y),) if _seen(x, y) else () for x, y in points)


def _seen(*place: float | None) -> bool:
    return all(value is not None and math.isfinite(value) for value in place)


def mask_of_label(label: Any, size: tuple[int, int]) -> Mask:
    """The pixels of a Detection in its image.

    Args:
        label: with a mask, or the path of one.
        size: width and height of the image.

    Raises:
        InvalidInput: if the mask can't be read.
    """
    try:
        whole = label.to_segmentation(frame_size=size, target=1).get_mask()
    except (OSError, ValueError) as error:
        raise InvalidInput(f"a mask must be readable; {error}.") from error
    return mask_of_pixels(whole > 0)


def label_of(marks: Sequence[Mark], kind: Kind) -> Any:
    """What FiftyOne stores of the marks of one sample.

    Args:
        marks: one where items are labelled.
        kind: what they are.
    """
    import fiftyone as fo

    if kind == "items":
        return fo.Classification(label=marks[0].label)
    name = CLASSES[kind]
    return getattr(fo, name)(**{LISTED[name]: [*_labels(marks, kind)]})


def _labels(marks: Iterable[Mark], kind: Kind) -> Iterator[Any]:
    import fiftyone as fo

    for mark in marks:
        if kind == "box" and mark.box is not None:
            x1, y1, x2, y2 = mark.box
            label: Any = fo.Detection(label=mark.label, bounding_box=[x1, y1, x2 - x1, y2 - y1])
        elif kind == "mask" and mark.mask is not None:
            label = fo.Detection.from_mask(pixels_of(mark.mask), label=mark.label)
        elif kind == "polygon":
            points = [list(path) for path in mark.paths]
            label = fo.Polyline(label=mark.label, points=points, closed=True, filled=True)
        elif kind == "keypoint":
            unseen = (math.nan, math.nan)
            seen = [path[0] if path else unseen for path in mark.paths]
            label = fo.Keypoint(label=mark.label, points=seen)
        else:
            continue
        if (name := own_id(mark)) is not None:
            label.id = name
        yield label


def own_id(mark: Mark) -> str | None:
    """The id of a mark, if FiftyOne can keep it."""
    from bson import ObjectId

    return mark.mark_id if mark.mark_id and ObjectId.is_valid(mark.mark_id) else None
