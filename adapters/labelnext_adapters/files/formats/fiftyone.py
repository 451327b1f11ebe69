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


def chosen(options: FiftyOneOptions) -> Sequence[Tool]:
    """Reads the field that is named, or the only one that holds predictions."""
    from labelnext_adapters.files.vision.fiftyone import tool_of

    return [tool_of(options.pred_field)]


FORMAT = tool_format(
    "fiftyone",
    "FiftyOne's `samples.json`, with predictions in one field",
    "labelnext_adapters.files.vision.fiftyone",
    "JSON with samples and their filepath",
    Options=FiftyOneOptions,
    chosen=chosen,
)
