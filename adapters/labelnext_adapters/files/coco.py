"""COCO results (a list of detections) with the file that holds the images and categories."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, NotFound, listed
from labelnext.pool.masks import Masks, boxes_of_masks, mask_of
from labelnext.pool.objects import Notice, Objects
from labelnext.pool.pool import Pool


def read_coco(results_paths: Sequence[Path], images_path: Path, key: str | None = None) -> Pool:
    """Detections as objects of their images; images without detections have none.

    Args:
        results_paths: one for each model version, the newest last. Each is a list of records with
            image_id, category_id, score, and bbox (x, y, width, height in pixels) or segmentation
            (polygons or run lengths) or both; an embedding too.
        images_path: with `images` (id, width, height) and `categories` (id, name). Its
            annotations are not taken for labels: they are often ground truth for evaluation.
        key: the field of an image that is its id; `id` when None.

    Raises:
        NotFound: if a file does not exist.
        InvalidInput: if a record lacks a field or names an image or category that is not listed.
    """
    if not images_path.is_file():
        raise NotFound(f"images must be a file; got {str(images_path)!r}, which does not exist.")
    listing = _load(images_path)
    if not isinstance(listing, dict) or not isinstance(listing.get("images"), list):
        raise InvalidInput(f"{images_path.name} must contain a list of images.")
    images: list[dict[str, Any]] = listing["images"]
    categories = sorted(listing.get("categories", []), key=lambda c: c["id"])
    versions = []
    for path in results_paths:
        if not path.is_file():
            raise NotFound(f"older must be files; got {str(path)!r}, which does not exist.")
        try:
            versions.append(_objects(_load(path), images, categories))
        except InvalidInput as error:
            if path != results_paths[-1]:  # whose name the caller adds
                error.message = f"{path.name}: {error.message}"
            raise
    notices = []
    if listing.get("annotations"):
        message = f"The annotations in {images_path.name} aren't used as labels."
        notices.append(Notice("annotations_ignored", message))
    return Pool(
        [_of(image, key or "id", "image") for image in images],
        objects=tuple(versions) if len(versions) > 1 else versions[0],
        classes=[str(c["name"]) for c in categories] or None,
        versions=[path.stem for path in results_paths],
        notices=notices,
    )


def _objects(
    results: Any, images: list[dict[str, Any]], categories: list[dict[str, Any]]
) -> Objects:
    """The detections of one model version."""
    if not isinstance(results, list):
        raise InvalidInput("a COCO results file must be a list of detections.")
    rows = {_of(image, "id", "image"): row for row, image in enumerate(images)}
    places = {category["id"]: place for place, category in enumerate(categories)}
    for detection in results:
        if not isinstance(detection, dict):
            raise InvalidInput("a COCO results file must be a list of detections.")
    owners = [_of(d, "image_id", "detection") for d in results]
    strange = sorted({str(i) for i in owners if i not in rows})
    if strange:
        raise InvalidInput(
            f"image_id must be one of the {len(images)} images; got {listed(strange)}."
        )
    kinds = [_of(d, "category_id", "detection") for d in results]
    strange = sorted({str(c) for c in kinds if c not in places})
    if categories and strange:
        raise InvalidInput(f"category_id must be one of the categories; got {listed(strange)}.")

    item_rows = np.array([rows[i] for i in owners], dtype=np.int64)
    order = np.argsort(item_rows, kind="stable")
    results = [results[i] for i in order]
    sizes = np.array([[_of(i, "width", "image"), _of(i, "height", "image")] for i in images])
    sizes = sizes.reshape(-1, 2)[item_rows[order]]
    masks = _masks(results, sizes)
    scores = np.array([_of(d, "score", "detection") for d in results], dtype=float)
    class_ids = [places.get(c, -1) for c in kinds]
    return Objects(
        np.concatenate([[0], np.cumsum(np.bincount(item_rows, minlength=len(images)))]),
        scores,
        class_ids=np.array(class_ids, dtype=np.int64)[order],
        boxes=_boxes(results, sizes, masks),
        masks=masks,
        embeddings=_embeddings(results),
    )


def _boxes(
    results: list[dict[str, Any]], sizes: NDArray[Any], masks: Masks | None
) -> NDArray[np.float64]:
    """Boxes x1 y1 x2 y2 in fractions of the image, those around the masks where there are none."""
    if masks is not None and not all("bbox" in d for d in results):
        return boxes_of_masks(masks)
    boxes = np.array([_of(d, "bbox", "detection") for d in results], dtype=float).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    boxes /= np.tile(sizes, 2)
    return boxes


def _masks(results: list[dict[str, Any]], sizes: NDArray[Any]) -> Masks | None:
    """Masks of the detections; a box takes the place of a segmentation that is not there."""
    if not any(d.get("segmentation") for d in results):
        return None
    masks = np.empty(len(results), dtype=object)
    for row, (d, (width, height)) in enumerate(zip(results, sizes.tolist(), strict=True)):
        shape = d.get("segmentation")
        if not shape:
            x, y, w, h = _of(d, "bbox", "detection without segmentation")
            shape = [[x, y, x + w, y, x + w, y + h, x, y + h]]
        masks[row] = mask_of(shape, height, width)
    return masks


def _embeddings(results: list[dict[str, Any]]) -> list[Any] | None:
    given = [d["embedding"] for d in results if "embedding" in d]
    if 0 < len(given) < len(results):
        raise InvalidInput(f"every detection must have an embedding; {len(given)} have one.")
    return given or None


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path.name}: {error}") from error


def _of(record: dict[str, Any], field: str, what: str) -> Any:
    if field not in record:
        raise InvalidInput(f"every {what} must have {field}; got the keys {listed(record)}.")
    return record[field]
