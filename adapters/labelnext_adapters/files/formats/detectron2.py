"""Instances of Detectron2, saved as JSON."""

from labelnext_adapters.files.vision.tool_format import tool_format

FORMAT = tool_format(
    "detectron2",
    "Detectron2's pred_boxes, scores and pred_classes, or instances as COCO, of each image",
    "labelnext_adapters.files.vision.detectron2",
    "JSON with pred_boxes and scores, or lists of instances",
)
