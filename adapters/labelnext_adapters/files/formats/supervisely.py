"""Supervisely's annotations of images, where objects have scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelnext_adapters.files.vision.tool_format import tool_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelnext_adapters.files.vision.findings import Tool


def tools() -> Sequence[Tool]:
    """How its files are read."""
    from labelnext_adapters.files.vision.supervisely import SUPERVISELY

    return [SUPERVISELY]


FORMAT = tool_format(
    "supervisely",
    "Supervisely's JSON, a file for each image, whose objects have a tag with a score",
    tools,
    "JSON with objects that have a classTitle",
)
