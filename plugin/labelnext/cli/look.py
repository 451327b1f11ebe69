"""Look at a file or folder before a configuration is written for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from labelnext.cli.console import print_plain
from labelnext.errors import ConfigError

if TYPE_CHECKING:
    from labelnext.adapter.protocol import Streams

_LOOKS = {"scale": "percentages", "logits": "logits"}


def looked_at(platform: str, path: str, output: Path) -> tuple[dict[str, Any], bool]:
    """Say what a path holds; return its keys of `source`, and whether it is read in parts."""
    from labelnext.adapter.capabilities import Capability, can
    from labelnext.adapter.registry import open_adapter

    adapter = open_adapter(platform, path=path)
    try:
        for finding in adapter.check():
            if finding.level == "error":
                raise ConfigError(finding.message, hint=finding.hint)
            print_plain(finding.message)
        seen = adapter.seen()
        streams = can(adapter, Capability.STREAMS)
        in_parts = streams and cast("Streams", adapter).parts() is not None
    finally:
        adapter.close()
    for key, value in seen.items():
        if key in _LOOKS:
            print_plain(f"Its numbers look like {_LOOKS[key]}, so source.{key} is {value}.")
    if "model" in seen:
        print_plain(
            "It has no predictions, so a probe learns from your labels, and goes by what the "
            "images show until there are some."
        )
    place = path if "://" in path else os.path.relpath(path, output.absolute().parent)
    return {"path": place, **seen}, in_parts
