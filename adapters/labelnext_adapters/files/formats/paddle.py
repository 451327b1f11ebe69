"""Results of PaddleDetection, PaddleClas and PaddleX as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelnext_adapters.files.vision.tool_format import tool_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelnext_adapters.files.vision.findings import Tool


def tools() -> Sequence[Tool]:
    """How its files are read."""
    from labelnext_adapters.files.vision.paddle import PADDLE

    return PADDLE


FORMAT = tool_format(
    "paddle",
    "Paddle's boxes with coordinate and score, or class_ids with scores, of each image",
    tools,
    "JSON with boxes that have coordinate and score, or class_ids and scores",
)
