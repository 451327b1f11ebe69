"""The platforms to which a batch can be sent, by entry point as all adapters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labelnext.adapter.capabilities import Capability, missing_capability
from labelnext.adapter.protocol import (
    Context,
    SendOptions,
    Target,
    able,
    adapter_names,
    get_adapter,
    require,
)
from labelnext.errors import unknown
from labelnext.journal.journal import Progress


def target_names() -> list[str]:
    """The adapters to whose platforms a batch can be sent.

    Example:
        >>> "label-studio" in target_names()
        True
    """
    return able(Capability.TAKES_BATCHES)


def get_target(name: str) -> Any:
    """The adapter class of that name, which takes batches; its SDK is not imported.

    Raises:
        UnknownName: if no installed package provides it, or it takes none.
    """
    known, capability = target_names(), Capability.TAKES_BATCHES
    if name in known:
        return get_adapter(name)
    if name in adapter_names():
        raise missing_capability("adapter", name, capability, known)
    raise unknown("adapter", str(name), known)


def open_target(
    options: SendOptions, *, directory: Path | str = ".", progress: Progress | None = None
) -> Target:
    """The platform to which batches are sent. Only now is its SDK looked for.

    Args:
        options: of `send`.
        directory: where relative paths begin.
        progress: called with a stage, how much is done, and of how much.

    Raises:
        UnknownName: if the adapter takes no batches.
        MissingExtra: if its SDK is not installed; the hint is the install line.
        ConfigError: if an option is wrong.
    """
    adapter = get_target(options.adapter)
    require(options.adapter, adapter)
    opened: Target = adapter.open_target(options, Context(Path(directory), None, progress))
    return opened
