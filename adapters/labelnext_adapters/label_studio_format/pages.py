"""The pages or images of a task: their boxes side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelnext_adapters.label_studio_format.regions import Setup


def side_by_side(
    boxes: NDArray[np.float64], pages: NDArray[np.int64], setup: Setup
) -> NDArray[np.float64]:
    """The boxes of a task's pages or images as of one wide image, so that only those of one meet.

    What one box has in common with another of its page, as a share of both, stays the same.

    Args:
        boxes: shape (n_objects, 4).
        pages: shape (n_objects,), numbers of `Setup.pages`.
        setup: the control tags that were read.
    """
    n_pages = len(setup.pages)
    if n_pages < 2:
        return boxes
    order = sorted(setup.pages)  # the same, whatever was read first
    column = np.empty(n_pages, dtype=np.int64)
    column[[setup.pages[page] for page in order]] = np.arange(n_pages)
    wide = np.clip(boxes, 0, 1)
    wide[:, [0, 2]] = (wide[:, [0, 2]] + column[pages][:, None]) / n_pages
    return wide
