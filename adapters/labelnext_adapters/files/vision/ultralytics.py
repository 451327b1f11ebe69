"""Results of Ultralytics as JSON or as a table: to_json(), to_df(), to_csv(); and of YOLOv5."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext_adapters.files.content.content import read_json, read_text
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.vision.boxes import around
from labelnext_adapters.files.vision.documents import (
    IMAGE_KEYS,
    WHOLE,
    Document,
    Names,
    by_image,
    named,
)
from labelnext_adapters.files.vision.findings import Finding, Images, Said, said_of
from labelnext_adapters.files.vision.options import DetectionOptions

_KEYS = frozenset({"name", "class", "confidence"})
_SHAPES = ("box", "segments", "keypoints", "box.x1", "box_x1", "x1", "xmin")
_CORNER = re.compile(r"['\"]?([xy][1-4])['\"]?\s*:\s*(-?[\d.]+(?:e-?\d+)?)", re.I)
_FRACTION = 1.5  # a box of larger numbers is in pixels


def is_one(value: Any) -> bool:
    """Whether a value is what `to_json()` gives for one image: a list of its detections."""
    return isinstance(value, list) and (not value or is_result(value[0]))


def is_result(record: Any) -> bool:
    """Whether a record has name, class and confidence, and its class is a number."""
    if not isinstance(record, dict) or not record.keys() >= _KEYS:
        return False
    number = record["class"]
    return type(number) is int or (isinstance(number, str) and number.isdecimal())


def load(path: Path) -> Any:
    """A file of JSON or CSV.

    Raises:
        InvalidInput: if it is broken.
    """
    if ".csv" not in path.suffixes:
        return read_json(path)
    lines = csv.DictReader(io.StringIO(read_text(path)))
    try:
        return [
            {key: value for key, value in row.items() if value not in (None, "")} for row in lines
        ]
    except csv.Error as error:
        raise InvalidInput(f"the file must be CSV; line {lines.line_num}: {error}.") from error


def images_in(
    documents: Sequence[Document], key: str | None, *, one_file: bool, stem: str | None = None
) -> list[Document]:
    """The documents, those of a table by the images that its rows name.

    Args:
        documents: the documents.
        key: `source.key`.
        one_file: they are from one file, not from a folder.
        stem: name of that file, if it is what `to_json()` gives for one image.

    Raises:
        InvalidInput: if one file holds detections of one image, or of several without saying which.
    """
    if not (
        one_file
        and len(documents) == 1
        and documents[0].place == WHOLE
        and is_one(documents[0].value)
    ):
        return list(documents)
    if not documents[0].value:
        raise InvalidInput("the file must hold at least one detection; it has none.")
    if (
        stem
        and key is None
        and not any(isinstance(r, dict) and named(r) for r in documents[0].value)
    ):
        return [Document(WHOLE, stem, documents[0].value)]
    images = by_image(documents[0].value, key)
    if all(one.name is None for one in images):
        raise InvalidInput(
            "the file must say which image a detection is from; it is what to_json() gives "
            "for one image.",
            hint="write one file for each image into a folder, named like the image; or one "
            'JSON object {"a.jpg": [...], "b.jpg": [...]}; or add a column with the image '
            f"({', '.join(IMAGE_KEYS[:4])}, …; source.key names another).",
        )
    return images


def read_results(documents: Sequence[Document], options: DetectionOptions, key: str | None) -> Pool:
    """The images, with their detections as objects, or with the scores of their classes.

    Args:
        documents: a document for each image, a list of its detections.
        options: of the format.
        key: `source.key`.

    Raises:
        InvalidInput: if too much can't be used.
    """
    records = [r for one in documents if isinstance(one.value, list) for r in one.value]
    shaped = [r for r in records if isinstance(r, dict) and not r.keys().isdisjoint(_SHAPES)]
    classified, names = bool(records) and not shaped, Names(key)
    images = Images(
        [one.place for one in documents],
        [names.of_first(one, position) for position, one in enumerate(documents)],
        [_said(one.value, classified=classified) for one in documents],
        names.notices(),
    )
    boxes = [_box(record) for record in shaped]
    small = all(box is None or max(map(abs, box)) <= _FRACTION for box in boxes)
    fractions = small and bool(shaped)
    return images.pool(options.classes, options.image_size, fractions=fractions, independent=False)


def _said(value: Any, *, classified: bool) -> Said | Unusable:
    """What a list of detections or classes says of its image, or why it can't be used."""
    if isinstance(value, Unusable):
        return value
    if not isinstance(value, list) or (classified and not value):
        what = "classes with their confidence" if classified else "detections"
        return Unusable(f"it must be a list of {what}; got {value!r:.60}")
    return said_of(map(_finding, value), classified=classified)


def _finding(record: Any) -> Finding | Unusable:
    if not isinstance(record, dict) or "confidence" not in record:
        return Unusable(f"it must have name, class and confidence; got {record!r:.60}")
    name = record.get("name")
    kind = record.get("class") if name is None else name
    return Finding(kind, record["confidence"], _box(record))


def _box(record: Mapping[str, Any]) -> list[float] | None:
    """The box around the corners of a record; None if it has none that can be read."""
    box = record.get("box")
    if isinstance(box, str):
        box = dict(_CORNER.findall(box[:1000]))
    if not isinstance(box, dict):
        flat = {key.removeprefix("box").lstrip("._"): value for key, value in record.items()}
        box = {key: flat[key] for key in flat if re.fullmatch("[xy]([1-4]|min|max)", key)}
    xs, ys = ([v for k, v in box.items() if str(k).startswith(axis)] for axis in "xy")
    try:
        return around(xs, ys)
    except Unusable:
        return None
