"""One image as arrays of boxes, classes and scores: MMDetection, torchvision, supervision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.vision.findings import Finding, Said, Tool, inside, list_of


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
    inner: str = ""
    names: Callable[[Mapping[str, Any]], Any] = lambda _: None
    size: Callable[[Mapping[str, Any]], Any] = lambda _: None

    def are_in(self, value: Any) -> bool:
        """Whether a value is about one image."""
        arrays = self._arrays(value)
        if not isinstance(arrays, dict) or not {self.scores, self.boxes} <= arrays.keys():
            return False
        scores = arrays[self.scores]
        several = isinstance(scores, list) and any(isinstance(one, list) for one in scores[:1])
        return not several  # columns of a table, of which each holds lists

    def said(self, record: Mapping[str, Any]) -> Said:
        """The detections of an image.

        Raises:
            Unusable: if they have no confidences, or the arrays differ in length.
        """
        arrays = self._arrays(record)
        scores, names, boxes = arrays[self.scores], self.names(arrays), arrays[self.boxes]
        if scores is None and boxes:
            raise Unusable("its detections have no confidence, so they are labels, not predictions")
        scores = list_of([] if scores is None else scores, self.scores)
        kinds = arrays.get(self.classes) if names is None else names
        kinds = [None] * len(scores) if kinds is None else kinds
        kinds = list_of(kinds, self.classes, len(scores))
        boxes = list_of([None] * len(scores) if boxes is None else boxes, self.boxes, len(scores))
        return Said(objects=list(map(Finding, kinds, scores, boxes)), size=self.size(record))

    def _arrays(self, record: Any) -> Any:
        """The object with the arrays."""
        told = inside(record, self.inner) if self.inner else None
        return record if told is None else told

    @property
    def tool(self) -> Tool:
        """Reads these arrays."""
        told = f"{self.boxes}, {self.classes} and {self.scores}"
        sign, form = f"its images have {told}", f"an object with {told}"
        return Tool(self.are_in, self.said, sign, form=form)


def _run_length_size(record: Mapping[str, Any]) -> Any:
    """The size that masks as run lengths have."""
    if isinstance(shape := record.get("ori_shape"), list | tuple) and len(shape) >= 2:
        return shape[1], shape[0]
    masks = inside(record.get("pred_instances", record), "masks")
    size = inside(masks[0] if isinstance(masks, list) and masks else None, "size")
    return (size[1], size[0]) if isinstance(size, list) and len(size) == 2 else None


def _class_names(record: Mapping[str, Any]) -> Any:
    names = inside(record, "data", "class_name")
    return record.get("class_name") if names is None else names


_MMDETECTION = Keys("bboxes", "labels", "scores", "pred_instances", size=_run_length_size)
_BOXES = Keys("xyxy", "cls", "conf")  # of Ultralytics, as attributes of an image's boxes

MMDETECTION = (_MMDETECTION.tool,)
TORCHVISION = (Keys("boxes", "labels", "scores").tool, _BOXES.tool)
SUPERVISION = (Keys("xyxy", "class_id", "confidence", names=_class_names).tool,)


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
