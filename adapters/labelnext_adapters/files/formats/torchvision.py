"""Detections of torchvision's models, saved as JSON."""

from labelnext_adapters.files.vision.tool_format import tool_format

FORMAT = tool_format(
    "torchvision",
    "torchvision's boxes, labels and scores of each image, as JSON",
    "labelnext_adapters.files.vision.arrays:TORCHVISION",
    "JSON with boxes, labels and scores",
)
