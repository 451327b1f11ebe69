"""Results of MegaDetector and SpeciesNet in its batch format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelnext_adapters.files.vision.tool_format import tool_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelnext_adapters.files.vision.findings import Tool


def tools() -> Sequence[Tool]:
    """How its files are read."""
    from labelnext_adapters.files.vision.megadetector import MEGADETECTOR

    return MEGADETECTOR


FORMAT = tool_format(
    "megadetector",
    "MegaDetector's batch output: detections of each image, with their categories",
    tools,
    "JSON images with file and detections",
)
