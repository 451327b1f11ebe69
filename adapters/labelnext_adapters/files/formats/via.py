"""JSON of the VGG Image Annotator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelnext_adapters.files.vision.tool_format import tool_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelnext_adapters.files.vision.findings import Tool


def tools() -> Sequence[Tool]:
    """How its files are read."""
    from labelnext_adapters.files.vision.via import VIA

    return [VIA]


FORMAT = tool_format(
    "via",
    "JSON of the VGG Image Annotator (VIA), with a score among the attributes of each region",
    tools,
    "JSON with regions and region_attributes",
)
