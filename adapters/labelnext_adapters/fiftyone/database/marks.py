"""Labels as FiftyOne stores them, and the marks that platforms exchange."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from labelnext.adapter.batch import WHOLE, Kind, Mark, Points
from labelnext.errors import InvalidInput
from labelnext.pool.masks import Mask, mask_of_pixels, pixels_of
from labelnext_adapters.fiftyone.database.values import fetch

#: The class of a field that holds what people said.
CLASSES: Mapping[Kind, str] = {
    "items": "Classification",
    "classes": "Classifications",
    "number": "Regression",
    "box": "Detections",
    "polygon": "Polylines",
    "keypoint": "Keypoints",
    "mask": "Detections",
}
#: Where the labels of such a class are listed.
LISTED = {
    "Classifications": "classifications",
    "Detections": "detections",
    "Polylines": "polylines",
    "Keypoints": "keypoints",
}
_PLACES: Mapping[Kind, str] = {
    "box": "bounding_box",
    "polygon": "points",
    "keypoint": "points",
    "mask": "bounding_box",
}


def read_marks(
    collection: Any, path: str, kind: Kind, *, sure: bool = True, attributes: Sequence[str] = ()
) -> dict[str, tuple[Mark, ...] | None]:
    """The labels of each sample by its id, None for a sample without; of masks only the boxes.

    Args:
        collection: a dataset or view.
        path: of a label, or of the list of labels.
        kind: what they are.
        sure: whether the labels have confidences.
        attributes: of objects.
    """
    said = () if kind in WHOLE else tuple(attributes)
    place = _PLACES.get(kind)
    label = "value" if kind == "number" else "label"
    parts = [label, "id", *(["confidence"] if sure else []), *([place] if place else []), *said]
    columns = fetch(collection, ["id", *(f"{path}.{part}" for part in parts)])
    samples, n = columns["id"], len(columns["id"])
    rows = {part: columns[f"{path}.{part}"] for part in parts}
    first = [rows[label], rows["id"], rows.get("confidence", [None] * n)]
    places = rows[place] if place else [None] * n
    of_each = zip(*(rows[name] for name in said), strict=True) if said else ((),) * n
    held = zip(*first, places, of_each, strict=True)
    return {
        sample: _marks(kind, labels, ids, sures, of_place, dict(zip(said, extras, strict=True)))
        for sample, (labels, ids, sures, of_place, extras) in zip(samples, held, strict=True)
    }


def _marks(
    kind: Kind, labels: Any, ids: Any, sure: Any, places: Any, extras: Mapping[str, Any]
) -> tuple[Mark, ...] | None:
    if labels is None:
        return None
    if kind == "number":
        if not math.isfinite(labels):
            return None
        return (Mark("", None, sure, _name(ids), number=float(labels)),)
    if not isinstance(labels, list):  # one label, not a list of them
        labels, ids, sure, places = [labels], [ids], [sure], [places]
        extras = {name: [value] for name, value in extras.items()}
    nothing = [None] * len(labels)
    columns = [labels, ids, *(nothing if part is None else part for part in (sure, places))]
    values = zip(*(nothing if v is None else v for v in extras.values()), strict=True)
    of_each = [dict(zip(extras, each, strict=True)) for each in values] or [{}] * len(labels)
    rows = zip(*columns, of_each, strict=True)
    return tuple(_mark(kind, *row) for row in rows if row[0] and (row[3] or kind in WHOLE))


def _mark(
    kind: Kind, label: str, mark_id: Any, confidence: Any, place: Any, said: Mapping[str, Any]
) -> Mark:
    if isinstance(confidence, list):  # one for each point
        known = [c for c in confidence if c is not None and math.isfinite(c)]
        confidence = sum(known) / len(known) if known else None
    mark = Mark(label, None, confidence, _name(mark_id))
    values = {name: v for name, v in said.items() if isinstance(v, (str, bool, int, float))}
    if values:
        mark = replace(mark, attributes=values)
    if kind in WHOLE:
        return mark
    if kind in ("box", "mask"):
        x, y, width, height = place
        return replace(mark, box=(x, y, x + width, y + height))
    return replace(mark, paths=_paths(kind, place))


def _name(mark_id: Any) -> str | None:
    return None if mark_id is None else str(mark_id)


def _paths(kind: Kind, points: Any) -> tuple[Points, ...]:
    if kind == "polygon":
        return tuple(tuple((x, y) for x, y in path) for path in points if path)
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


def targets_of(dataset: Any, field: str) -> dict[int, str]:
    """The classes of a segmentation by their pixels, without the background.

    Raises:
        InvalidInput: if the dataset doesn't name them.
    """
    named = dataset.mask_targets.get(field) or dataset.default_mask_targets
    targets = {k: str(v) for k, v in (named or {}).items() if isinstance(k, int) and k > 0}
    if not targets:
        raise InvalidInput(
            f"the dataset must name the classes of {field} to send it; it names none.",
            hint=f'set dataset.mask_targets["{field}"] = {{1: "road", 2: "car"}} and save it.',
        )
    return targets


def marks_of_mask(
    label: Any, targets: Mapping[int, str], size: tuple[int, int]
) -> tuple[Mark, ...]:
    """A segmentation as one mask for each of its classes.

    Args:
        label: of FiftyOne.
        targets: the classes by their pixels.
        size: width and height of the image, to which a smaller map is scaled.

    Raises:
        InvalidInput: if the map can't be read, or holds colours.
    """
    try:
        pixels = label.get_mask()
    except OSError as error:
        raise InvalidInput(f"a segmentation must be readable; {error}.") from error
    if pixels is None:
        return ()
    if pixels.size != pixels.shape[0] * pixels.shape[1]:
        raise InvalidInput("a segmentation must have a number for each pixel; got colours.")
    rows, columns = (
        np.arange(new) * old // new for new, old in zip(size[::-1], pixels.shape, strict=True)
    )
    whole = pixels[rows[:, None], columns]
    found = ((name, whole == value) for value, name in targets.items())
    return tuple(Mark(name, mask=mask_of_pixels(at)) for name, at in found if at.any())


def mask_of_marks(marks: Sequence[Mark], targets: Mapping[int, str]) -> Any:
    """A segmentation of masks, as `marks_of_mask` takes it apart; later ones cover earlier ones.

    Args:
        marks: with masks, or none.
        targets: the classes by their pixels.
    """
    import fiftyone as fo

    values = {name: value for value, name in targets.items()}
    drawn = [mark for mark in marks if mark.mask is not None and mark.label in values]
    if not drawn:
        return fo.Segmentation()
    height, width = (drawn[0].mask or {})["size"]
    deepest = np.uint8 if max(values.values()) < 256 else np.uint16
    pixels = np.zeros((height, width), dtype=deepest)
    for mark in drawn:
        pixels[pixels_of(mark.mask or {}) > 0] = values[mark.label]
    return fo.Segmentation(mask=pixels)


def label_of(marks: Sequence[Mark], kind: Kind) -> Any:
    """What FiftyOne stores of the marks of one sample.

    Args:
        marks: one where items are labelled.
        kind: what they are.
    """
    import fiftyone as fo

    if kind in ("items", "number"):
        (mark,) = marks
        one = fo.Regression(value=mark.number) if kind == "number" else None
        return _with_id(one or fo.Classification(label=mark.label), mark)
    name = CLASSES[kind]
    return getattr(fo, name)(**{LISTED[name]: [*_labels(marks, kind)]})


def _labels(marks: Iterable[Mark], kind: Kind) -> Iterator[Any]:
    import fiftyone as fo

    for mark in marks:
        if kind == "classes":
            label: Any = fo.Classification(label=mark.label)
        elif kind == "box" and mark.box is not None:
            x1, y1, x2, y2 = mark.box
            label = fo.Detection(label=mark.label, bounding_box=[x1, y1, x2 - x1, y2 - y1])
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
        for name, value in mark.attributes.items():
            label[name] = value
        yield _with_id(label, mark)


def _with_id(label: Any, mark: Mark) -> Any:
    if (name := own_id(mark)) is not None:
        label.id = name
    return label


def own_id(mark: Mark) -> str | None:
    """The id of a mark, if FiftyOne can keep it."""
    from bson import ObjectId

    return mark.mark_id if mark.mark_id and ObjectId.is_valid(mark.mark_id) else None
