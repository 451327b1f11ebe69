"""Object masks in COCO run-length encoding, read and compared with pycocotools."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput

#: {"size": (height, width), "counts": bytes}, column-major, as in pycocotools.
Mask: TypeAlias = dict[str, Any]
Masks: TypeAlias = NDArray[np.object_]

_FEWEST = 6  # numbers of a polygon: three corners


def mask_of(segmentation: Any, height: int, width: int) -> Mask:
    """Convert a COCO segmentation to a mask.

    Args:
        segmentation: run lengths, as a mapping with `size` and `counts` (compressed or a list of
            numbers); or polygons, each a list x1 y1 x2 y2 … in pixels, which are united.
        height: of the image, in pixels.
        width: of the image, in pixels.

    Raises:
        InvalidInput: if it is neither, or its size differs from the image's.

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
            f"got {str(segmentation)[:60]!r}."
        )
    parts = coco.frPyObjects([list(map(float, p)) for p in segmentation], height, width)
    return {"size": (height, width), "counts": coco.merge(parts)["counts"]}


def checked_masks(masks: Sequence[Mapping[str, Any]] | Masks) -> Masks:
    """Check masks and return them as an array of mappings; an object array passes unchecked.

    pycocotools trusts the run lengths: if they don't add up to the number of pixels, it reads
    out of bounds.

    Raises:
        InvalidInput: if one is not a valid mask.
    """
    if isinstance(masks, np.ndarray) and masks.dtype == object:
        return masks
    out = np.empty(len(masks), dtype=object)
    for row, mask in enumerate(masks):
        try:
            height, width = (int(side) for side in mask["size"])
            counts = mask["counts"]
            if isinstance(counts, str):
                counts = counts.encode("ascii")
            elif not isinstance(counts, bytes):
                counts = _compressed([int(run) for run in counts], height, width)
            whole = min(height, width) > 0 and _total(counts) == height * width
        except (KeyError, TypeError, ValueError, IndexError, OverflowError):
            whole = False
        if not whole:
            raise InvalidInput(
                "a mask must be {size: [height, width], counts: run lengths of all its pixels}; "
                f"got {str(mask)[:60]!r} for row {row}."
            )
        out[row] = {"size": (height, width), "counts": counts}
    return out


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
    from pycocotools import mask as coco

    if len(masks) == 1:
        return dict(masks[0])
    with warnings.catch_warnings():  # pycocotools 2.0.11 uses numpy's pre-2.0 API
        warnings.simplefilter("ignore", DeprecationWarning)
        cover = coco.decode(list(masks)).sum(axis=2, dtype=np.uint16)
    half = np.asfortranarray(2 * cover >= len(masks), dtype=np.uint8)
    return {"size": masks[0]["size"], "counts": coco.encode(half)["counts"]}


def _are_polygons(value: Any) -> bool:
    return (
        isinstance(value, Sequence)
        and len(value) > 0
        and all(
            isinstance(p, Sequence)
            and not isinstance(p, str)
            and len(p) >= _FEWEST
            and len(p) % 2 == 0
            and all(isinstance(x, (int, float)) and np.isfinite(x) for x in p)
            for p in value
        )
    )


def _compressed(runs: list[int], height: int, width: int) -> bytes:
    from pycocotools import mask as coco

    if min(runs) < 0 or sum(runs) != height * width:
        raise ValueError("runs do not cover the mask")
    counts: bytes = coco.frPyObjects({"size": [height, width], "counts": runs}, height, width)[
        "counts"
    ]
    return counts


def _total(counts: bytes) -> int:
    """Sum of the run lengths; from the fourth on, each is stored minus the run two before it."""
    runs: list[int] = []
    value = shift = 0
    for byte in counts:
        digit = byte - 48
        if not 0 <= digit < 64:
            raise ValueError("invalid run-length digit")
        value |= (digit & 31) << shift
        shift += 5
        if digit & 32:
            continue
        if digit & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        if runs[-1] < 0:
            raise ValueError("negative run length")
        value = shift = 0
    if shift:
        raise ValueError("truncated run length")
    return sum(runs)
