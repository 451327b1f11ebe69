"""Look at a file or folder before a configuration is written for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from labelnext.cli.console import print_plain
from labelnext.errors import ConfigError


def looked_at(platform: str, path: str, output: Path) -> dict[str, Any]:
    """Say what a path holds, and return the keys of `source` for it."""
    from labelnext.adapter.registry import open_adapter

    adapter = open_adapter(platform, path=path)
    try:
        findings = adapter.check()
    finally:
        adapter.close()
    for finding in findings:
        if finding.level == "error":
            raise ConfigError(finding.message, hint=finding.hint)
        print_plain(finding.message)
    if "://" in path:
        return {"path": path}
    return {"path": os.path.relpath(path, output.absolute().parent)}
