"""The configuration: load it from YAML, and open the adapter or target it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labelnext.config.config import Config, load_config

__all__ = ["Config", "load_config"]


def __getattr__(name: str) -> Any:
    if name in __all__:  # with all functions and methods, which a list of runs needs nothing of
        from labelnext.config import config

        return getattr(config, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
