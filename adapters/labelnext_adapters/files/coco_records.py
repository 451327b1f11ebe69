"""The records of a COCO results file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from labelnext.errors import InvalidInput, listed
from labelnext_adapters.files.content import decoded, parsed, read_bytes
from labelnext_adapters.files.oddities import Oddities, Unusable
from labelnext_adapters.files.values import real


class Detection(msgspec.Struct, gc=False):
    """One record.

    Attributes:
        image_id: of the image, text or a number.
        score: the confidence.
        category_id: of the class.
        bbox: x, y, width, height in pixels.
        segmentation: polygons, or run lengths.
        embedding: of the object.
        file_name: of the image.
        keypoints: x, y and visibility of each.
    """

    image_id: int | str
    score: float
    category_id: int | str | None = None
    bbox: tuple[float, float, float, float] | None = None
    segmentation: Any = None
    embedding: list[float] | None = None
    file_name: str | None = None
    keypoints: list[float] | None = None

    @property
    def named(self) -> str:
        """Its image, for a message."""
        return self.file_name or str(self.image_id)


@dataclass(frozen=True)
class Records:
    """The records of a file.

    Attributes:
        detections: those that are whole.
        odd: those that were left out.
        data_set: the file, if it holds images and categories as well.
    """

    detections: list[Detection]
    odd: Oddities
    data_set: dict[str, Any] | None = None


def read_detections(path: Path) -> Records:
    """A results list, or the annotations of a data set.

    Raises:
        InvalidInput: if it is neither, or its records have no score.
    """
    data = read_bytes(path)
    try:
        whole = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=list[Detection])
        return Records(whole, Oddities("detection", seen=len(whole)))
    except (msgspec.DecodeError, ValueError, RecursionError):
        pass  # one by one, to see which is odd
    value = parsed(decoded(data))
    data_set = None
    if isinstance(value, dict):
        data_set, value = (value if "images" in value else None), value.get("annotations")
    if not isinstance(value, list):
        raise InvalidInput(
            "a COCO results file must be a list of detections, or have a list of annotations."
        )
    if value and not any(isinstance(d, dict) and "score" in d for d in value):
        keys = listed(value[0]) if isinstance(value[0], dict) else type(value[0]).__name__
        raise InvalidInput(
            f"every detection must have a score; none has one (the first has {keys}).",
            hint="these are labels, not predictions: save the model's scores with them.",
        )
    odd = Oddities("detection")
    detections = []
    for number, record in enumerate(value, 1):
        name = record.get("image_id", "") if isinstance(record, dict) else ""
        with odd.record(f"record {number}", name if isinstance(name, int | str) else ""):
            detections.append(_detection(record))
    return Records(detections, odd, data_set)


def _detection(record: Any) -> Detection:
    """A record, with what can be used of it.

    Raises:
        Unusable: if it has no image or score.
    """
    if not isinstance(record, dict):
        raise Unusable(f"a detection must be an object; got {type(record).__name__}")
    image = record.get("image_id", record.get("file_name"))
    if isinstance(image, float) and image.is_integer():
        image = int(image)
    if isinstance(image, bool) or not isinstance(image, int | str):
        raise Unusable(f"image_id must be a number or text; got {image!r:.60}")
    if "score" not in record:
        raise Unusable("it has no score")
    kind = record.get("category_id")
    if isinstance(kind, float) and kind.is_integer():
        kind = int(kind)
    file_name = record.get("file_name")
    return Detection(
        image,
        real(record["score"], "score"),
        kind if isinstance(kind, int | str) and not isinstance(kind, bool) else None,
        _box(record.get("bbox")),
        record.get("segmentation"),
        _numbers(record.get("embedding")),
        file_name if isinstance(file_name, str) else None,
        _numbers(record.get("keypoints")),
    )


def _box(value: Any) -> tuple[float, float, float, float] | None:
    """Four numbers, NaN if they are something else; None without a box."""
    if value is None:
        return None
    numbers = _numbers(value)
    if numbers is None or len(numbers) != 4:
        return (math.nan,) * 4
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _numbers(value: Any) -> list[float] | None:
    if not isinstance(value, list) or not all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in value
    ):
        return None
    try:
        return [float(v) for v in value]
    except OverflowError:
        return None
