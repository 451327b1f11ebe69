"""Whether everything a run would write can be written, and what it would replace."""

from __future__ import annotations

from pathlib import Path

from labelnext.config.config import Config
from labelnext.errors import ConfigError
from labelnext.journal.plan import Plan
from labelnext.pool.objects import Notice
from labelnext.ranking.files import is_ranking, ranking_format
from labelnext.support.files import OWN_STATE, check_page, check_writable
from labelnext.support.store import is_url


def extra_output(settings: Config, plan: Plan) -> Path | None:
    """The extra ranking file; None if there is none or the plan writes it itself.

    Raises:
        ConfigError: if it has no ending of a ranking file.
    """
    if plan.output is not None or settings.write.output is None:
        return None
    path = settings.directory / settings.write.output.expanduser()
    ranking_format(path)
    return path


def page_of(settings: Config) -> Path | None:
    """The page of the report; None if there is none."""
    path = settings.report.path
    return None if path is None else settings.directory / path.expanduser()


def check_ready(settings: Config, plan: Plan) -> list[Notice]:
    """Check that whatever a run writes beside its steps can be written. Writes nothing.

    Returns:
        A notice if the ranking replaces a file that isn't labelnext's.

    Raises:
        ConfigError: if a file or the state folder can't be written.
    """
    output = extra_output(settings, plan)
    if output is not None:
        check_writable(output)
    if (page := page_of(settings)) is not None:
        check_page(page)
    try:
        check_writable(settings.state / "lock")
    except ConfigError as error:
        raise ConfigError(
            f"state must be a writable folder; got {str(settings.state)!r}.",
            hint=OWN_STATE,
        ) from error
    path = output or (None if plan.output is None or is_url(plan.output) else Path(plan.output))
    if path is None or not path.is_file() or is_ranking(path):
        return []
    undo = "undo puts it back" if output is None else "undo doesn't put it back"
    message = f"{str(path)!r} wasn't written by labelnext. A run replaces it, and {undo}."
    return [Notice("replaces_file", message)]
