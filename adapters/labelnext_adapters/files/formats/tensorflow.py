"""Results of TensorFlow's object detection, saved as JSON or served."""

from labelnext_adapters.files.vision.tool_format import tool_format

FORMAT = tool_format(
    "tensorflow",
    "TensorFlow's detection_boxes, detection_scores and detection_classes of each image",
    "labelnext_adapters.files.vision.tensorflow",
    "JSON with detection_boxes and detection_scores",
)
