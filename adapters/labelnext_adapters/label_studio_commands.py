"""The commands for Label Studio alone."""

from __future__ import annotations

import os
from pathlib import Path

import click

from labelnext.cli.console import print_plain, set_up_output
from labelnext.cli.options import config_argument

commands = click.Group()


@commands.command(epilog="Example: labelnext backend labelnext.yaml --listen 127.0.0.1:9090")
@config_argument
@click.option(
    "--listen", default="127.0.0.1:9090", help="Host and port for Label Studio's requests."
)
@click.option(
    "--labels",
    type=int,
    help="Read the project again after this many new labels; watch.labels by default.",
)
@click.option("--poll", type=float, default=10.0, help="Seconds between checks.")
def backend(config: Path, listen: str, labels: int | None, poll: float) -> None:
    """Predict for Label Studio, as the ML backend that its Settings > Model connects.

    LABELNEXT_BACKEND_AUTH=user:password makes it ask for them. Ctrl-C, SIGTERM or closing the
    terminal stops it.
    """
    set_up_output(0, False)
    import sys
    from datetime import datetime

    from labelnext.adapter.registry import get_adapter, require
    from labelnext.cli.stopping import stop_on_signals
    from labelnext.config.config import load_config
    from labelnext.errors import ConfigError

    settings = load_config(config)
    if settings.source.adapter != "label-studio":
        raise ConfigError(
            f"source.adapter must be label-studio for a backend; got {settings.source.adapter!r}.",
            hint="write a configuration of a project by labelnext init label-studio.",
        )
    require("label-studio", get_adapter("label-studio"))  # before its modules are imported
    from labelnext_adapters.label_studio.backend import AUTH, serve_backend

    stop = stop_on_signals()

    def tell(said: str) -> None:
        print_plain(f"{datetime.now():%Y-%m-%d %H:%M:%S} {said}")
        sys.stdout.flush()

    auth = os.environ.get(AUTH) or None
    new = settings.watch.labels if labels is None else labels
    serve_backend(settings, listen, auth, stop, tell, labels=new, poll=poll)
    print_plain("Stopped.")
