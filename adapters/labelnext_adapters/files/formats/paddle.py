"""Results of PaddleDetection, PaddleClas and PaddleX as JSON."""

from labelnext_adapters.files.vision.tool_format import tool_format

FORMAT = tool_format(
    "paddle",
    "Paddle's boxes with coordinate and score, or class_ids with scores, of each image",
    "labelnext_adapters.files.vision.paddle",
    "JSON with boxes that have coordinate and score, or class_ids and scores",
)
