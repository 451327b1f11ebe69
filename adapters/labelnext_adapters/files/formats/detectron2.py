"""Instances of Detectron2, saved as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelnext_adapters.files.vision.tool_format import tool_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelnext_adapters.files.vision.findings import Tool


def tools() -> Sequence[Tool]:
    """How its files are read."""
    from labelnext_adapters.files.vision.detectron2 import DETECTRON2

    return [DETECTRON2]


FORMAT = tool_format(
    "detectron2",
    "Detectron2's pred_boxes, scores and pred_classes, or instances as COCO, of each image",
    tools,
    "JSON with pred_boxes and scores, or lists of instances",
)
