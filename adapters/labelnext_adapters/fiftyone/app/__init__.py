"""What the FiftyOne App shows and does: the plugin's other half."""

from __future__ import annotations

from labelnext_adapters.fiftyone.app.app import open_app
from labelnext_adapters.fiftyone.app.plugin import check_plugin, install_plugin, uninstall_plugin

__all__ = ["check_plugin", "install_plugin", "open_app", "uninstall_plugin"]
