"""FiftyOne's samples.json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelnext_adapters.files.vision.options import DetectionOptions
from labelnext_adapters.files.vision.tool_format import tool_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelnext_adapters.files.vision.findings import Tool


class FiftyOneOptions(DetectionOptions):
    """Keys of `source` for samples of FiftyOne."""

    pred_field: str | None = None
    """Field of FiftyOne's samples that holds the predictions, where several do."""


def tools(options: FiftyOneOptions | None = None) -> Sequence[Tool]:
    """How its files are read."""
    from dataclasses import replace

    from labelnext_adapters.files.vision.fiftyone import FIFTYONE, samples_read

    if options is None:
        return [FIFTYONE]
    return [replace(FIFTYONE, several=lambda value: samples_read(value, options.pred_field))]


FORMAT = tool_format(
    "fiftyone",
    "FiftyOne's `samples.json`, with predictions in one field",
    tools,
    "JSON with samples and their filepath",
    Options=FiftyOneOptions,
)
