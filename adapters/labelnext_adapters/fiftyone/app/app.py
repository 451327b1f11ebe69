"""The App: open it on a ranking, and where it keeps its journals."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelnext.errors import ConfigError, Unavailable
from labelnext_adapters.fiftyone.app.plugin import plugin_link
from labelnext_adapters.fiftyone.read.own_runs import registered, run_names

if TYPE_CHECKING:
    from labelnext.config.config import Config

PANEL = "label_next"


def state_folder(dataset: Any) -> Path:
    """The journals of runs that were started in the App, one folder a dataset.

    Args:
        dataset: a FiftyOne dataset.
    """
    import fiftyone as fo

    return Path(fo.config.default_dataset_dir).expanduser() / ".labelnext" / str(dataset._doc.id)


def state_folders(dataset: Any) -> tuple[Path, ...]:
    """All state folders on this machine with runs on a dataset: the App's, and those of its runs.

    Args:
        dataset: a FiftyOne dataset.
    """
    configs = (registered(dataset, run) for run in run_names(dataset))
    states = (getattr(config, "state", None) for config in configs)
    return tuple(dict.fromkeys([state_folder(dataset), *(Path(s) for s in states if s)]))


def open_app(config: Config, *, port: int = 5151) -> None:
    """Show the batch of a configuration's run in the App, the panel beside it, until Ctrl-C.

    Args:
        config: of a FiftyOne source.
        port: of the App, on the loopback interface.

    Raises:
        ConfigError: if the source is not FiftyOne.
        NotFound: if there is no such dataset, or nothing is ranked yet.
        Unavailable: if the database or the App does not start.
    """
    from labelnext_adapters.fiftyone.database.connection import load_dataset, reach_database
    from labelnext_adapters.fiftyone.database.mongod import own_database
    from labelnext_adapters.fiftyone.options import FiftyOneSource
    from labelnext_adapters.fiftyone.write.manage import batch_view

    source = config.source_options
    if not isinstance(source, FiftyOneSource):
        raise ConfigError(f"source.adapter must be fiftyone; got {config.source.adapter!r}.")
    folder = source.database
    with own_database(config.directory / folder.expanduser()) if folder else nullcontext():
        reach_database()
        view = batch_view(load_dataset(source.dataset), config.write.run)
        serve(view, port=port, said=f"the batch of {config.write.run}")


def serve(view: Any, *, port: int, said: str, hint: str | None = None) -> None:
    """Open the App on a view, with the panel where the plugin is installed, until Ctrl-C.

    Args:
        view: what the grid shows.
        port: of the App, on the loopback interface.
        said: what it is, for the message.
        hint: what to do when the port is taken.

    Raises:
        Unavailable: if the port is taken or the App does not start.
    """
    import fiftyone as fo

    hint = hint or "choose another port with --port."
    with socket.socket() as probe:
        # FiftyOne would join the App that answers there, which may show another database.
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise Unavailable(
                f"port {port} is already in use; the App needs a free port.", hint=hint
            )
    try:
        session = fo.launch_app(
            view=view, port=port, address="127.0.0.1", remote=_is_headless(), spaces=_spaces()
        )
    except Exception as error:
        raise Unavailable(f"the App didn't start on port {port} ({error}).", hint=hint) from error
    where = f"http://127.0.0.1:{port}/datasets/{view._root_dataset.name}"
    print(f"The App shows {said}: {where} (Ctrl-C ends it)", flush=True)
    try:
        session.wait(-1)
    except KeyboardInterrupt:
        print("Closed.")
    finally:
        session.close()


def _spaces() -> Any:
    """The grid beside our panel; None where the plugin is not installed."""
    import fiftyone as fo

    if not (plugin_link() / "fiftyone.yml").is_file():
        return None
    grid = fo.Panel(type="Samples", pinned=True)
    panel = fo.Panel(type=PANEL)
    return fo.Space(
        children=[
            fo.Space(children=[grid], active_child=grid.component_id),
            fo.Space(children=[panel], active_child=panel.component_id),
        ],
        orientation="horizontal",
    )


def _is_headless() -> bool:
    """Whether there is no screen on which to open a browser."""
    return sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
