"""What `check` says about a server's version, from answers that servers gave to /api/version."""

from __future__ import annotations

from typing import Any, cast

import pytest

from labelnext.adapter.protocol import Finding
from labelnext.errors import AccessDenied
from labelnext_adapters.label_studio.options import LabelStudioSource
from labelnext_adapters.label_studio.read.check import TESTED_SERVERS, check


def package(version: str) -> dict[str, Any]:
    short = version.rpartition(".")[0]
    return {"version": version, "short_version": short, "current_version_is_outdated": False}


class Server:
    """Answers with its version alone."""

    url = base = "https://label.example.com"

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def get_json(self, path: str) -> Any:
        assert path == "api/version"
        return self._answer

    def get_row(self, path: str, kind: type) -> Any:
        raise AccessDenied("the token has expired.")


def said(answer: Any) -> list[Finding]:
    """What is said of the server; then come the SDK, and the refusal."""
    source = LabelStudioSource(url=Server.url, api_key=cast(Any, "secret"), project=1)
    *findings, sdk, refusal = check(lambda: cast(Any, Server(answer)), source)
    assert (sdk.level, refusal.level) == ("ok", "error")
    return findings


@pytest.mark.parametrize("release", ["1.19.0", "1.20.0", "1.21.0", "1.22.0", "1.23.2"])
def test_a_version_that_the_tests_ran_with_is_well(release: str) -> None:
    found = said({"release": release, "label-studio-os-package": package(release)})
    assert found[0] == Finding("ok", f"Label Studio {release} at https://label.example.com.")


# Of the servers' source: the import of predictions calls the SDK's validation from 1.21 on.
@pytest.mark.parametrize(
    ("release", "told"), [("1.19.0", True), ("1.20.0", True), ("1.21.0", False), ("1.23.2", False)]
)
def test_a_version_that_stores_predictions_unchecked_is_told(release: str, told: bool) -> None:
    _, *more = said({"release": release})
    assert [f.level for f in more] == ["ok"] * told
    assert all("doesn't check predictions when they are stored" in f.message for f in more)


def test_there_is_a_case_for_each_tested_version() -> None:
    assert TESTED_SERVERS == ("1.19", "1.20", "1.21", "1.22", "1.23")


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ({"release": "1.18.0"}, "Label Studio 1.18.0"),
        ({"release": "1.24.0"}, "Label Studio 1.24.0"),
        ({"release": "1.2.0"}, "Label Studio 1.2.0"),  # not 1.20
        ({"release": "2.31.0", "edition": "Enterprise"}, "Label Studio 2.31.0"),
        ({"release": None}, "Label Studio of unknown version"),
        ({}, "Label Studio of unknown version"),
        ([], "Label Studio of unknown version"),
    ],
)
def test_another_version_is_told_with_those_that_were_tested(answer: Any, what: str) -> None:
    (found,) = said(answer)
    assert found.level == "warning"
    assert found.message == (
        f"{what} at https://label.example.com; labelnext was tested with 1.19.x, 1.20.x, 1.21.x, "
        "1.22.x and 1.23.x."
    )
    assert "dry run" in str(found.hint)
