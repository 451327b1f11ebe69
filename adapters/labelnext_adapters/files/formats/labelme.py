"""LabelMe's and X-AnyLabeling's JSON, where shapes have scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelnext_adapters.files.vision.tool_format import tool_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelnext_adapters.files.vision.findings import Tool


def tools() -> Sequence[Tool]:
    """How its files are read."""
    from labelnext_adapters.files.vision.labelme import LABELME

    return [LABELME]


FORMAT = tool_format(
    "labelme",
    "LabelMe's JSON, a file for each image, whose shapes have a score",
    tools,
    "JSON with shapes and imagePath",
)
