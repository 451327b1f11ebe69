"""Responses of the big clouds' vision and text services, of moderation, and of model servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelnext_adapters.files.vision.tool_format import tool_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelnext_adapters.files.vision.findings import Tool


def tools() -> Sequence[Tool]:
    """How its files are read."""
    from labelnext_adapters.files.cloud.images import IMAGES
    from labelnext_adapters.files.cloud.runtimes import RUNTIMES
    from labelnext_adapters.files.cloud.sagemaker import SAGEMAKER
    from labelnext_adapters.files.cloud.services import SERVICES
    from labelnext_adapters.files.cloud.texts import TEXTS

    return (*SERVICES, *TEXTS, *IMAGES, *SAGEMAKER, *RUNTIMES)


FORMAT = tool_format(
    "cloud",
    "responses of AWS, Google Cloud, Azure, Clarifai, Triton, MediaPipe and of moderation services",
    tools,
    "JSON of AWS, Google Cloud, Azure, Clarifai, Triton, MediaPipe, Scale, Perspective or OpenAI",
)
