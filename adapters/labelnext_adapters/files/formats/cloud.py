"""Responses of the big clouds' vision and text services, of moderation, and of model servers."""

from labelnext_adapters.files.vision.tool_format import tool_format

FORMAT = tool_format(
    "cloud",
    "responses of AWS, Google Cloud, Azure, Clarifai, Triton, MediaPipe and of moderation services",
    "labelnext_adapters.files.cloud",
    "JSON of AWS, Google Cloud, Azure, Clarifai, Triton, MediaPipe, Scale, Perspective or OpenAI",
)
