"""Look at a file or folder before a configuration is written for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from labelnext.cli.console import print_plain
from labelnext.errors import ConfigError

_LOOKS = {"scale": "percentages", "logits": "logits"}


def looked_at(platform: str, path: str, output: Path) -> dict[str, Any]:
    """Say what a path holds, and return the keys of `source` for it."""
    from labelnext.adapter.registry import open_adapter

    adapter = open_adapter(platform, path=path)
    try:
        for finding in adapter.check():
            if finding.level == "error":
                raise ConfigError(finding.message, hint=finding.hint)
            print_plain(finding.message)
        seen = adapter.seen()
    finally:
        adapter.close()
    for key, value in seen.items():
        print_plain(f"Its numbers look like {_LOOKS[key]}, so source.{key} is {value}.")
    place = path if "://" in path else os.path.relpath(path, output.absolute().parent)
    return {"path": place, **seen}
