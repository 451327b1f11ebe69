"""Boxes and masks of COCO detections; what can't be used is left out alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.masks import Masks, mask_of
from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.files.coco.records import Detections
from labelnext_adapters.files.tables.vectors import usable_boxes

if TYPE_CHECKING:
    from labelnext_adapters.files.coco.listing import Listing

_SHOWN = 5
_STEP = 1 << 16  # boxes that are converted at once


def placed_boxes(
    detections: Detections, places: NDArray[np.intp], listing: Listing, rows: NDArray[np.int32]
) -> tuple[NDArray[np.float64] | None, list[Notice]]:
    """Boxes x1 y1 x2 y2 in fractions of the image; NaN where one can't be used.

    Args:
        detections: of a file; their own boxes are freed.
        places: positions of the usable ones.
        listing: the images.
        rows: the image of each usable one.

    Returns:
        Shape (n_usable, 4), None if no record has a box; and a notice of those left out.
    """
    given = np.isin(places, detections.boxless, invert=True)
    boxes: NDArray[np.float64] = np.frombuffer(detections.bboxes, dtype=float).reshape(-1, 4)
    for side in boxes.T:  # one after the other: no second array of all boxes
        side[: len(places)] = side[places]
    boxes = boxes[: len(places)]
    detections.free_boxes()
    if not given.any():
        return None, []
    boxless = _boxless(detections, places, given, listing, rows)
    bad, told = [], list[str]()
    for start in range(0, len(boxes), _STEP):  # in place, without copies of all of them
        part = slice(start, start + _STEP)
        raw, sizes = boxes[part].copy(), listing.sizes[rows[part]]
        boxes[part, 2:] += boxes[part, :2]
        boxes[part] /= np.tile(sizes, 2)
        unusable = ~usable_boxes(boxes[part])
        boxes[part][unusable] = np.nan
        for i in np.flatnonzero(given[part] & unusable).tolist():
            bad.append(rows[start + i])
            if len(told) < _SHOWN:
                name = listing.item_ids[rows[start + i]]
                number = detections.number(places[start + i])
                told.append(f"record {number} {_why(name, raw[i], sizes[i])}")
    if not bad:
        return boxes, boxless
    message = (
        f"Left out {counted(len(bad), 'box', 'boxes')}, but not the detections: a box must be "
        f"x, y, width, height in pixels of its image; {'; '.join(told)}."
    )
    items = dict.fromkeys(listing.item_ids[row] for row in bad)
    return boxes, [Notice("bad_boxes", message, tuple(items)), *boxless]


def _boxless(
    detections: Detections,
    places: NDArray[np.intp],
    given: NDArray[np.bool_],
    listing: Listing,
    rows: NDArray[np.int32],
) -> list[Notice]:
    """Detections without a box or a segmentation, in a file where others have boxes."""
    outlined = detections.segmentations
    missing = [row for row in np.flatnonzero(~given) if not outlined or not outlined[places[row]]]
    if not missing:
        return []
    first = missing[0]
    message = (
        f"{counted(len(missing), 'detection')} without a box: record "
        f"{detections.number(places[first])} (image {listing.item_ids[rows[first]]})"
        f"{' and others' if len(missing) > 1 else ''}."
    )
    items = dict.fromkeys(listing.item_ids[row] for row in rows[missing])
    return [Notice("no_boxes", message, tuple(items))]


def _why(name: str, raw: NDArray[np.float64], size: NDArray[np.float64]) -> str:
    """Why a box can't be used."""
    if np.isnan(size).any():
        return f"(image {name}): the image has no width and height"
    width, height = size.tolist()
    return f"(image {name}, {width:g} × {height:g} pixels): {[round(v, 2) for v in raw.tolist()]}"


def placed_masks(
    detections: Detections,
    places: NDArray[np.intp],
    sizes: NDArray[np.float64],
    boxes: NDArray[np.float64] | None,
) -> tuple[Masks | None, list[Notice]]:
    """Masks of the detections; a box takes the place of a segmentation that is missing or broken.

    Args:
        detections: of a file.
        places: positions of the usable ones.
        sizes: shape (n_usable, 2), of their images in pixels.
        boxes: of the detections, in fractions.

    Returns:
        The masks, None if there are none, or an object has neither mask nor box; and notices.
    """
    segmentations = detections.segmentations
    if not segmentations or not any(segmentations[index] for index in places):
        return None, []
    masks = np.empty(len(places), dtype=object)
    bad: list[str] = []
    for row, index in enumerate(places.tolist()):
        width, height = sizes[row].tolist()
        if not np.isnan(width + height) and segmentations[index]:
            try:
                masks[row] = mask_of(segmentations[index], round(height), round(width))
                continue
            except (InvalidInput, TypeError, ValueError, KeyError, OverflowError) as error:
                bad.append(f"record {detections.number(index)}: {str(error).rstrip('.')}")
        if boxes is None or np.isnan(boxes[row]).any():
            shown = "; ".join([f"record {detections.number(index)}", *bad[:_SHOWN]])
            message = (
                "Used no masks, because some detections have neither a usable segmentation nor a "
                f"box: {shown}."
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
