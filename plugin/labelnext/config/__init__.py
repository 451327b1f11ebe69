"""The configuration: YAML to typed settings, and what they open."""

from __future__ import annotations

from labelnext.config.config import Config, load_config

__all__ = ["Config", "load_config"]
