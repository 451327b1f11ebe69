"""The records of a COCO results file, as columns."""

from __future__ import annotations

import math
import re
import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, repeat
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from labelnext.errors import InvalidInput, listed
from labelnext_adapters.files.content.content import byte_blocks, decoded, parsed_lines, read_bytes
from labelnext_adapters.files.content.doubled import loads
from labelnext_adapters.files.content.oddities import Oddities, Unusable, unbroken
from labelnext_adapters.files.content.values import share

_BETWEEN = re.compile(rb"\}\s*,\s*\{")
_TAIL = 1 << 16  # bytes at the end of a block in which a record ends
_LONGEST = 1 << 24  # bytes without such an end: these are no records
_NO_BOX = (math.nan,) * 4


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
    """

    image_id: int | str
    score: float
    category_id: int | str | None = None
    bbox: tuple[float, float, float, float] | None = None
    segmentation: Any = None
    embedding: list[float] | None = None
    file_name: str | None = None


_COLUMNS = (
    "image_id", "file_name", "category_id", "score", "bbox", "segmentation", "embedding",
)  # fmt: skip
_WRAPPERS = ("annotations", "predictions", "results", "detections")
_DECODER = msgspec.json.Decoder(list[Detection])
_KEYS = [f'"{column}"'.encode() for column in _COLUMNS]


class Codes(dict[Any, int]):
    """A number for each distinct value, in the order of appearance."""

    def __missing__(self, value: Any) -> int:
        self[value] = number = len(self)
        return number


@dataclass
class Detections:
    """Detections as columns.

    Attributes:
        kinds: the distinct category_ids, numbered.
        image_codes: the number of each detection's image.
        kind_codes: the number of each detection's class.
        scores: the confidences.
        boxless: positions of those without a box.
        bboxes: four numbers each, NaN without a box.
        segmentations: of each; empty if none has one.
        embeddings: of each; empty if none has one.
        left_out: how many detections come before each record that was left out.
    """

    _images: Codes = field(default_factory=Codes)
    kinds: Codes = field(default_factory=Codes)
    image_codes: array[int] = field(default_factory=lambda: array("i"))
    kind_codes: array[int] = field(default_factory=lambda: array("i"))
    scores: array[float] = field(default_factory=lambda: array("d"))
    bboxes: array[float] = field(default_factory=lambda: array("d"))
    boxless: list[int] = field(default_factory=list)
    segmentations: list[Any] = field(default_factory=list)
    embeddings: list[Any] = field(default_factory=list)
    left_out: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.scores)

    @cached_property
    def images(self) -> list[tuple[int | str, str | None]]:
        """The distinct pairs of image_id and file_name, once all are known."""
        return [(one, None) if isinstance(one, int | str) else one for one in self._images]

    def __getitem__(self, index: int) -> Detection:
        """A record, without its shape."""
        image, name = self.images[self.image_codes[index]]
        kind = list(self.kinds)[self.kind_codes[index]]
        return Detection(image, self.scores[index], kind, file_name=name)

    def number(self, index: int) -> int:
        """The number of a record in its file, from 1."""
        return index + 1 + bisect_right(self.left_out, index)

    def add(self, block: Sequence[Detection]) -> None:
        """Append records."""
        ids, names, kinds, scores, boxes, shapes, vectors = (
            list(map(attrgetter(column), block)) for column in _COLUMNS
        )
        images = ids if names.count(None) == len(names) else zip(ids, names, strict=True)
        _append(self.image_codes, map(self._images.__getitem__, images), len(ids))
        _append(self.kind_codes, map(self.kinds.__getitem__, kinds), len(ids))
        _append(self.scores, scores, len(ids))
        if None in boxes:
            first = len(self) - len(ids)
            self.boxless += [first + i for i, box in enumerate(boxes) if box is None]
            boxes = [box or _NO_BOX for box in boxes]
        _append(self.bboxes, chain.from_iterable(boxes), 4 * len(ids))
        _extend(self.segmentations, shapes, len(self) - len(block))
        _extend(self.embeddings, vectors, len(self) - len(block))

    def free_codes(self) -> None:
        """Free what says whose each detection is, once they are placed."""
        self.image_codes, self.kind_codes, self.scores = array("i"), array("i"), array("d")

    def free_boxes(self) -> None:
        """Free the boxes, once they are taken over."""
        self.bboxes = array("d")


def _append(column: array[Any], values: Iterable[Any], n_values: int) -> None:
    """Append numbers, in a fraction of the time of `array.extend`."""
    column.frombytes(struct.pack(f"{n_values}{column.typecode}", *values))


def _extend(column: list[Any], values: list[Any], n_before: int) -> None:
    """Append values to a column that is empty as long as all of them are None."""
    if column or values.count(None) < len(values):
        column.extend(repeat(None, n_before - len(column)))
        column.extend(values)


@dataclass(frozen=True)
class Records:
    """The records of a file.

    Attributes:
        detections: those that are whole.
        odd: those that were left out.
        data_set: the file, if it holds images or categories as well.
    """

    detections: Detections
    odd: Oddities
    data_set: dict[str, Any] | None = None


def read_detections(path: Path) -> Records:
    """A results list, or the annotations of a data set.

    A list is read a block of records at a time; the whole file at once where it isn't a list of
    objects, or none of them is a detection.

    Raises:
        InvalidInput: if it is neither, or its records have no score.
    """
    read = Records(Detections(), Oddities("detection"))
    try:
        for block in _lists(path):
            _add(block, read)
        if len(read.detections) or not read.odd.seen:
            return read
    except (ValueError, RecursionError):
        pass  # reading it as a whole says what is wrong
    value, data_set = _unwrapped(parsed_lines(decoded(read_bytes(path))))
    if not isinstance(value, list):
        raise InvalidInput(
            "a COCO results file must be a list of detections, or have a list of annotations."
        )
    if data_set is None and (images := _segmented(value)):
        data_set = {"images": images}  # those without a segment, too
    value = _segments(value)
    if value and not any(isinstance(d, dict) and score_in(d) is not None for d in value):
        keys = listed(value[0]) if isinstance(value[0], dict) else type(value[0]).__name__
        raise InvalidInput(
            f"every detection must have a score; none has one (the first has {keys}).",
            hint="these are labels, not predictions: save the model's scores with them.",
        )
    read = Records(Detections(), Oddities("detection"), data_set)
    _add_carefully(value, read)
    return read


def _unwrapped(value: Any) -> tuple[Any, dict[str, Any] | None]:
    """The records, however they are put into lists; and the data set, or its images alone."""
    data_set = None
    if isinstance(value, dict):
        name = next((n for n in _WRAPPERS if isinstance(value.get(n), list)), None)
        data_set = value if {"images", "categories"} & value.keys() else None
        value = value[name] if name else None if data_set else value
    if (parted := _by_image(value)) is not None:
        images = [{"id": image} for image, _ in parted]
        records = [
            {"image_id": image, **one} if isinstance(one, dict) else one
            for image, inside in parted
            for one in inside
        ]
        return records, data_set or {"images": images}
    if isinstance(value, list) and value and all(isinstance(one, list) for one in value):
        value = [one for records in value for one in records]
    return value, data_set


def _by_image(value: Any) -> list[tuple[Any, list[Any]]] | None:
    """The lists of records by image, as objects or under `instances`; None if it is neither."""
    if isinstance(value, dict):
        pairs = [*value.items()]
    elif isinstance(value, list) and all(isinstance(one, dict) for one in value):
        pairs = [(one.get("image_id"), one.get("instances")) for one in value]
    else:
        return None
    return pairs if pairs and all(isinstance(inside, list) for _, inside in pairs) else None


def _segmented(records: list[Any]) -> list[dict[str, Any]]:
    """The images of a panoptic file's records; none if it is another file."""
    told = [one for one in records if isinstance(one, dict) and "segments_info" in one]
    return [{"id": one.get("image_id")} for one in told] if len(told) == len(records) else []


