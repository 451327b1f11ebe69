"""The FiftyOne App plugin of labelnext: operators and a panel on top of the library."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any


def register(plugin: Any) -> None:
    """Register the operators and the panel; FiftyOne calls this.

    Args:
        plugin: FiftyOne's plugin context.
    """
    if find_spec("labelnext") is None or find_spec("labelnext_adapters") is None:
        from .missing import PARTS
    else:
        from .parts import PARTS
    for part in PARTS:
        plugin.register(part)
