"""The command `demo`."""

from __future__ import annotations

from pathlib import Path

import click

from labelnext.cli.options import PATH
from labelnext.errors import ConfigError, MissingExtra, unknown
from labelnext.support.started import how, installed_here

commands = click.Group()


@commands.command(epilog="Example: labelnext demo files")
@click.argument(
    "platform",
    default="fiftyone",
    help="files: ten seconds and no server; label-studio: a Label Studio of its own; "
    "fiftyone: a FiftyOne dataset in a database of its own.",
)
@click.option(
    "--app",
    "open_app",
    is_flag=True,
    help="For fiftyone: open the FiftyOne App on the existing ranking.",
)
@click.option(
    "--folder",
    type=PATH,
    help="Folder for the demo's files, new or empty; by default .demo, .demo-files or "
    ".demo-label-studio.",
)
@click.option("--port", type=int, help="Port of the App (5151) or of Label Studio (8080).")
def demo(platform: str, open_app: bool, folder: Path | None, port: int | None) -> None:
    """Run a complete example on handwritten digits, in a folder of its own."""
    from labelnext.adapter.registry import get_adapter, missing_modules
    from labelnext.support.plugins import entries
    from labelnext_adapters.demo.shown import FOLDERS

    demos = {entry.name: entry for entry in entries("labelnext.demos")}
    if platform not in demos:
        raise unknown("demo", platform, demos)
    if open_app and platform != "fiftyone":
        raise ConfigError(
            f"--app must be left out of the demo for {platform}; it opens the FiftyOne App."
        )
    if port is not None and platform == "files":
        raise ConfigError("--port must be left out of the demo for files, which has no server.")
    adapter = get_adapter(platform)
    missing = missing_modules(adapter)
    if missing:
        raise MissingExtra(
            f"the demo needs the package {missing[0]}, which isn't installed.",
            hint=f"{installed_here(adapter.install)} installs it; {how('demo', 'files')} needs "
            "nothing more.",
        )
    options: dict[str, bool | int] = {"app": open_app} if platform == "fiftyone" else {}
    where = folder or FOLDERS.get(platform, Path(f".demo-{platform}"))
    if port is not None:
        options["port"] = port
    demos[platform].load()(where, **options)
