"""LabelMe's and X-AnyLabeling's JSON, where shapes have scores."""

from labelnext_adapters.files.vision.tool_format import tool_format

FORMAT = tool_format(
    "labelme",
    "LabelMe's JSON, a file for each image, whose shapes have a score",
    "labelnext_adapters.files.vision.labelme",
    "JSON with shapes and imagePath",
)
