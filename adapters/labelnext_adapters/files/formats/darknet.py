"""Darknet's result.json."""

from labelnext_adapters.files.vision.tool_format import tool_format

FORMAT = tool_format(
    "darknet",
    "Darknet's `result.json`: objects with relative coordinates of each image",
    "labelnext_adapters.files.vision.darknet",
    "JSON with filename, objects and relative_coordinates",
)
