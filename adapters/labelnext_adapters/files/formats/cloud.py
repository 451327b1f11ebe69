"""Responses of the big clouds' vision and text services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelnext_adapters.files.vision.tool_format import tool_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelnext_adapters.files.vision.findings import Tool


def tools() -> Sequence[Tool]:
    """How its files are read."""
    from labelnext_adapters.files.cloud.services import SERVICES

    return SERVICES


FORMAT = tool_format(
    "cloud",
    "responses of Rekognition, Google Vision, Azure Vision, Vertex AI or Comprehend",
    tools,
    "JSON of Rekognition, Google Vision, Azure Custom Vision, Vertex AI or Comprehend",
)
