"""Arguments and options shared by several commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labelnext.cli.log import log_to
from labelnext.errors import LabelnextError
from labelnext.support.started import how, work_on

if TYPE_CHECKING:
    from labelnext.config.config import Config


PATH = click.Path(path_type=Path)


class _Configuration(click.Argument):
    """The argument that most people leave out first: its error says what to write."""

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        try:
            return super().process_value(ctx, value)
        except click.MissingParameter:
            there = Path("labelnext.yaml")
            words = (str(ctx.info_name), there) if there.exists() else ("init", "--help")
            what = "Write" if there.exists() else "A command writes one; to see how, write"
            raise click.MissingParameter(f"{what} {how(*words)}.", ctx, self) from None


def _at_work(_: click.Context, __: click.Parameter, config: Path) -> Path:
    work_on(config)
    return config


config_argument = click.argument(
    "config", cls=_Configuration, type=PATH, callback=_at_work, help="The YAML configuration."
)
run_argument = click.argument(
    "run_id", metavar="[RUN]", required=False, help="The run, as listed by `labelnext runs`."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
verbose_option = click.option(
    "-v", "--verbose", count=True, show_default=False, help="Print more; -vv even more."
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
log_file_option = click.option(
    "--log-file", type=PATH, help="Append a log with timestamps to this file, for nightly runs."
)


def logged(config: Path, log_file: Path | None, output: Path | None = None) -> Config:
    """The configuration, with a log file that is neither an input nor another output.

    Raises:
        ConfigError: if it is one, or can't be written, or the configuration is wrong.
    """
    from labelnext.config.config import load_config
    from labelnext.config.places import check_places

    try:
        settings = load_config(config)
    except LabelnextError:
        if log_file is not None and not log_file.exists():  # else it may be what should be read
            log_to(log_file)
        raise
    if log_file is not None:
        named = {"--log-file": log_file, **({"--output": output} if output else {})}
        check_places(settings, named)
        log_to(log_file)
    return settings
