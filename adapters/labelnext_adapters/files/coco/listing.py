"""The images and classes to which COCO detections belong."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.files.coco.records import Detection, Detections
from labelnext_adapters.files.content.item_ids import check_no_key
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.content.values import id_text, number_in

_UNKNOWN, _STRANGE = -1, -2


class Listing:
    """The images and classes of a data set.

    Args:
        image_ids: of the images, as detections name them.
        file_names: of the images; None where there is none.
        item_ids: as the pool names them.
        sizes: shape (n_images, 2), width and height in pixels, NaN if unknown.
        categories: name of each class by its id as text; None if there is no list of them.
        annotated: whether the file holds annotations.

    Raises:
        InvalidInput: if image ids repeat.
    """

    def __init__(
        self,
        image_ids: Sequence[str],
        file_names: Sequence[str | None],
        item_ids: Sequence[str],
        sizes: NDArray[np.float64],
        categories: dict[str, str] | None,
        *,
        annotated: bool = False,
    ) -> None:
        self.item_ids, self.sizes, self.annotated = list(item_ids), sizes, annotated
        self._rows = {name: row for row, name in enumerate(image_ids)}
        self._file_names = list(file_names)
        self._categories = categories
        names = enumerate((categories or {}).values())
        self._places = {name: index for index, name in names}
        self._places |= {c: index for index, c in enumerate(categories or ())}

    @property
    def names(self) -> dict[str, str]:
        """The file name of each item that has one and isn't called by it."""
        pairs = zip(self.item_ids, self._file_names, strict=True)
        return {item: name for item, name in pairs if name and name != item}

    @cached_property
    def _by_file(self) -> dict[str, int]:
        return _unique(self._file_names)

    @cached_property
    def _by_stem(self) -> dict[str, int]:
        return _unique([name and PurePosixPath(name).stem for name in self._file_names])

    @property
    def class_names(self) -> list[str]:
        """The names of the classes; those of the detections' ids, as text, without a list."""
        return list(self._categories.values()) if self._categories else list(self._places)

    def tell_unnamed(self, notices: list[Notice]) -> None:
        """Add a notice of classes that no category names, after all detections were classed."""
        if self._categories is None and self._places:
            told = listed(self._places)
            message = f"Classes are named by their category_id, as no categories name them: {told}."
            notices.append(Notice("nameless_classes", message))

    def rows_of(self, detections: Detections, notices: list[Notice]) -> NDArray[np.int32]:
        """The image of each detection, −1 if it isn't listed.

        By image_id; by file_name where the two disagree, or where image_id is a file's stem.
        """
        told = [self._row(*image) for image in detections.images]
        codes = np.frombuffer(detections.image_codes, dtype=np.intc)
        rows: NDArray[np.int32] = np.array([row for row, _ in told], dtype=np.int32)[codes]
        if any(by_name for _, by_name in told):
            which = np.flatnonzero(np.array([by_name for _, by_name in told])[codes])
            message = (
                f"Matched {counted(len(which), 'detection')} to images by file name, because "
                "image_id names no image or another one."
            )
            items = dict.fromkeys(self.item_ids[row] for row in rows[which].tolist())
            notices.append(Notice("by_file_name", message, tuple(items)))
        return rows

    def named(self, ids: Iterable[str]) -> NDArray[np.bool_]:
        """Which images have one of these ids or file names."""
        rows = [row for row in (self._row(one, None)[0] for one in {*ids}) if row >= 0]
        return np.isin(np.arange(len(self.item_ids)), rows)

    def _row(self, image_id: int | str, file_name: str | None) -> tuple[int, bool]:
        """The image of these, −1 if it isn't listed; and whether a file name told it."""
        text = str(image_id)
        row = self._rows.get(text, -1)
        named = -1 if file_name is None else self._by_file.get(file_name, -1)
        if row < 0 and named < 0:
            named = self._by_file.get(text, self._by_stem.get(text, -1))
        return (row, False) if named in (-1, row) else (named, True)

    def classes_of(self, detections: Detections) -> NDArray[np.int32]:
        """The class of each detection: −1 for none, −2 if it isn't listed."""
        if self._categories is None:
            for one in detections.kinds:
                if one is not None:
                    self._places.setdefault(str(one), len(self._places))
        places = [
            _UNKNOWN if one is None else self._places.get(str(one), _STRANGE)
            for one in detections.kinds
        ]
        codes = np.frombuffer(detections.kind_codes, dtype=np.intc)
        classes: NDArray[np.int32] = np.array(places, dtype=np.int32)[codes]
        return classes

    def fault(self, detection: Detection, row: int) -> str:
        """Why a detection can't be used."""
        if row < 0:
            what = f"one of the {len(self.item_ids)} images"
            return f"image_id must be {what}; got {detection.image_id}"
        kind = detection.category_id
        if kind is not None and str(kind) not in self._places:
            return f"category_id must be one of the categories; got {kind}"
        cure = " (divide percentages by 100)" if 1 < detection.score <= 100 else ""
        return f"score must be in [0, 1]; got {detection.score:g}{cure}"


def _unique(names: Iterable[str | None]) -> dict[str, int]:
    """Positions of the names that occur once."""
    names = list(names)
    counts = Counter(names)
    return {name: i for i, name in enumerate(names) if name is not None and counts[name] == 1}


