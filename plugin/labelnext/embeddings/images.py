"""Vectors of images without a model: histograms of colours and of gradients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelnext.support.images import small_image

RULES = "colours 4x4x4, means 4x4, gradients 8x8x9 of 64 pixels, 1"
"""What the vectors follow from, besides the images; kept vectors of other rules aren't used."""

_SIDE, _LEVELS, _PATCHES, _CELLS, _DIRECTIONS = 64, 4, 4, 8, 9


def image_vector(data: bytes) -> NDArray[np.float16]:
    """Colours of the image, colours of its sixteen parts, and where its edges are.

    Each of the three is of about the same length. The image is squeezed to 64 × 64 pixels.

    Args:
        data: the image, in any format that Pillow reads.

    Returns:
        Shape (688,): 64 colours, 48 mean colours, 64 cells × 9 directions.

    Raises:
        ValueError: if it isn't an image.

    References:
        Swain and Ballard, Color Indexing (1991); Dalal and Triggs, Histograms of Oriented Gradients
        (2005).
    """
    from PIL import Image

    image = small_image(data, 4 * _SIDE).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    pixels = np.asarray(image, dtype=np.float64)
    parts = (_colours(pixels), _means(pixels), _gradients(pixels.mean(axis=2)))
    return np.concatenate(parts).astype(np.float16)


def _colours(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Roots of the shares of 64 colours, shape (64,), of length 1."""
    levels = (pixels * _LEVELS / 256).astype(np.intp).reshape(-1, 3)
    bins = levels @ np.array([_LEVELS**2, _LEVELS, 1])
    shares: NDArray[np.float64] = np.bincount(bins, minlength=_LEVELS**3) / len(bins)
    return np.sqrt(shares)


def _means(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean red, green and blue of 4 × 4 parts, shape (48,), of length at most 1."""
    width = _SIDE // _PATCHES
    patches = pixels.reshape(_PATCHES, width, _PATCHES, width, 3).mean(axis=(1, 3))
    means: NDArray[np.float64] = patches.ravel() / 255 / np.sqrt(patches.size)
    return means


def _gradients(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """Roots of the shares of edges by cell and direction, shape (576,), of length 1 or 0."""
    down, right = np.gradient(grey)
    strength = np.hypot(down, right).ravel()
    angle = np.arctan2(down, right).ravel() / np.pi % 1  # dark to light is as light to dark
    direction = np.minimum((angle * _DIRECTIONS).astype(np.intp), _DIRECTIONS - 1)
    cell = np.arange(_SIDE) * _CELLS // _SIDE
    cells = (cell[:, None] * _CELLS + cell).ravel()
    sums = np.bincount(cells * _DIRECTIONS + direction, strength, _CELLS**2 * _DIRECTIONS)
    edges: NDArray[np.float64] = np.sqrt(sums / max(sums.sum(), 1e-9))
    return edges
