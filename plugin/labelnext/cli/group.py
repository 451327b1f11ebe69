"""All commands together: in which order they are listed, and those that adapters bring."""

from __future__ import annotations

from functools import cache
from typing import Any

import click

from labelnext.cli import INTERRUPTED
from labelnext.support.started import how

#: In the order in which they are first needed; all others follow.
_IN_ORDER = (
    *("init", "check", "run", "explain", "undo", "resume", "runs", "clear", "status", "watch"),
    *("send", "fetch", "labels", "push", "predictions", "replay", "export"),
)


class Commands(click.CommandCollection):
    """The core commands, then those of installed adapters."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands, those that are needed first at the top."""
        return [*dict.fromkeys([*_IN_ORDER, *super().list_commands(ctx), *_brought()])]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name; None if there is none."""
        return super().get_command(ctx, cmd_name) or _brought().get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is meant; a configuration in its place ends with what to write."""
        if args[0].endswith((".yaml", ".yml")) and self.get_command(ctx, args[0]) is None:
            ctx.fail(f"The command is missing. To rank, write {how('run', *args)}.")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; Ctrl-C ends it with the code that shells give it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each command with its whole first paragraph, which click would cut off."""
        listed = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, command.get_short_help_str(200)) for name, command in listed.items()]
            )


@cache
def _brought() -> dict[str, Any]:
    """The commands of our own adapters, loaded only for --help and when no other has that name.

    Those of one package: to look through all that are installed would slow --help down.
    """
    from importlib.metadata import distribution

    entries = distribution("labelnext").entry_points.select(group="labelnext.commands")
    return {name: command for entry in entries for name, command in entry.load().commands.items()}
