"""Which organization a run writes in, where the server doesn't say."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from labelnext.errors import AccessDenied, LabelnextError, Unavailable
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.refusals import NoSuchPath
from labelnext_adapters.label_studio.write.organization import check_organization


class Server:
    """Says who asks, or refuses to."""

    def __init__(self, said: dict[str, Any] | LabelnextError) -> None:
        self.said = said

    def get_row(self, *_: Any) -> dict[str, Any]:
        if isinstance(self.said, LabelnextError):
            raise self.said
        return self.said


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.create(tmp_path, Plan(adapter="label-studio", run="labelnext", target="p"))


def check(said: dict[str, Any] | LabelnextError, journal: Journal) -> Any:
    """What the journal has noted after the server said so."""
    check_organization(cast("Client", Server(said)), journal)
    return Journal(journal.path).notes.get("organization")


@pytest.mark.parametrize("said", [{}, AccessDenied("no"), NoSuchPath("no")], ids=repr)
def test_a_server_that_names_no_organization_is_written_to(journal: Journal, said: Any) -> None:
    assert check(said, journal) is None


def test_a_server_that_is_away_is_not_written_to_unchecked(journal: Journal) -> None:
    with pytest.raises(Unavailable, match="away"):
        check(Unavailable("away"), journal)
    assert check({"active_organization": 3}, journal)["number"] == 3
