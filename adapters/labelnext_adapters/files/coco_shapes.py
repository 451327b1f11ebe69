"""Boxes and masks of COCO detections; what can't be used is left out alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.masks import Masks, mask_of
from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.files.coco_records import Detection
from labelnext_adapters.files.vectors import usable_boxes

if TYPE_CHECKING:
    from labelnext_adapters.files.coco_listing import Listing

_SHOWN = 5


def boxes_of_records(
    records: Sequence[Detection],
    places: NDArray[np.intp],
    sizes: NDArray[np.float64],
    listing: Listing,
    rows: NDArray[np.intp],
) -> tuple[NDArray[np.float64] | None, list[Notice]]:
    """Boxes x1 y1 x2 y2 in fractions of the image; NaN where one can't be used.

    Args:
        records: the detections.
        places: of each in the file, from 1.
        sizes: shape (n_detections, 2), of their images in pixels, NaN if unknown.
        listing: the images.
        rows: the image of each.

    Returns:
        Shape (n_detections, 4), None if no record has a box; and a notice of those left out.
    """
    nothing = (np.nan,) * 4
    flat = chain.from_iterable(d.bbox or nothing for d in records)
    boxes = np.fromiter(flat, dtype=float, count=4 * len(records)).reshape(-1, 4)
    given = ~np.isnan(boxes).all(axis=1)
    if not given.all():
        given = np.array([d.bbox is not None for d in records], dtype=bool)
    if not given.any():
        return None, []
    raw = boxes.copy()
    boxes[:, 2:] += boxes[:, :2]
    boxes /= np.tile(sizes, 2)
    usable = usable_boxes(boxes)
    bad = np.flatnonzero(given & ~usable)
    boxes[~usable] = np.nan
    if not bad.size:
        return boxes, []
    told = []
    for i in bad[:_SHOWN].tolist():
        name = listing.item_ids[rows[i]]
        if np.isnan(sizes[i]).any():
            told.append(f"record {places[i]} (image {name}): the image has no width and height")
        else:
            width, height = sizes[i].tolist()
            told.append(
                f"record {places[i]} (image {name}, {width:g} × {height:g} pixels): "
                f"{[round(v, 2) for v in raw[i].tolist()]}"
            )
    message = (
        f"Left out {counted(bad.size, 'box', 'boxes')}, but not the detections: a box must be "
        f"x, y, width, height in pixels of its image; {'; '.join(told)}."
    )
    items = dict.fromkeys(listing.item_ids[rows[i]] for i in bad.tolist())
    return boxes, [Notice("bad_boxes", message, tuple(items))]


def masks_of_records(
    records: Sequence[Detection],
    places: NDArray[np.intp],
    sizes: NDArray[np.float64],
    boxes: NDArray[np.float64] | None,
) -> tuple[Masks | None, list[Notice]]:
    """Masks of the detections; a box takes the place of a segmentation that is missing or broken.

    Args:
        records: the detections.
        places: of each in the file, from 1.
        sizes: shape (n_detections, 2), of their images in pixels.
        boxes: of the detections, in fractions.

    Returns:
        The masks, None if there are none, or an object has neither mask nor box; and notices.
    """
    if not any(d.segmentation for d in records):
        return None, []
    masks = np.empty(len(records), dtype=object)
    bad: list[str] = []
    for row, d in enumerate(records):
        width, height = sizes[row].tolist()
        if not np.isnan(width + height) and d.segmentation:
            try:
                masks[row] = mask_of(d.segmentation, round(height), round(width))
                continue
            except (InvalidInput, TypeError, ValueError, KeyError, OverflowError) as error:
                bad.append(f"record {places[row]}: {str(error).rstrip('.')}")
        if boxes is None or np.isnan(boxes[row]).any():
            message = (
                "Used no masks, because some detections have neither a usable segmentation nor a "
                f"box: record {places[row]}{'; ' + '; '.join(bad[:_SHOWN]) if bad else ''}."
            )
            return None, [Notice("bad_masks", message)]
        x1, y1, x2, y2 = (np.clip(boxes[row], 0, 1) * [width, height, width, height]).tolist()
        corners = [[x1, y1, x2, y1, x2, y2, x1, y2]]
        masks[row] = mask_of(corners, round(height), round(width))
    if not bad:
        return masks, []
    message = (
        f"Used the box instead of {counted(len(bad), 'broken segmentation')}: "
        f"{'; '.join(bad[:_SHOWN])}."
    )
    return masks, [Notice("bad_masks", message)]
