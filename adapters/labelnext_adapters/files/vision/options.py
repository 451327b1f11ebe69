"""Options that formats of detections share."""

from __future__ import annotations

from pydantic import PositiveInt

from labelnext.adapter.options import Options


class DetectionOptions(Options):
    """Keys of `source` for files of detections."""

    classes: list[str] | None = None
    """Class names by their numbers, where the file has numbers only."""
    image_size: tuple[PositiveInt, PositiveInt] | None = None
    """Width and height of all images in pixels, where the file doesn't have them."""