def image_listing(value: Any, key: str | None, notices: list[Notice]) -> Listing:
    """The images and categories of a COCO data set.

    Args:
        value: the file's content, or the list of its images alone.
        key: the field of an image that is its id in the pool; `id` when None.
        notices: to which remarks are added.

    Raises:
        InvalidInput: if it lists no images, or an id occurs twice.
    """
    value = {"images": value} if isinstance(value, list) else value
    images = value.get("images") if isinstance(value, dict) else None
    if not isinstance(images, list):
        keys = listed(value) if isinstance(value, dict) else type(value).__name__
        raise InvalidInput(
            f"the file must contain a list of images, as a COCO data set does; got {keys}."
        )
    if not images:
        raise InvalidInput("the list of images must not be empty.")
    ids, names = list[str](), list[str | None]()
    for number, image in enumerate(images, 1):
        if not isinstance(image, dict):
            raise InvalidInput(f"image {number} must be an object; got {image!r:.60}.")
        ids.append(_named(image, "id", number))
        name = image.get("file_name")
        names.append(name if isinstance(name, str) else None)
    _distinct("id", ids, images)
    items = ids
    if key not in (None, "id"):
        items = [_named(image, str(key), number) for number, image in enumerate(images, 1)]
        _distinct(str(key), items, images)
    sides = (_side(image.get(side)) for image in images for side in ("width", "height"))
    sizes = np.fromiter(sides, dtype=np.float64, count=2 * len(images)).reshape(-1, 2)
    categories = _categories(value.get("categories"), notices)
    return Listing(ids, names, items, sizes, categories, annotated=bool(value.get("annotations")))


def _named(image: dict[str, Any], field: str, number: int) -> str:
    if field not in image:
        raise InvalidInput(
            f"every image must have {field}; image {number} has {listed(image)}.",
            hint="set source.key to a field that all images have.",
        )
    try:
        return id_text(image[field])
    except Unusable as error:
        raise InvalidInput(f"{field} of image {number}: {error}.") from error


def _distinct(field: str, ids: Sequence[str], records: Sequence[Any]) -> None:
    doubled = [name for name, count in Counter(ids).items() if count > 1]
    if doubled:
        kinds = {type(r[field]).__name__ for r in records if str(r[field]) in doubled[:1]}
        also = " (as text and as a number)" if len(kinds) > 1 else ""
        raise InvalidInput(
            f"{field} of the images must be distinct; got {counted(len(doubled), 'repeated id')}: "
            f"{listed(doubled)}{also}. Nobody can tell whose detections these are.",
            hint="renumber the images when you merge data sets.",
        )


def _side(value: Any) -> float:
    """The width or height of an image, NaN if it is unknown."""
    number = number_in(value)
    return number if number is not None and 0 < number < 1e9 else math.nan


def _categories(value: Any, notices: list[Notice]) -> dict[str, str] | None:
    """Names of the classes by their ids as text, in the order of the ids."""
    if value is None or value == []:
        return None
    if not isinstance(value, list) or not all(isinstance(c, dict) for c in value):
        raise InvalidInput(f"categories must be a list of objects; got {value!r:.60}.")
    ids = []
    for number, category in enumerate(value, 1):
        kind = category.get("id")
        if isinstance(kind, bool) or not isinstance(kind, int | str):
            raise InvalidInput(
                f"every category must have an id, text or a number; category {number} has {kind!r}."
            )
        ids.append(kind)
    doubled = [name for name, count in Counter(map(str, ids)).items() if count > 1]
    if doubled:
        raise InvalidInput(
            f"id of the categories must be distinct; got {listed(doubled)} more than once."
        )
    whole = all(isinstance(kind, int) for kind in ids)
    order = sorted(range(len(ids)), key=ids.__getitem__) if whole else range(len(ids))
    names = {str(ids[i]): value[i].get("name") for i in order}
    nameless = [kind for kind, name in names.items() if not isinstance(name, str) or not name]
    if nameless:
        message = f"Categories without a name are named by their id: {listed(nameless)}."
        notices.append(Notice("nameless_classes", message))
    final = {kind: kind if kind in nameless else str(name) for kind, name in names.items()}
    twice = [name for name, count in Counter(final.values()).items() if count > 1]
    if twice:
        raise InvalidInput(
            f"name of the categories must be distinct; got {listed(twice)} more than once."
        )
    return final


def listed_by_results(
    versions: Sequence[Detections],
    key: str | None,
    notices: list[Notice],
    categories: Any = None,
) -> Listing:
    """The images that the detections name, without their sizes.

    Args:
        versions: detections of each model version.
        key: file_name or image_id; file_name, if all have it, when None.
        notices: to which the lack of a list of images is added.
        categories: as in a data set; None if they are unknown.

    Raises:
        InvalidInput: if there are no images, or the results don't have the key for all.
    """
    if key not in ("file_name", "image_id"):
        hint = "leave it out, or set source.images to the file that lists the images with it."
        check_no_key(key, "detections have image_id and file_name", hint)
    images = [image for detections in versions for image in detections.images]
    named = bool(images) and all(file_name is not None for _, file_name in images)
    if key == "file_name" and not named:
        raise InvalidInput("key file_name needs the list of the images.", hint="set source.images.")
    names: dict[str, str | None] = {str(image): file_name for image, file_name in images}
    ids = list(names)
    files = {file_name for _, file_name in images}
    if named and key != "image_id" and len(files) > len(ids):  # 7 is of 7.jpg and of 007.jpg
        names = {str(file_name): file_name for file_name in files}
        ids = sorted(names)
    if not ids:
        raise InvalidInput(
            "a COCO results file without detections must come with the list of its images.",
            hint="set source.images.",
        )
    items = [str(names[i]) for i in ids] if named and key != "image_id" else ids
    message = (
        "The images are those that have detections; their sizes are unknown. Set source.images to "
        "the file that lists all images."
    )
    notices.append(Notice("no_image_list", message))
    sizes = np.full((len(ids), 2), np.nan)
    known = _categories(categories, notices)
    return Listing(ids, [names[i] for i in ids], items, sizes, known)
