"""One image as arrays of boxes, classes and scores: MMDetection, torchvision, supervision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labelnext.pool.pool import Pool
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.content.values import name_text, probability
from labelnext_adapters.files.gather import Gathered
from labelnext_adapters.files.vision.detections import Detections, class_of
from labelnext_adapters.files.vision.documents import Document, Names, row_of, shown
from labelnext_adapters.files.vision.options import DetectionOptions


@dataclass(frozen=True)
class Keys:
    """Under which keys a tool has its arrays.

    Attributes:
        boxes: x1 y1 x2 y2 in pixels.
        classes: numbers of classes.
        scores: confidences.
        inner: key of an object that holds them, if there is one.
        names: ``names(record)`` gives the names of the classes, where they are beside the numbers.
        size: ``size(record)`` gives the width and height of the image, where they are.
    """

    boxes: str
    classes: str
    scores: str
    inner: str | None = None
    names: Callable[[Mapping[str, Any]], Any] = lambda _: None
    size: Callable[[Mapping[str, Any]], Any] = lambda _: None

    def arrays(self, record: Any) -> Any:
        """The object with the arrays."""
        if self.inner is not None and isinstance(record, dict) and self.inner in record:
            return record[self.inner]
        return record

    def are_in(self, value: Any) -> bool:
        """Whether a value is about one image."""
        arrays = self.arrays(value)
        if not isinstance(arrays, dict) or not {self.scores, self.boxes} <= arrays.keys():
            return False
        scores = arrays[self.scores]
        several = isinstance(scores, list) and any(isinstance(one, list) for one in scores[:1])
        return not several  # columns of a table, of which each holds lists


def _run_length_size(record: Mapping[str, Any]) -> Any:
    """The size that masks as run lengths have."""
    if isinstance(shape := record.get("ori_shape"), list | tuple) and len(shape) >= 2:
        return shape[1], shape[0]
    inner = record.get("pred_instances", record)
    masks = inner.get("masks") if isinstance(inner, dict) else None
    first = masks[0] if isinstance(masks, list) and masks else None
    size = first.get("size") if isinstance(first, dict) else None
    return (size[1], size[0]) if isinstance(size, list) and len(size) == 2 else None


def _class_names(record: Mapping[str, Any]) -> Any:
    data = record.get("data")
    names = data.get("class_name") if isinstance(data, dict) else None
    return record.get("class_name") if names is None else names


MMDETECTION = Keys("bboxes", "labels", "scores", "pred_instances", size=_run_length_size)
TORCHVISION = Keys("boxes", "labels", "scores")
BOXES = Keys("xyxy", "cls", "conf")  # of Ultralytics, as attributes of an image's boxes
SUPERVISION = Keys("xyxy", "class_id", "confidence", names=_class_names)


def read_arrays(
    documents: Sequence[Document], keys: Keys, options: DetectionOptions, key: str | None
) -> Pool:
    """The images, with their detections as objects.

    Args:
        documents: a document for each image.
        keys: of the arrays.
        options: of the format.
        key: `source.key`.

    Raises:
        InvalidInput: if too much can't be used.
    """
    gathered, names = Gathered("image", classes=options.classes), Names(key)
    detections = Detections(gathered, options.image_size)
    for position, one in enumerate(documents):
        record = one.value if isinstance(one.value, dict) else {}
        name = names.of(one, position, record)
        with gathered.record(one.place, shown(name)):
            row = row_of(gathered, name)
            if isinstance(one.value, Unusable):
                raise one.value
            rows = _rows(one.value, keys, options.classes)
            size = keys.size(record)
            for kind, confidence, box in rows:
                detections.add(row, kind, confidence, box, size)
            if not rows:
                gathered.nothing(row)
    gathered.notices += names.notices()
    return detections.pool()


def _rows(record: Any, keys: Keys, classes: Sequence[str] | None) -> list[tuple[Any, float, Any]]:
    """Class, confidence and box of each detection of an image, all checked.

    Raises:
        Unusable: if the arrays have no confidences, or different lengths, or one can't be used.
    """
    arrays = keys.arrays(record)
    if not isinstance(arrays, dict) or keys.scores not in arrays:
        raise Unusable(
            f"it must be an object with {keys.boxes}, {keys.classes} and {keys.scores}; got "
            f"{record!r:.60}"
        )
    scores = arrays[keys.scores]
    if scores is None and arrays.get(keys.boxes):
        raise Unusable("its detections have no confidence, so they are labels, not predictions")
    scores = _list([] if scores is None else scores, keys.scores)
    names = keys.names(arrays)
    kinds = _list(arrays.get(keys.classes) if names is None else names, keys.classes, len(scores))
    boxes = _list(arrays.get(keys.boxes), keys.boxes, len(scores))
    sure = [probability(score, "confidence") for score in scores]
    named = [None if k is None else name_text(class_of(k, classes)) for k in kinds]
    return list(zip(named, sure, boxes, strict=True))


def _list(value: Any, what: str, length: int | None = None) -> list[Any]:
    """A list of this length; of None where there is no list."""
    if value is None and length is not None:
        return [None] * length
    if not isinstance(value, list):
        raise Unusable(f"{what} must be a list; got {value!r:.60}")
    if length is not None and len(value) != length:
        raise Unusable(f"{what} must be as many as the scores, {length}; got {len(value)}")
    return value


def by_class(value: Any) -> Any:
    """MMDetection 2's results, for each image an array of x1 y1 x2 y2 score for each class.

    Args:
        value: of any form; another one stays as it is.
    """
    if not isinstance(value, list) or not value or not all(map(_is_by_class, value)):
        return value
    images = []
    for image in value:
        told = [(number, row) for number, rows in enumerate(image) for row in rows]
        images.append(
            {
                "bboxes": [row[:4] for _, row in told],
                "labels": [number for number, _ in told],
                "scores": [row[4] for _, row in told],
            }
        )
    return images


def _is_by_class(image: Any) -> bool:
    return isinstance(image, list) and all(
        isinstance(rows, list) and all(isinstance(row, list) and len(row) == 5 for row in rows)
        for rows in image
    )
