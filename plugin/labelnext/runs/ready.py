"""Whether everything a run would write can be written, and what it would replace."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from labelnext.config.config import Config
from labelnext.errors import ConfigError
from labelnext.journal.journal import Journal, read_journals
from labelnext.journal.plan import Plan
from labelnext.journal.state import OWN_STATE
from labelnext.pool.objects import Notice
from labelnext.ranking.files import is_ranking, ranking_format
from labelnext.runs.belonging import shared_with, wrote_output
from labelnext.support.files import check_page, check_writable
from labelnext.support.started import from_here
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
        What to know before it happens: that the ranking replaces a file which no run of the state
        folder wrote, or which was changed since; and that another configuration writes to the same
        target.

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
    known, faults = list[Journal](), dict[str, ConfigError]()
    with suppress(ConfigError):  # another user's runs: the run itself says so
        known, faults = read_journals(settings.state)
    # What can't be read may be the run that wrote the ranking.
    ours = [journal for journal in known if wrote_output(journal, settings)]
    replaced = _replaced(settings, plan, output, ours, unread=bool(faults))
    return [*replaced, *_shared(settings, known)]


def _changed(path: Path, ours: Sequence[Journal]) -> bool:
    """Whether the ranking is none that these runs wrote; False if they don't say what they did."""
    noted = [journal.notes.get("written", {}).get("sha256", []) for journal in ours]
    each = (hashes if isinstance(hashes, list) else [hashes] for hashes in noted)
    known = {one for hashes in each for one in hashes if isinstance(one, str)}
    with path.open("rb") as file:
        return bool(known) and hashlib.file_digest(file, "sha256").hexdigest() not in known


def _replaced(
    settings: Config, plan: Plan, output: Path | None, ours: Sequence[Journal], *, unread: bool
) -> list[Notice]:
    path = output or (None if plan.output is None or is_url(plan.output) else Path(plan.output))
    if path is None or not path.is_file() or not path.stat().st_size:
        return []
    undo = "undo puts it back" if output is None else "undo doesn't put it back"
    if not is_ranking(path):
        what = "wasn't written by labelnext"
    elif output is None and not ours and not unread:
        what = f"holds a ranking that isn't of a run in {from_here(str(settings.state))!r}"
    elif output is None and not unread and _changed(path, ours):
        what = "was changed since a run wrote it"
    else:
        return []
    return [
        Notice("replaces_file", f"{from_here(str(path))!r} {what}. A run replaces it, and {undo}.")
    ]


def _shared(settings: Config, known: list[Journal]) -> list[Notice]:
    """The newest run of another configuration with the same target."""
    newest = next((one for one in reversed(known) if shared_with(one, settings)), None)
    if newest is None:
        return []
    where = "this file" if settings.source.adapter == "files" else "to the same place"
    message = (
        f"{newest.config or 'another configuration'} also writes {where} (run {newest.run_id}). To "
        "undo that run, undo this one first."
    )
    return [Notice("shared_target", message)]
