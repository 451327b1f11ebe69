"""V7's Darwin JSON, where annotations have a confidence."""

from labelnext_adapters.files.vision.tool_format import tool_format

FORMAT = tool_format(
    "darwin",
    "V7's Darwin JSON, a file for each image, whose annotations have an inference",
    "labelnext_adapters.files.vision.darwin",
    "JSON with an item and annotations",
)
