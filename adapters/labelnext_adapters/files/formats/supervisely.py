"""Supervisely's annotations of images, where objects have scores."""

from labelnext_adapters.files.vision.tool_format import tool_format

FORMAT = tool_format(
    "supervisely",
    "Supervisely's JSON, a file for each image, whose objects have a tag with a score",
    "labelnext_adapters.files.vision.supervisely",
    "JSON with objects that have a classTitle",
)
