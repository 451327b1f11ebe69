"""The commands of the FiftyOne App."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from labelnext.cli.console import escaped, out
from labelnext.cli.options import config_argument
from labelnext.errors import MissingExtra
from labelnext.support.started import installed_here

commands = click.Group()


@commands.group(epilog="Example: labelnext fiftyone install")
def fiftyone() -> None:
    """Install or remove labelnext's plugin in the FiftyOne App."""


@commands.command("app", epilog="Example: labelnext app labelnext.yaml")
@config_argument
@click.option("--port", type=int, default=5151, help="Port of the App.")
def open_app(config: Path, port: int) -> None:
    """Open the FiftyOne App on the batch of a configuration's run, with the labelnext panel."""
    from labelnext.config.config import load_config

    _app_of("fiftyone").open_app(load_config(config), port=port)


@fiftyone.command(epilog="Example: labelnext fiftyone install")
def install() -> None:
    """Install the plugin and check that it loads.

    It is a link in FiftyOne's plugin folder.
    """
    platform = _app_of("fiftyone")
    link = platform.install_plugin()
    names = platform.check_plugin(link)
    out.print(
        f"The plugin is at {escaped(str(link))}; FiftyOne registers its {len(names)} operators and "
        "panels. Reload the App.",
        soft_wrap=True,
    )


@fiftyone.command(epilog="Example: labelnext fiftyone uninstall")
def uninstall() -> None:
    """Remove the plugin from FiftyOne's plugin folder."""
    link = _app_of("fiftyone").uninstall_plugin()
    out.print(f"The plugin is no longer at {escaped(str(link))}.", soft_wrap=True)


def _app_of(platform: str) -> Any:
    """The module that knows a platform's own user interface."""
    from labelnext.adapter.registry import get_adapter, missing_modules
    from labelnext.support.plugins import entries

    adapter = get_adapter(platform)
    matching = [e for e in entries("labelnext.apps") if e.name == platform]
    if not matching or missing_modules(adapter):
        raise MissingExtra(
            f"the App needs {platform}, which is not installed.",
            hint=installed_here(adapter.install),
        )
    return matching[0].load()
