"""Masks as Label Studio's brush keeps them: run lengths of the four channels of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from labelnext.pool.masks import Mask, mask_of_pixels, pixels_of


def rle_of(mask: Mask) -> list[int]:
    """A mask as a brush draws it.

    Args:
        mask: of a whole image.
    """
    return list(_brush().mask2rle(pixels_of(mask) * np.uint8(255)))


def mask_of_rle(rle: Sequence[int], width: int, height: int) -> Mask | None:
    """The pixels that a brush drew; None where there are none, or they aren't the image's.

    Args:
        rle: what Label Studio stores.
        width: of the image, in pixels.
        height: of the image, in pixels.
    """
    try:
        channels = np.asarray(_brush().decode_rle(rle)).reshape(height, width, 4)
    except (IndexError, TypeError, ValueError):
        return None
    drawn = channels[:, :, 3] > 0
    return mask_of_pixels(drawn) if drawn.any() else None


def _brush() -> Any:
    # Late: it brings all of the SDK's converters, which takes seconds.
    from label_studio_sdk.converter import brush

    return brush
