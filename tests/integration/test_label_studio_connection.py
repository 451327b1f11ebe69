"""Label Studio, on a real server: addresses, tokens and certificates."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import jwt
import numpy as np
import pytest

from labelnext.errors import AccessDenied, ConfigError, LabelnextWarning, NotFound, Unavailable
from labelnext.runs.run import run
from labelnext.runs.undo import runs, undo
from labelnext_adapters.label_studio.server.pages import task_pages
from tests.integration.label_studio_tasks import (
    CHOICES,
    choice,
    text_task,
)

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)

# label-studio-sdk 2.1 exchanges a Personal Access Token by a call that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")


def test_a_server_that_is_not_there_is_unavailable(connect: Open) -> None:
    with pytest.raises(Unavailable, match="can't reach Label Studio at"):
        connect(1, url="http://127.0.0.1:9").read()


def test_a_url_with_a_path_is_explained(label_studio: LabelStudio, connect: Open) -> None:
    project = label_studio.create_project(CHOICES.format(more=""))
    adapter = connect(project, url=f"{label_studio.url}/elsewhere")
    with pytest.raises(NotFound) as caught:
        adapter.read()
    assert "the server's address alone, without a path" in str(caught.value)


@pytest.mark.parametrize("page", ["projects", "projects/1/data?tab=3", "user/login/?next=/"])
def test_the_address_of_a_page_is_no_address_of_a_server(
    label_studio: LabelStudio, connect: Open, page: str
) -> None:
    with pytest.raises(ConfigError, match="must be the server's address alone, http") as caught:
        connect(1, url=f"{label_studio.url}/{page}")
    assert f"alone, {label_studio.url}" in str(caught.value)


def test_a_project_is_named_by_its_number_its_title_or_its_address(
    label_studio: LabelStudio, connect: Open
) -> None:
    project = label_studio.create_project(
        CHOICES.format(more=""), [text_task([choice("good", probs=[0.5, 0.3, 0.2])])]
    )
    label_studio.api("PATCH", f"/api/projects/{project}/", {"title": "Cars of May"})
    page = f"{label_studio.url}/projects/{project}/data?tab=3"
    for name in (project, str(project), "Cars of May", page):
        assert len(connect(name).read()) == 1
    with pytest.raises(NotFound, match="project must be the number or title") as caught:
        connect("Cars of June").read()
    assert f"{project} ('Cars of May')" in str(caught.value)
    assert "has changed the title, use the number, which stays" in str(caught.value)
    with pytest.raises(ConfigError, match="must be an address on the server of url"):
        connect("https://other.example.com/projects/1/data")


def test_a_wrong_token_is_denied_and_never_shown(connect: Open) -> None:
    wrong = "0123456789abcdef0123456789abcdef01234567"
    adapter = connect(1, api_key=wrong)
    with pytest.raises(AccessDenied, match="copy the token again") as caught:
        adapter.read()
    findings = adapter.check()
    assert findings[-1].level == "error"
    assert wrong not in str(caught.value) + repr(findings) + repr(adapter.__dict__)


@pytest.mark.parametrize("key", ["", "two words", "line\nend", "tökén"])
def test_a_key_that_is_no_token_is_refused_without_showing_it(connect: Open, key: str) -> None:
    with pytest.raises(ConfigError, match="api_key") as caught:
        connect(1, api_key=key)
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://host", "http://", "http://a:b@host"])
def test_a_url_that_is_no_address_is_refused(connect: Open, url: str) -> None:
    with pytest.raises(ConfigError, match="url"):
        connect(1, url=url)


def test_a_missing_bundle_of_certificates_is_named(connect: Open) -> None:
    with pytest.raises(ConfigError, match="ca_bundle must be a PEM certificate file"):
        connect(1, ca_bundle="nowhere.pem").read()


@pytest.fixture(scope="module")
def personal_token(label_studio: LabelStudio) -> str:
    """A Personal Access Token; a user has only one."""
    return label_studio.personal_token


def access_token(label_studio: LabelStudio, personal_token: str) -> str:
    answer = label_studio.api("POST", "/api/token/refresh/", {"refresh": personal_token})
    return str(answer["access"])


def test_a_personal_access_token_works(
    label_studio: LabelStudio, connect: Open, personal_token: str
) -> None:
    project = label_studio.create_project(
        CHOICES.format(more=""), [text_task([choice("good", probs=[0.5, 0.3, 0.2])])]
    )
    adapter = connect(project, api_key=personal_token)
    assert all(f.level == "ok" for f in adapter.check())
    np.testing.assert_array_equal(adapter.read().probabilities, [[0.5, 0.3, 0.2]])


def test_an_access_token_is_explained(
    label_studio: LabelStudio, connect: Open, personal_token: str
) -> None:
    token = access_token(label_studio, personal_token)
    with pytest.raises(AccessDenied, match="use the Personal Access Token") as caught:
        connect(1, api_key=token).read()
    assert token not in str(caught.value)


def test_a_personal_token_with_another_signature_is_denied(
    connect: Open, personal_token: str
) -> None:
    forged = personal_token[:-6] + "abcdef"
    with pytest.raises(AccessDenied) as caught:
        connect(1, api_key=forged).read()
    assert forged not in str(caught.value)


def test_a_legacy_token_that_the_organization_forbids_is_explained(
    label_studio: LabelStudio, connect: Open, personal_token: str
) -> None:
    bearer = {"Authorization": f"Bearer {access_token(label_studio, personal_token)}"}

    def allow(legacy: bool) -> None:
        body = {"legacy_api_tokens_enabled": legacy, "api_tokens_enabled": True}
        url = f"{label_studio.url}/api/jwt/settings"
        assert httpx.post(url, json=body, headers=bearer, timeout=60).is_success

    allow(False)
    try:
        with pytest.raises(AccessDenied, match="use a Personal Access Token"):
            connect(1).read()
    finally:
        allow(True)


def expired(label_studio: LabelStudio, access: str) -> str:
    """The same access token, signed by the server a while ago."""
    key = re.search(r"SECRET_KEY=(\S+)", (label_studio.data / ".env").read_text())
    assert key is not None
    said = jwt.decode(access, options={"verify_signature": False})
    times = {name: said[name] - 3600 for name in ("exp", "iat")}
    return jwt.encode({**said, **times}, key[1].strip("'\""), algorithm="HS256")


@pytest.mark.parametrize("late", ["/api/predictions/", "/api/tasks"])
def test_a_token_that_expires_while_a_project_is_read_is_exchanged(
    label_studio: LabelStudio,
    connect: Open,
    personal_token: str,
    monkeypatch: pytest.MonkeyPatch,
    late: str,
) -> None:
    small = {**task_pages.__kwdefaults__, "page_size": 2}
    monkeypatch.setattr(task_pages, "__kwdefaults__", small)
    monkeypatch.setattr("labelnext_adapters.label_studio.server.pages.PAGE_SIZE", 2)
    tasks = [text_task([choice("good", probs=[0.5, 0.3, 0.2])]) for _ in range(9)]
    for number, task in enumerate(tasks):
        task["data"]["name"] = f"t{number}"
    project = label_studio.create_project(CHOICES.format(more=""), tasks)
    old = expired(label_studio, access_token(label_studio, personal_token))
    adapter = connect(project, api_key=personal_token, key="name")
    answers: list[tuple[str, int]] = []

    def spoil(request: httpx.Request) -> None:
        asked = [path for path, _ in answers].count(late)
        if request.url.path == late and asked in (0, 3):  # the first, and once more
            request.headers["Authorization"] = f"Bearer {old}"

    def note(response: httpx.Response) -> None:
        answers.append((response.request.url.path, response.status_code))

    adapter.client._http.event_hooks["request"].append(spoil)
    adapter.client._http.event_hooks["response"].append(note)
    assert adapter.read().item_ids.tolist() == [f"t{i}" for i in range(9)]
    assert (late, 401) in answers
    refreshed = [path for path, _ in answers].count("/api/token/refresh/")
    assert refreshed >= [code for _, code in answers].count(401)


def test_configurations_with_either_token_are_of_one_target(
    label_studio: LabelStudio, personal_token: str, tmp_path: Path
) -> None:
    tasks = [text_task([choice("good", probs=[0.5, 0.3, 0.2])]) for _ in range(3)]
    project = label_studio.create_project(CHOICES.format(more=""), tasks)
    legacy, personal = tmp_path / "legacy.yaml", tmp_path / "personal.yaml"
    for path, token in ((legacy, label_studio.token), (personal, personal_token)):
        source = f"url: '{label_studio.url}', api_key: {token}, project: {project}"
        path.write_text(
            f"source: {{adapter: label-studio, {source}}}\nreport: {{path: null}}\n"
            "acquisition: {name: margin}\n"
        )
    made = [run(legacy).run_id]
    with pytest.warns(LabelnextWarning, match=r"legacy\.yaml also writes to the same place"):
        made.append(run(personal).run_id)
    for path, run_id in zip((legacy, personal), made, strict=True):
        assert [journal.run_id for journal in runs(path)] == [run_id]
    with pytest.raises(ConfigError, match=f"the later run {made[1]} of .*personal.yaml builds on"):
        undo(legacy)
    assert [undo(path)[0].run_id for path in (personal, legacy)] == made[::-1]
    assert label_studio.tabs(project) == []
