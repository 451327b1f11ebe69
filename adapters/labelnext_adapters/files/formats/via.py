"""JSON of the VGG Image Annotator."""

from labelnext_adapters.files.vision.tool_format import tool_format

FORMAT = tool_format(
    "via",
    "JSON of the VGG Image Annotator (VIA), with a score among the attributes of each region",
    "labelnext_adapters.files.vision.via",
    "JSON with regions and region_attributes",
)
