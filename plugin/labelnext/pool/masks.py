"""Object masks in COCO run-length encoding, read and compared with pycocotools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput

#: {"size": (height, width), "counts": bytes}, column-major, as in pycocotools.
Mask: TypeAlias = dict[str, Any]
Masks: TypeAlias = NDArray[np.object_]

_FEWEST = 6  # numbers of a polygon: three corners
_LARGEST = 1e15  # of a coordinate; a whole number beyond that may not even be a float
_DIGITS = 7  # of a run length, five bits each

# pycocotools counts in 32 bits and checks nothing, so these keep it within its numbers and a few
# seconds and hundred megabytes.
MOST_PIXELS = 2**31 - 1  #: of an image with masks
MOST_ACROSS = 100_000  #: pixels, its width or height
MOST_OUTLINE = 2_000_000  #: pixels, the outline of all polygons of a segmentation
_OUTSIDE = 10  # a corner may lie so many times the image's longer side from the image's corner


class CheckedMasks(np.ndarray[Any, np.dtype[np.object_]]):
    """Masks that `checked_masks` has checked; what is selected from them needs no second check."""


def mask_of(segmentation: Any, height: int, width: int) -> Mask:
    """Convert a COCO segmentation to a mask.

    Args:
        segmentation: run lengths, as a mapping with `size` and `counts` (compressed or a list of
            numbers); or polygons, each a list x1 y1 x2 y2 … in pixels, which are united.
        height: of the image, in pixels.
        width: of the image, in pixels.

    Raises:
        InvalidInput: if it is neither, its size differs from the image's, the image is larger than
            `MOST_PIXELS` or `MOST_ACROSS`, or its outline longer than `MOST_OUTLINE`.

    Example:
        >>> mask_of([[0, 0, 2, 0, 2, 2, 0, 2]], 4, 4)
        {'size': (4, 4), 'counts': b'02208'}
    """
    from pycocotools import mask as coco

    if isinstance(segmentation, Mapping):
        (mask,) = checked_masks([segmentation])
        if mask["size"] != (height, width):
            raise InvalidInput(
                f"a mask must have the size of its image, {height} × {width}; "
                f"got {mask['size'][0]} × {mask['size'][1]}."
            )
        return dict(mask)
    if not _are_polygons(segmentation):
        raise InvalidInput(
            "segmentation must be run lengths or polygons with at least three corners; "
            f"got {_start(segmentation)}."
        )
    if not _is_size(height, width):
        raise InvalidInput(f"{_SIZE_RULE}; got {height!r:.20} × {width!r:.20}.")
    polygons = [list(map(float, polygon)) for polygon in segmentation]
    _check_outline(polygons, int(height), int(width))
    parts = coco.frPyObjects(polygons, int(height), int(width))
    return {"size": (int(height), int(width)), "counts": coco.merge(parts)["counts"]}


def checked_masks(masks: Sequence[Mapping[str, Any]] | Masks) -> Masks:
    """Check masks and return them as an array of mappings; what was checked before passes.

    pycocotools trusts the run lengths: if they don't add up to the number of pixels, it reads
    out of bounds.

    Raises:
        InvalidInput: if one is not a valid mask, or larger than `MOST_PIXELS` or `MOST_ACROSS`.
    """
    if isinstance(masks, CheckedMasks):
        return masks
    out = np.empty(len(masks), dtype=object).view(CheckedMasks)
    for row, mask in enumerate(masks):
        try:
            height, width = mask["size"]
            counts = mask["counts"]
            sized = _is_size(height, width)
            height, width = int(height), int(width)
            if isinstance(counts, str):
                counts = counts.encode("ascii")
            elif sized and not isinstance(counts, bytes):
                counts = _compressed([int(run) for run in counts], height * width)
            whole = sized and int(_runs(counts).sum()) == height * width
        except (KeyError, TypeError, ValueError, IndexError, OverflowError):
            whole = False
        if not whole:
            raise InvalidInput(
                "a mask must be {size: [height, width], counts: run lengths of all its pixels}, "
                f"of at most {MOST_PIXELS:,} pixels and {MOST_ACROSS:,} across; "
                f"got {_start(mask)} for row {row}."
            )
        out[row] = {"size": (height, width), "counts": counts}
    return out


def mask_of_pixels(pixels: NDArray[np.bool_]) -> Mask:
    """A mask of the pixels that are true.

    Args:
        pixels: shape (height, width).
    """
    from pycocotools import mask as coco

    made = coco.encode(np.asfortranarray(pixels, dtype=np.uint8))
    return {"size": pixels.shape, "counts": made["counts"]}


def pixels_of(mask: Mask) -> NDArray[np.bool_]:
    """The pixels of a mask, shape (height, width).

    Example:
        >>> pixels_of(mask_of_pixels(np.array([[True, False], [False, False]]))).tolist()
        [[True, False], [False, False]]
    """
    height, width = mask["size"]
    runs = _runs(mask["counts"])
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(width, height).T


def boxes_of_masks(masks: Masks) -> NDArray[np.float64]:
    """The boxes around masks, x1 y1 x2 y2 as fractions of the image, shape (n_masks, 4).

    Example:
        >>> boxes_of_masks(checked_masks([mask_of([[0, 0, 2, 0, 2, 2, 0, 2]], 4, 8)])).tolist()
        [[0.0, 0.0, 0.25, 0.5]]
    """
    from pycocotools import mask as coco

    if not len(masks):
        return np.empty((0, 4))
    boxes: NDArray[np.float64] = coco.toBbox(masks.tolist())
    boxes[:, 2:] += boxes[:, :2]
    boxes /= np.array([m["size"] for m in masks])[:, [1, 0, 1, 0]]
    return boxes


def mask_iou(first: Masks, second: Masks) -> NDArray[np.float64]:
    """Intersection over union of every mask with every mask.

    Args:
        first: shape (n,).
        second: shape (m,).

    Returns:
        Shape (n, m), in [0, 1].

    Raises:
        InvalidInput: if their sizes differ.

    Example:
        >>> left, whole = ({"size": [2, 2], "counts": runs} for runs in ([0, 2, 2], [0, 4]))
        >>> mask_iou(checked_masks([left]), checked_masks([whole])).tolist()
        [[0.5]]
    """
    from pycocotools import mask as coco

    if not len(first) or not len(second):
        return np.zeros((len(first), len(second)))
    iou: NDArray[np.float64] = coco.iou(first.tolist(), second.tolist(), [0] * len(second))
    if (iou < 0).any():
        sizes = sorted({f"{m['size'][0]} × {m['size'][1]}" for m in [*first, *second]})
        raise InvalidInput(f"masks of one image must have the same size; got {', '.join(sizes)}.")
    return iou


def mean_mask(masks: Sequence[Mask]) -> Mask:
    """The pixels covered by at least half of the masks.

    Args:
        masks: of one image, at least one.

    Example:
        >>> runs = [[0, 2, 2], [0, 2, 2], [0, 4]]  # the left column, twice, and all pixels
        >>> masks = checked_masks([{"size": [2, 2], "counts": r} for r in runs])
        >>> mean_mask(masks.tolist()) == masks[0]
        True
    """
    if len(masks) == 1:
        return dict(masks[0])
    # A mask changes between covered and not at the end of each run; no pixel is looked at.
    ends = [_runs(mask["counts"]).cumsum()[:-1] for mask in masks]
    steps = [np.where(np.arange(len(places)) % 2, -1, 1) for places in ends]
    places, where = np.unique(np.concatenate(ends), return_inverse=True)
    cover = np.cumsum(np.bincount(where, np.concatenate(steps), minlength=len(places)))
    covered = np.concatenate([[False], 2 * cover >= len(masks)])
    changes = places[covered[1:] != covered[:-1]]
    height, width = masks[0]["size"]
    runs = np.diff(np.concatenate([[0], changes, [height * width]]))
    if runs[-1] == 0:  # a run that ends with the last pixel
        runs = runs[:-1]
    return {"size": (height, width), "counts": _compressed(runs.tolist(), height * width)}


def _start(value: object) -> str:
    return f"{str(value)[:60]!r}"


_SIZE_RULE = (
    f"an image with masks must have at most {MOST_PIXELS:,} pixels and {MOST_ACROSS:,} across"
)


def _is_size(height: Any, width: Any) -> bool:
    """Whether both are whole numbers of pixels, and few enough."""
    return (
        all(isinstance(side, (int, float, np.number)) for side in (height, width))
        and all(1 <= side <= MOST_ACROSS and side == int(side) for side in (height, width))
        and int(height) * int(width) <= MOST_PIXELS
    )


def _are_polygons(value: Any) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, (str, bytes))
        and len(value) > 0
        and all(
            isinstance(p, Sequence)
            and not isinstance(p, (str, bytes))
            and len(p) >= _FEWEST
            and len(p) % 2 == 0
            and all(isinstance(x, (int, float)) and abs(x) <= _LARGEST for x in p)
            for p in value
        )
    )


def _check_outline(polygons: list[list[float]], height: int, width: int) -> None:
    """Refuse polygons far from the image, and ones that take too long to draw.

    Raises:
        InvalidInput: for either.
    """
    reach, outline = _OUTSIDE * max(height, width), 0.0
    for polygon in polygons:
        corners = np.array(polygon).reshape(-1, 2)
        farthest = float(np.abs(corners).max())
        if farthest > reach:
            raise InvalidInput(
                f"corners of a polygon must be at most {reach:,} pixels from the corner of an "
                f"image of {width:,} × {height:,}; got {farthest:g}.",
                hint="give them in pixels of the image.",
            )
        steps = np.abs(np.diff(corners, axis=0, append=corners[:1])).max(axis=1)
        outline += float(steps.sum()) + len(corners)
    if outline > MOST_OUTLINE:
        raise InvalidInput(
            f"the outline of a segmentation must be at most {MOST_OUTLINE:,} pixels long; "
            f"got {outline:,.0f}.",
            hint="give run lengths, or polygons with fewer corners.",
        )


def _compressed(runs: list[int], n_pixels: int) -> bytes:
    """Run lengths as pycocotools stores them."""
    from pycocotools import mask as coco

    if min(runs) < 0 or sum(runs) != n_pixels:
        raise ValueError("runs do not cover the mask")
    counts: bytes = coco.frPyObjects({"size": [n_pixels, 1], "counts": runs}, n_pixels, 1)["counts"]
    return counts


def _runs(counts: bytes) -> NDArray[np.int64]:
    """Run lengths; from the fourth on, each is stored minus the run two before it.

    Raises:
        ValueError: if they are not valid.
    """
    digits = np.frombuffer(counts, dtype=np.uint8).astype(np.int64) - 48
    last = (digits & 32) == 0  # of its number
    if not len(digits) or digits.min() < 0 or digits.max() > 63 or not last[-1]:
        raise ValueError("invalid run-length digit")
    ends = np.flatnonzero(last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    if (ends - starts).max() >= _DIGITS:
        raise ValueError("a run length is too long")
    places = 5 * (np.arange(len(digits)) - np.repeat(starts, ends - starts + 1))
    runs = np.add.reduceat((digits & 31) << places, starts)
    negative = (digits[ends] & 16) > 0
    runs[negative] -= 1 << (places[ends][negative] + 5)
    runs[1::2] = runs[1::2].cumsum()
    runs[2::2] = runs[2::2].cumsum()
    if runs.min() < 0:
        raise ValueError("negative run length")
    return runs
