"""The token of a Label Studio server: it is sent to the server, and kept nowhere."""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from labelnext.errors import AccessDenied
from labelnext.runs.check import check
from labelnext.runs.run import run
from labelnext.runs.undo import undo
from tests.integration.choices import CHOICES, sure_to_unsure

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)

# label-studio-sdk 2.1 exchanges a Personal Access Token by a call that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")


def settings(server: LabelStudio, token: str, project: int, folder: Path, mode: str) -> Any:
    source = {"adapter": "label-studio", "url": server.url, "api_key": token, "project": project}
    return {
        "source": source,
        "write": {"mode": mode},
        "report": {"path": str(folder / "report.html")},
        "state": str(folder / "state"),
    }


@pytest.mark.parametrize("mode", ["queue", "batch", "uncertainty"])
def test_a_token_is_in_no_log_journal_report_or_history(
    label_studio: LabelStudio, tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    other = label_studio.second_user()  # a user has one Personal Access Token
    token = other.api("POST", "/api/token/")["token"]
    other.close()
    signature = token.rsplit(".", 1)[1]
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    config = settings(label_studio, token, project, tmp_path, mode)
    with caplog.at_level(logging.DEBUG):
        found = check(config)
        report = run(config)
        undo(config)
    assert "/api/token/refresh/" in caplog.text  # which the exchange of the token goes by
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 2  # report, journal, history
    said = [caplog.text, repr(found), repr(report), report.to_text(), json.dumps(report.to_dict())]
    for body in [*written, *(text.encode() for text in said)]:
        assert signature.encode() not in body


def test_a_refused_token_is_in_no_part_of_the_exception(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    wrong = "fedcba9876543210fedcba9876543210fedcba98"
    with pytest.raises(AccessDenied) as caught:
        run(settings(label_studio, wrong, 1, tmp_path, "queue"))
    shown = "".join(traceback.format_exception(caught.value))
    assert "rejected the api_key" in shown
    assert wrong not in shown
