"""Results of MegaDetector and SpeciesNet in its batch format."""

from labelnext_adapters.files.vision.tool_format import tool_format

FORMAT = tool_format(
    "megadetector",
    "MegaDetector's batch output: detections of each image, with their categories",
    "labelnext_adapters.files.vision.megadetector",
    "JSON images with file and detections",
)
