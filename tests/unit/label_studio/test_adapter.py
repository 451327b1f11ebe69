"""The Label Studio adapter without a server: its imports, its options and its guards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from labelnext.errors import WriteFailed, WriteRefused
from labelnext.journal import Plan, Step
from labelnext.journal.journal import Journal
from labelnext_adapters.label_studio import LabelStudioAdapter
from labelnext_adapters.label_studio.options import LabelStudioSource

SOURCE: dict[str, Any] = {"url": "https://label.example.com", "api_key": "secret", "project": 1}


def test_importing_the_adapter_imports_no_sdk() -> None:
    code = (
        "import sys, labelnext_adapters.label_studio; "
        "print([m for m in ('label_studio_sdk', 'httpx', 'msgspec') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_url_loses_its_last_slash() -> None:
    options = LabelStudioSource(**{**SOURCE, "url": " https://label.example.com/ "})
    assert options.url == "https://label.example.com"


def test_a_key_is_never_shown() -> None:
    options = LabelStudioSource(**SOURCE)
    assert "secret" not in repr(options) + options.model_dump_json()
    assert options.api_key.get_secret_value() == "secret"


def test_a_key_may_end_in_a_line_end() -> None:
    options = LabelStudioSource(**{**SOURCE, "api_key": SecretStr("secret\n")})
    assert options.api_key.get_secret_value() == "secret"


@pytest.mark.parametrize("project", [0, -1, "0", "", " ", None, True, 1.5, "http://host/other"])
def test_a_project_is_a_number_from_1_a_title_or_an_address(project: Any) -> None:
    with pytest.raises(ValidationError):
        LabelStudioSource(**{**SOURCE, "project": project})


@pytest.mark.parametrize(
    "page",
    [
        "projects/7/data?tab=3",
        "user/login/?next=/",
        "organization",
        "models",
        "api",
        "docs/api",
    ],
)
def test_a_page_of_the_server_is_not_its_address(page: str) -> None:
    for base in ("https://label.example.com", "https://example.com/label-studio"):
        with pytest.raises(ValidationError, match=f"must be the server's address alone, {base} "):
            LabelStudioSource(**{**SOURCE, "url": f"{base}/{page}"})


@pytest.mark.parametrize("page", ["/projects/7/data?tab=3", "projects/7", " projects/7/settings/ "])
def test_a_project_may_be_the_path_of_its_page(page: str) -> None:
    assert LabelStudioSource(**{**SOURCE, "project": page}).project == 7


@pytest.mark.parametrize("scheme", ["Token", "Bearer", "bearer "])
def test_a_key_copied_with_its_scheme_is_told(scheme: str) -> None:
    with pytest.raises(ValidationError, match='must be the token alone, without "Token"') as told:
        LabelStudioSource(**{**SOURCE, "api_key": SecretStr(f"{scheme} s3cr3t")})
    assert "s3cr3t" not in str(told.value)


def test_many_runs_of_another_project_cost_one_request_and_none_of_their_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | int] = []

    def found(client: object, project: str | int) -> int:
        asked.append(project)
        return 8

    monkeypatch.setattr("labelnext_adapters.label_studio.server.project.find_project", found)
    place: dict[str, Any] = {"url": "https://label.example.com/"}
    source = LabelStudioSource(**{**SOURCE, "project": "Cats"})
    for project, renamed in [(7, False), (8, True)]:
        many = Step("data", "Set it", 5000, {**place, "project": project, "ids": [*range(50_000)]})
        tab = Step("tab", "Make a tab", 0, {**place, "project": project})
        for _ in range(2):
            journal = Journal.create(tmp_path, Plan("label-studio", "r", "there", (many, tab)))
            journal.path.with_suffix(".plan-0.arrow").unlink()
            assert LabelStudioAdapter.is_renamed(source, journal.plan) is renamed
    assert asked == ["Cats"]
    assert not LabelStudioAdapter.is_renamed(LabelStudioSource(**SOURCE), journal.plan)


class Server:
    """Takes what is sent, and says what it was told to say."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        self.sent: list[Any] = []

    def send(self, method: str, path: str, body: Any, **params: Any) -> Any:
        self.sent.append(body)
        return {"detail": self.detail}


def test_a_write_without_tasks_is_refused_before_it_is_sent() -> None:
    from labelnext_adapters.label_studio.write.priorities import SetField
    from labelnext_adapters.label_studio.write.set_field import set_field

    server: Any = Server("Updated 4 tasks")
    with pytest.raises(WriteRefused, match="takes to mean all tasks"):
        set_field(server, 1, "labelnext_priority", SetField((), "1.0000"))
    assert server.sent == []


def test_a_server_that_changes_more_tasks_than_named_stops_the_run() -> None:
    from labelnext_adapters.label_studio.write.priorities import SetField
    from labelnext_adapters.label_studio.write.set_field import set_field

    server: Any = Server("Updated 4 tasks")
    with pytest.raises(
        WriteFailed, match="the server reported 4; labelnext asked it to change only 1 task"
    ):
        set_field(server, 1, "labelnext_priority", SetField((7,), "1.0000"))
    assert server.sent[0]["selectedItems"] == {"all": False, "included": [7]}
