"""Datumaro's JSON, where annotations have scores."""

from labelnext_adapters.files.vision.tool_format import tool_format

FORMAT = tool_format(
    "datumaro",
    "Datumaro's JSON, whose annotations have a score among their attributes",
    "labelnext_adapters.files.vision.datumaro",
    "JSON with categories and items",
)