def _segments(records: list[Any]) -> list[Any]:
    """The segments of a panoptic file as records; others as they are.

    A panoptic record names the picture of its segments, not the image, under `file_name`.
    """
    flat: list[Any] = []
    for record in records:
        inside = record.get("segments_info") if isinstance(record, dict) else None
        if not isinstance(inside, list):
            flat.append(record)
            continue
        image = {"image_id": record.get("image_id")}
        flat += [{**one, **image} if isinstance(one, dict) else one for one in inside]
    return flat


def _lists(path: Path) -> Iterator[bytes]:
    """The JSON list of a file as several lists.

    It is cut where an object ends and another begins. Inside a text or another list, a cut leaves
    something open, so that the part isn't JSON.

    Raises:
        ValueError: if the file is no list.
    """
    waiting, opening = b"", b""
    for block in byte_blocks(path):
        waiting += block
        if not opening:
            waiting = waiting.removeprefix(b"\xef\xbb\xbf").lstrip()
            if not waiting.startswith(b"["):
                raise ValueError("no list")
        cuts = list(_BETWEEN.finditer(waiting, max(len(waiting) - _TAIL, 0)))
        if cuts:
            yield opening + waiting[: cuts[-1].start() + 1] + b"]"
            opening, waiting = b"[", waiting[cuts[-1].end() - 1 :]
        elif len(waiting) > _LONGEST:
            raise ValueError("no list of objects")
    yield opening + waiting


