"""Predictions of MMDetection: a JSON file for each image."""

from labelnext_adapters.files.vision.tool_format import tool_format

FORMAT = tool_format(
    "mmdetection",
    "MMDetection's `preds/*.json`: bboxes, labels and scores of each image",
    "labelnext_adapters.files.vision.arrays:MMDETECTION",
    "JSON with bboxes, labels and scores",
    inner="preds",  # as the folder `outputs` has them, beside the images in `vis`
)
