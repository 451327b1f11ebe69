"""COCO detections: a results list with the file of its images, or a data set with scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, NotFound
from labelnext.pool.masks import boxes_of_masks
from labelnext.pool.objects import Notice, Objects
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.files.coco.listing import Listing, image_listing, listed_by_results
from labelnext_adapters.files.coco.records import Detections, Records, read_detections
from labelnext_adapters.files.coco.shapes import placed_boxes, placed_masks
from labelnext_adapters.files.content.content import read_json
from labelnext_adapters.files.content.oddities import ROUNDING, Oddities


@dataclass(frozen=True)
class _Placed:
    """The usable detections of a file, by image.

    Attributes:
        places: of each in the file.
        rows: of the images, rising.
        scores: of each.
        class_ids: of each, −1 for unknown.
    """

    places: NDArray[np.intp]
    rows: NDArray[np.int32]
    scores: NDArray[np.float64]
    class_ids: NDArray[np.int32]


def read_coco(
    results_paths: Sequence[Path], images_path: Path | None = None, key: str | None = None
) -> Pool:
    """Detections as objects of their images; images without detections have none.

    Args:
        results_paths: one for each model version, the newest last. Each is a list of records with
            image_id, category_id, score, and bbox (x, y, width, height in pixels), segmentation
            (polygons or run lengths) or keypoints; an embedding too. Or a data set with images,
            categories, and annotations of this kind.
        images_path: with `images` (id, width, height) and `categories` (id, name). Its
            annotations are not taken for labels: they are often ground truth for evaluation. When
            None, the images of the data set, or those that the results name.
        key: the field of an image that is its id; `id` when None.

    Raises:
        NotFound: if a file does not exist.
        InvalidInput: if ids repeat, or too many records can't be used.
    """
    notices: list[Notice] = []
    listing = None
    if images_path is not None:  # first: its JSON takes memory only until it is a listing
        listing = _listing_of(images_path, key, notices)
    read = _read_all(results_paths)
    data_set = read[-1].data_set
    if listing is None and data_set is not None and "images" in data_set:
        listing = image_listing(data_set, key, notices)
    elif listing is None:
        kinds = None if data_set is None else data_set.get("categories")
        listing = listed_by_results([one.detections for one in read], key, notices, kinds)
    sets = []
    for path, records in zip(results_paths, read, strict=True):
        try:
            sets.append(_objects(records.detections, records.odd, listing, notices))
        except InvalidInput as error:
            raise _of_file(error, path, results_paths) from None
    listing.tell_unnamed(notices)
    alone = len(sets) == 1
    return Pool(
        listing.item_ids,
        objects=replace(sets[0], missing=None) if alone else tuple(sets),
        missing=sets[0].missing if alone else None,
        classes=listing.class_names or None,
        versions=[path.stem for path in results_paths],
        notices=notices,
    )


def _read_all(paths: Sequence[Path]) -> list[Records]:
    """What the files of the model versions hold.

    Raises:
        NotFound: if one does not exist.
        InvalidInput: if one is a folder, or too many of its records can't be used.
    """
    read = []
    for path in paths:
        if path.is_dir():
            raise InvalidInput(
                f"COCO results must be one file; {path.name!r} is a folder.",
                hint="set source.path to one of its files, or join their lists in one.",
            )
        if not path.is_file():
            raise NotFound(f"older must be files; got {str(path)!r}, which does not exist.")
        try:
            read.append(read_detections(path))
        except InvalidInput as error:
            raise _of_file(error, path, paths) from None
    for records in read:
        if not len(records.detections):
            records.odd.notices()  # an error, if all were left out
    return read


def file_names(
    path: Path, images_path: Path | None = None, key: str | None = None
) -> dict[str, str]:
    """The file names of images that are known by another id; empty for results without a list.

    Args:
        path: of the results or the data set.
        images_path: as for `read_coco`.
        key: as for `read_coco`.
    """
    data = read_json(path if images_path is None else images_path)
    of_images = isinstance(data, dict) or images_path is not None
    return image_listing(data, key, []).names if of_images else {}


def _listing_of(path: Path, key: str | None, notices: list[Notice]) -> Listing:
    """The images and classes that a file of their own lists.

    Raises:
        NotFound: if it does not exist.
        InvalidInput: if it lists no images.
    """
    if not path.is_file():
        raise NotFound(f"images must be a file; got {str(path)!r}, which does not exist.")
    try:
        listing = image_listing(read_json(path), key, notices)
    except InvalidInput as error:
        error.message = f"{path.name}: {error.message}"
        raise
    if listing.annotated:
        message = f"The annotations in {path.name} aren't used as labels."
        notices.append(Notice("annotations_ignored", message))
    return listing


def _of_file(error: InvalidInput, path: Path, paths: Sequence[Path]) -> InvalidInput:
    """The error with the name of an older file; the caller adds that of the newest."""
    if path != paths[-1]:
        error.message = f"{path.name}: {error.message}"
    return error


def _objects(
    detections: Detections, odd: Oddities, listing: Listing, notices: list[Notice]
) -> Objects:
    """The detections of one model version."""
    placed = _placed(detections, odd, listing, notices)
    detections.free_codes()
    boxes, box_notices = placed_boxes(detections, placed.places, listing, placed.rows)
    notices += box_notices
    masks = None
    if detections.segmentations:
        sizes = listing.sizes[placed.rows]
        masks, mask_notices = placed_masks(detections, placed.places, sizes, boxes)
        notices += mask_notices
    if masks is not None:
        around = boxes_of_masks(masks)
        boxes = around if boxes is None else np.where(np.isnan(boxes), around, boxes)
    counts = np.bincount(placed.rows, minlength=len(listing.item_ids))
    missing = listing.named(item for _, item, _ in odd.left_out) & (counts == 0)
    return Objects(
        np.concatenate([[0], np.cumsum(counts)]),
        placed.scores,
        class_ids=placed.class_ids,
        boxes=boxes,
        masks=masks,
        embeddings=_embeddings(detections.embeddings, placed.places),
        missing=missing if missing.any() else None,
    )


def _placed(
    detections: Detections, odd: Oddities, listing: Listing, notices: list[Notice]
) -> _Placed:
    """The detections whose image, class and score can be used."""
    n = len(detections)
    rows, class_ids = listing.rows_of(detections, notices), listing.classes_of(detections)
    scores: NDArray[np.float64] = np.frombuffer(detections.scores, dtype=float)
    padding = scores == -1  # with which writers fill up a batch of fixed size
    if not ((scores >= 0) & (scores <= 1)).all():
        scores = _mended(scores)
    usable = (rows >= 0) & ~np.isnan(scores) & (class_ids >= -1) & ~padding
    for i in np.flatnonzero(~usable & ~padding).tolist():
        one = detections[i]
        name = one.file_name or one.image_id
        odd.leave_out(f"record {detections.number(i)}", name, listing.fault(one, rows[i]))
    if padding.any():
        message = f"Left out {counted(padding.sum(), 'record')} of padding (score −1)."
        notices.append(Notice("padding", message))
    odd.seen = max(odd.seen, n + len(odd.left_out) - int((~usable & ~padding).sum()))
    notices += odd.notices()
    if usable.all():
        detections.free_codes()  # which only say whose an unusable one is
    short = np.min_scalar_type(len(listing.item_ids))  # short numbers sort faster
    order = np.argsort(rows.astype(short), kind="stable")
    order = order if usable.all() else order[usable[order]]
    rows, class_ids = rows[order], class_ids[order]
    scores[: len(order)] = scores[order]  # in place, as the boxes: no second array of all
    return _Placed(order, rows, scores[: len(order)], class_ids)


def _mended(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores that miss [0, 1] by rounding, brought back; NaN for the others."""
    near = (scores >= -ROUNDING) & (scores <= 1 + ROUNDING)
    return np.where(near, np.clip(scores, 0, 1), np.nan)


def _embeddings(embeddings: Sequence[Any], places: NDArray[np.intp]) -> list[Any] | None:
    used = [embeddings[index] for index in places.tolist()] if embeddings else []
    given = [one for one in used if one is not None]
    if 0 < len(given) < len(used):
        raise InvalidInput(f"every detection must have an embedding; {len(given)} have one.")
    return given or None
