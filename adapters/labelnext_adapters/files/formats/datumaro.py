"""Datumaro's JSON, where annotations have scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelnext_adapters.files.vision.tool_format import tool_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelnext_adapters.files.vision.findings import Tool


def tools() -> Sequence[Tool]:
    """How its files are read."""
    from labelnext_adapters.files.vision.datumaro import DATUMARO

    return [DATUMARO]


FORMAT = tool_format(
    "datumaro",
    "Datumaro's JSON, whose annotations have a score among their attributes",
    tools,
    "JSON with categories and items",
)
