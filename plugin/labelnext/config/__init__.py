"""The configuration: load it from YAML, and open the adapter or target it names."""

from __future__ import annotations

from labelnext.config.config import Config, load_config

__all__ = ["Config", "load_config"]
