"""What the FiftyOne App shows and does: the plugin's other half."""

from __future__ import annotations

from labelnext_adapters.fiftyone.app.app import install_plugin, open_app, uninstall_plugin

__all__ = ["install_plugin", "open_app", "uninstall_plugin"]
