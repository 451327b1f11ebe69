"""Who is a member of the organization, and whom a name means."""

from __future__ import annotations

from typing import Any

import pytest

from labelnext_adapters.label_studio.server.people import doubtful_names, list_members

MEMBERS = {7: ("ann@example.com", "ann"), 8: ("bo@example.com", "ann")}


class Server:
    """An organization with one member, and two who were removed; they keep their numbers."""

    def get_row(self, path: str, shape: object, **options: Any) -> dict[str, Any]:
        if path.endswith("whoami"):
            return {"active_organization": 1}
        gone = {"email": "Deleted", "username": "Deleted", "first_name": "Deleted"}
        users = [{"id": 7, "email": "Ann@example.com"}, {"id": 8, **gone}, {"id": 9, **gone}]
        return {"results": [{"user": user} for user in users], "count": 3}


def test_people_who_were_removed_are_no_members() -> None:
    client: Any = Server()
    assert list_members(client) == {7: ("ann@example.com", "ann")}


@pytest.mark.parametrize(
    ("names", "doubted"),
    [
        ([], []),
        (["left", "right"], []),  # mere names
        (["bo@example.com", "left"], ["left"]),
        (["cy@example.com", "left"], ["cy@example.com"]),
        (["ann"], ["ann"]),  # two people
        (["ANN@example.com", "BO@example.com"], []),
    ],
)
def test_names_that_mean_no_one_person_are_doubted(names: list[str], doubted: list[str]) -> None:
    lines = doubtful_names(names, MEMBERS)
    assert len(lines) == len(doubted)
    assert all(f" called {name}" in line for name, line in zip(doubted, lines, strict=True))


def test_nobody_is_doubted_where_the_server_tells_no_members() -> None:
    assert doubtful_names(["cy@example.com"], None) == []
