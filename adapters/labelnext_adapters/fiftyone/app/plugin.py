"""The plugin in FiftyOne's plugin folder: put there, proved to load, and removed."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from labelnext.adapter.protocol import Finding
from labelnext.errors import LabelnextError, NotFound, Unavailable, WriteRefused, listed

# FiftyOne 1.10 to 1.13 import a plugin under its folder's name: no package may be called so.
_LINK = "labelnext-plugin"
_EARLIER = "labelnext"  # the link of earlier versions, under which those can't load the plugin


def plugin_folder() -> Path:
    """The installed plugin.

    Raises:
        NotFound: if the package was installed without it.
    """
    spec = find_spec("labelnext_app")
    if spec is None or spec.origin is None:
        raise NotFound("the plugin must be installed with labelnext; it is not.")
    return Path(spec.origin).parent


def plugin_link() -> Path:
    """Where the plugin is linked, or would be, in FiftyOne's plugin folder."""
    import fiftyone as fo

    return Path(fo.config.plugins_dir).expanduser() / _LINK


def install_plugin() -> Path:
    """Link the plugin into FiftyOne's plugin folder; returns the link.

    A link follows every update of the package. Where links are not allowed it is a copy.

    Raises:
        WriteRefused: if something that is not ours is there.
    """
    link = plugin_link()
    _remove(link)
    earlier = link.with_name(_EARLIER)
    if _is_ours(earlier):
        _remove(earlier)
    link.parent.mkdir(parents=True, exist_ok=True)
    try:
        link.symlink_to(plugin_folder(), target_is_directory=True)
    except OSError:  # Windows allows links to administrators alone
        shutil.copytree(plugin_folder(), link)
    return link


def uninstall_plugin() -> Path:
    """Take the plugin out of FiftyOne's plugin folder; returns where it was.

    Raises:
        NotFound: if it is not there.
        WriteRefused: if what is there is not ours.
    """
    link = plugin_link()
    earlier = link.with_name(_EARLIER)
    gone = _remove(link)
    if _is_ours(earlier):
        _remove(earlier)
        return link if gone else earlier
    if not gone:
        raise NotFound(f"the plugin must be in {str(link.parent)!r} to be removed; it is not.")
    return link


def check_plugin(folder: Path) -> list[str]:
    """The operators and panels that FiftyOne registers from a plugin's folder.

    FiftyOne's own loader loads it, as the App does when it starts.

    Args:
        folder: of the plugin, in FiftyOne's plugin folder.

    Raises:
        Unavailable: if one of the plugin's operators or panels isn't among them.
    """
    import fiftyone.plugins as fop
    from fiftyone.plugins.context import PluginContext

    definition = fop.get_plugin(plugin_dir=str(folder))
    context: Any = PluginContext(definition)
    context.register_all()
    names = [str(one.config.name) for one in context.instances]
    lacking = [name for name in definition.operators if name not in names]
    if lacking or context.errors:
        reason = str(context.errors[-1]).strip().splitlines()[-1] if context.errors else "no error"
        raise Unavailable(
            f"FiftyOne {version('fiftyone')} must register every operator of the plugin at "
            f"{str(folder)!r}; {listed(lacking) or 'none'} failed ({reason}).",
            hint="labelnext fiftyone install links the plugin anew.",
        )
    return names


def plugin_finding() -> Finding | None:
    """What `check` says of the plugin; None where it isn't installed."""
    link = plugin_link()
    folder = next((f for f in (link, link.with_name(_EARLIER)) if _is_ours(f)), None)
    if folder is None:
        return None
    try:
        names = check_plugin(folder)
    except LabelnextError as error:
        return Finding("warning", error.message, error.hint)
    return Finding("ok", f"The App's plugin registers {len(names)} operators and panels.")


def _is_ours(folder: Path) -> bool:
    manifest = folder / "fiftyone.yml"
    return manifest.is_file() and "@labelnext/labelnext" in manifest.read_text("utf-8")


def _remove(link: Path) -> bool:
    if link.is_symlink():
        link.unlink()
        return True
    if not link.exists():
        return False
    if not _is_ours(link):
        raise WriteRefused(
            f"{str(link)!r} must be the plugin of labelnext; it is something else.",
            hint="move it away.",
        )
    shutil.rmtree(link)
    return True
