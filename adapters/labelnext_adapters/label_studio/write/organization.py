"""The organization in which a run writes: a token's user may be in several, and one is active."""

from __future__ import annotations

from contextlib import suppress

from labelnext.errors import AccessDenied, ConfigError, InvalidInput, NotFound
from labelnext.journal.journal import Journal, journals
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.shapes import User

_NOTE = "organization"  # of a journal


def check_organization(client: Client, journal: Journal) -> None:
    """Note in a run's journal where it writes; a title may name another project elsewhere.

    Args:
        client: the server.
        journal: of the run that is written, finished or taken back.

    Raises:
        ConfigError: if the run, or the one before it by the same configuration, wrote in another
            organization.
        Unavailable: if the server doesn't answer.
    """
    active = None
    with suppress(AccessDenied, InvalidInput, NotFound):  # an older server, or no right to ask
        active = client.get_row("api/current-user/whoami", User).get("active_organization")
    if active is None:
        return
    begins = _noted(journal) is None and not journal.befores  # not one of an earlier version
    wrote = _before(journal) if begins else _noted(journal)
    if wrote is not None and wrote != active:
        raise ConfigError(
            f"the token's user must work in organization {wrote}, in which this configuration has "
            f"written so far; organization {active} is active. Nothing was written.",
            hint="let the user switch to that organization in Label Studio, or use the token of "
            "somebody who works there; for another project, use another state folder.",
        )
    if begins:
        journal.record(_NOTE, number=active)


def _noted(journal: Journal) -> object:
    return journal.notes.get(_NOTE, {}).get("number")


def _before(journal: Journal) -> object:
    """Where the newest run wrote whose project is called the same, by its title."""
    place = journal.origin.get("place") or {}
    if str(place.get("project", "")).isdecimal():  # which is only in one organization
        return None
    same = [
        noted
        for other in journals(journal.path.parent)
        if other.status in ("done", "broken") and other.origin.get("place") == place
        if (noted := _noted(other)) is not None
    ]
    return same[-1] if same else None


__all__ = ["check_organization"]
