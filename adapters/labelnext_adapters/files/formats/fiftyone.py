"""FiftyOne's samples.json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelnext_adapters.files.vision.tool_format import tool_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelnext_adapters.files.vision.findings import Tool


def tools() -> Sequence[Tool]:
    """How its files are read."""
    from labelnext_adapters.files.vision.fiftyone import FIFTYONE

    return [FIFTYONE]


FORMAT = tool_format(
    "fiftyone",
    "FiftyOne's `samples.json`, with one field of predictions",
    tools,
    "JSON with samples and their filepath",
)
