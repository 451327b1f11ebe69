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
from labelnext_adapters.files.content.content import read_text
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.content.values import probability
from labelnext_adapters.files.gather import Gathered
from labelnext_adapters.files.vision.detections import Detections, around, class_of
from labelnext_adapters.files.vision.documents import (
    IMAGE_KEYS,
    WHOLE,
    Document,
    Names,
    image_key,
    load_json,
    named,
    row_of,
    shown,
)

_KEYS = frozenset({"name", "class", "confidence"})
_SHAPES = ("box", "segments", "keypoints", "box.x1", "box_x1", "x1", "xmin")
_CORNER = re.compile(r"['\"]?([xy][1-4])['\"]?\s*:\s*(-?[\d.]+(?:e-?\d+)?)", re.I)
_FRACTION = 1.5  # a box of larger numbers is in pixels

Records = Sequence[Mapping[str, Any]]


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
        return load_json(path)
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
    images: dict[Any, list[Any]] = {}
    nameless: list[Document] = []
    key = image_key(documents[0].value) if key is None else key
    for number, record in enumerate(documents[0].value, 1):
        name = record.get(key) if isinstance(record, dict) else None
        if isinstance(name, str | int) and name != "":
            images.setdefault(name, []).append(record)
        else:
            why = Unusable(f"it must name its image{f' in {key}' if key else ''}")
            nameless.append(Document(f"detection {number}", None, why))
    if not images:
        raise InvalidInput(
            "the file must say which image a detection is from; it is what to_json() gives "
            "for one image.",
            hint="write one file for each image into a folder, named like the image; or one "
            'JSON object {"a.jpg": [...], "b.jpg": [...]}; or add a column with the image '
            f"({', '.join(IMAGE_KEYS[:4])}, …; source.key names another).",
        )
    told = [Document(f"image {str(n)[:60]}", str(n), rows) for n, rows in images.items()]
    return told + nameless


def read_results(
    documents: Sequence[Document],
    classes: Sequence[str] | None,
    image_size: Sequence[int] | None,
    key: str | None,
) -> Pool:
    """The images, with their detections as objects, or with the scores of their classes.

    Args:
        documents: a document for each image, a list of its detections.
        classes: names by number, where records have no name.
        image_size: of all images.
        key: `source.key`.

    Raises:
        InvalidInput: if too much can't be used.
    """
    records = [r for one in documents if isinstance(one.value, list) for r in one.value]
    shaped = [r for r in records if isinstance(r, dict) and not r.keys().isdisjoint(_SHAPES)]
    if records and not shaped:
        return _classified(documents, classes, key)
    gathered, names = Gathered("detection", classes=classes), Names(key)
    boxes = [_box(record) for record in shaped]
    fractions = all(box is None or max(map(abs, box)) <= _FRACTION for box in boxes)
    detections = Detections(gathered, image_size, fractions=fractions and bool(shaped))
    for position, one in enumerate(documents):
        _add(detections, one, names.of_first(one, position), classes)
    gathered.notices += names.notices()
    return detections.pool()


def _add(detections: Detections, one: Document, name: Any, classes: Sequence[str] | None) -> None:
    """The detections of an image."""
    gathered = detections.found
    if not isinstance(one.value, list) or not one.value:
        with gathered.record(one.place, shown(name)):
            row = row_of(gathered, name)
            if isinstance(one.value, Unusable):
                raise one.value
            if not isinstance(one.value, list):
                raise Unusable(f"it must be a list of detections; got {one.value!r:.60}")
            gathered.nothing(row)
        return
    for number, record in enumerate(one.value, 1):
        with gathered.record(f"{one.place}, detection {number}", shown(name)):
            row = row_of(gathered, name)
            _check(record)
            box = _box(record)
            detections.add(row, _class(record, classes), record["confidence"], box)


def _check(record: Any) -> None:
    if not isinstance(record, dict) or "confidence" not in record:
        raise Unusable(f"it must have name, class and confidence; got {record!r:.60}")


def _class(record: Mapping[str, Any], classes: Sequence[str] | None) -> Any:
    name = record.get("name")
    return class_of(record.get("class"), classes) if name is None else name


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


def _classified(
    documents: Sequence[Document], classes: Sequence[str] | None, key: str | None
) -> Pool:
    """Images with the probabilities of their likeliest classes, or the first one alone."""
    names = Names(key)
    told = [_scores(one.value, classes) for one in documents]
    one_each = all(len(scores) == 1 for scores in told if isinstance(scores, dict))
    gathered = Gathered("image", classes=classes, likeliest=True)
    for position, (one, scores) in enumerate(zip(documents, told, strict=True)):
        name = names.of_first(one, position)
        with gathered.record(one.place, shown(name)):
            row = row_of(gathered, name)
            if isinstance(scores, Unusable):
                raise scores
            if one_each:
                ((best, confidence),) = scores.items()
                gathered.answer(row, best, confidence)
            else:
                gathered.scores(row, scores)
    gathered.notices += names.notices()
    return gathered.pool()


def _scores(value: Any, classes: Sequence[str] | None) -> dict[Any, float] | Unusable:
    """The scores by class, or why there are none."""
    if isinstance(value, Unusable):
        return value
    if not isinstance(value, list) or not value:
        return Unusable(f"it must be a list of classes with their confidence; got {value!r:.60}")
    scores = {}
    try:
        for record in value:
            _check(record)
            name = _class(record, classes)
            if isinstance(name, list | dict):
                raise Unusable(f"a class must be a name; got {name!r:.60}")
            scores[name] = probability(record["confidence"], "confidence")
    except Unusable as error:
        return error
    return scores
