"""Results of TensorFlow's object detection, saved as JSON or served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelnext_adapters.files.vision.tool_format import tool_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelnext_adapters.files.vision.findings import Tool


def tools() -> Sequence[Tool]:
    """How its files are read."""
    from labelnext_adapters.files.vision.tensorflow import TENSORFLOW

    return [TENSORFLOW]


FORMAT = tool_format(
    "tensorflow",
    "TensorFlow's detection_boxes, detection_scores and detection_classes of each image",
    tools,
    "JSON with detection_boxes and detection_scores",
)
