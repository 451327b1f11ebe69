"""Darknet's result.json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelnext_adapters.files.vision.tool_format import tool_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelnext_adapters.files.vision.findings import Tool


def tools() -> Sequence[Tool]:
    """How its files are read."""
    from labelnext_adapters.files.vision.darknet import DARKNET

    return [DARKNET]


FORMAT = tool_format(
    "darknet",
    "Darknet's `result.json`: objects with relative coordinates of each image",
    tools,
    "JSON with filename, objects and relative_coordinates",
)