def _add(block: bytes, read: Records) -> None:
    """Append the records of a JSON list.

    Raises:
        ValueError: if it is no list.
    """
    try:
        whole = _DECODER.decode(block)
    except (msgspec.DecodeError, ValueError, RecursionError):
        whole = None
    if whole is None or _doubled(block, len(whole)):
        _add_carefully(loads(block.decode()), read)  # one by one, to see which is odd
    else:
        read.odd.seen += len(whole)
        read.detections.add(whole)


def _doubled(block: bytes, n_records: int) -> bool:
    """Whether a key stands more often than records, as decoders only keep the last of two.

    Where all records are like the first one, they are told by their colons, which takes no time.
    """
    end = _BETWEEN.search(block)
    first = block[: end.start() + 1] if end else block
    colons = np.count_nonzero(np.frombuffer(block, np.uint8) == ord(":"))
    if colons == first.count(b":") * n_records:
        block, n_records = first, 1
    return any(block.count(key) > n_records for key in _KEYS)


def _add_carefully(records: list[Any], read: Records) -> None:
    """Append records with what can be used of each."""
    usable: list[Detection] = []
    for number, record in enumerate(records, read.odd.seen + 1):
        name = record.get("image_id", "") if isinstance(record, dict) else ""
        n_before = len(usable)
        with read.odd.record(f"record {number}", name if isinstance(name, int | str) else ""):
            usable.append(_detection(record))
        if len(usable) == n_before:
            read.detections.left_out.append(len(read.detections) + n_before)
    read.detections.add(usable)


def score_in(record: dict[str, Any]) -> Any:
    """The score of a record, also as its confidence or among its attributes; None without one.

    Example:
        >>> score_in({"attributes": {"confidence": 0.5}})
        0.5
    """
    attributes = record.get("attributes")
    for holder in (record, attributes if isinstance(attributes, dict) else {}):
        for name in ("score", "confidence"):
            if holder.get(name) is not None:
                return holder[name]
    return None


def _detection(record: Any) -> Detection:
    """A record, with what can be used of it.

    Raises:
        Unusable: if it has no image or score.
    """
    if not isinstance(unbroken(record), dict):
        raise Unusable(f"a detection must be an object; got {type(record).__name__}")
    image = record.get("image_id", record.get("file_name"))
    if isinstance(image, float) and image.is_integer():
        image = int(image)
    if isinstance(image, bool) or not isinstance(image, int | str):
        raise Unusable(f"image_id must be a number or text; got {image!r:.60}")
    score = score_in(record)
    if score is None:
        raise Unusable("it has no score")
    kind = record.get("category_id")
    if isinstance(kind, float) and kind.is_integer():
        kind = int(kind)
    file_name = record.get("file_name")
    return Detection(
        image,
        share(score, "score"),
        kind if isinstance(kind, int | str) and not isinstance(kind, bool) else None,
        _box(record.get("bbox")),
        record.get("segmentation"),
        _numbers(record.get("embedding")),
        file_name if isinstance(file_name, str) else None,
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
