"""Look at a file or folder before a configuration is written for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from labelnext.cli.console import print_plain
from labelnext.errors import ConfigError
from labelnext.support.started import how

if TYPE_CHECKING:
    from labelnext.adapter.protocol import Streams

_LOOKS = {"scale": "percentages", "logits": "logits"}


def looked_at(platform: str, path: str | None, output: Path) -> tuple[dict[str, Any] | None, bool]:
    """Say what a path holds; return its keys of `source`, and whether it is read in parts.

    Without a path, nothing is known.

    Raises:
        ConfigError: if the platform is missing or reads no path; or if the path can't be read.
    """
    from labelnext.adapter.capabilities import Capability, can
    from labelnext.adapter.registry import adapter_names, get_adapter, open_adapter

    if path is None:
        if platform not in adapter_names() and os.path.exists(platform):
            raise ConfigError(
                f"the platform must come before a path; got {platform!r} alone.",
                hint=f"to look at it, run {how('init', 'files', Path(platform))}.",
            )
        return None, False
    if (
        platform in adapter_names()
        and "path" not in get_adapter(platform).SourceOptions.model_fields
    ):
        raise ConfigError(
            f"{platform} reads no path; got {path!r}.",
            hint=f"leave it out, or rank the file itself: {how('init', 'files', Path(path))}.",
        )
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
            "It has no predictions, so a probe will learn from your labels. Until there are some, "
            "batches go by what the images show."
        )
    place = path if "://" in path else os.path.relpath(path, output.absolute().parent)
    return {"path": place, **seen}, in_parts
