"""The connection: redirects, resets, and answers that are not Label Studio's."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from labelnext.adapter import open_adapter
from labelnext.errors import AccessDenied, LabelnextError, NotFound, Unavailable
from labelnext_adapters.label_studio.server import client as module
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.project import (
    find_project,
    find_versions,
    get_project,
)
from labelnext_adapters.label_studio.server.refusals import TimedOut
from labelnext_adapters.label_studio.server.tab import list_tabs

# label-studio-sdk 2.1 exchanges a Personal Access Token by a call that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")

TOKEN = "abcdef0123456789abcdef0123456789abcdef02"
Answer = Callable[[httpx.Request], httpx.Response]


def personal_token() -> str:
    def part(data: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")

    payload = {"token_type": "refresh", "exp": 4_000_000_000, "jti": "x", "user_id": 1}
    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(payload)}.sig"


def opened(answer: Answer, url: str = "http://host", key: str = TOKEN) -> Client:
    """A client whose requests that function answers."""
    client = Client(url, SecretStr(key))
    client.pauses = (0.0, 0.0, 0.0)
    client._http._transport = httpx.MockTransport(answer)
    client._http._mounts = {}
    return client


def test_the_final_address_is_found_once_and_without_the_token() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if request.url.scheme == "http":
            there = str(request.url).replace("http:", "https:")
            return httpx.Response(301, headers={"Location": there})
        return httpx.Response(200, json={"detail": "done"})

    client = opened(answer, "http://host/labels")
    for _ in range(2):
        assert client.send("POST", "api/dm/views/", {"a": 1}) == {"detail": "done"}
    assert client.base == "https://host/labels"
    assert client.url == "http://host/labels"
    assert [(r.method, str(r.url)) for r in asked] == [
        ("GET", "http://host/labels/api/version"),
        ("GET", "https://host/labels/api/version"),
        ("POST", "https://host/labels/api/dm/views/"),
        ("POST", "https://host/labels/api/dm/views/"),
    ]
    assert ["authorization" in r.headers for r in asked] == [False, False, True, True]


@pytest.mark.parametrize(
    "there",
    [
        "https://other/api/version",
        "https://host/login?next=/",
        "/api/version",
        "//other/api/version",
        "http://host:81/api/version",
    ],
)
def test_a_redirect_elsewhere_is_one_line_and_never_sees_the_token(there: str) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if request.url.path.startswith("/login"):
            return httpx.Response(200, text="<html>Sign in</html>")
        return httpx.Response(302, headers={"Location": there})

    with pytest.raises(NotFound, match="must be the final address of a Label Studio server") as e:
        opened(answer).get_json("api/projects/1/")
    assert "\n" not in e.value.message
    assert not any("authorization" in request.headers for request in seen)
    assert not any(request.url.host == "other" for request in seen)


def test_a_write_is_not_redirected() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/version":
            return httpx.Response(200, json={})
        return httpx.Response(301, headers={"Location": "http://host/elsewhere"})

    with pytest.raises(NotFound, match="redirects /api/dm/views/ to 'http://host/elsewhere'"):
        opened(answer).send("POST", "api/dm/views/", {})


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("moved", ["api/token/refresh/", "api/dm/views/"])
def test_no_redirect_carries_a_token_or_a_body_to_another_host(code: int, moved: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if request.url.path == f"/{moved}":
            return httpx.Response(code, headers={"Location": f"http://other/{moved}"})
        access = personal_token().replace("refresh", "access")
        return httpx.Response(200, json={"access": access})

    with pytest.raises(LabelnextError):
        opened(answer, key=personal_token()).send("POST", "api/dm/views/", {"a": 1})
    assert any(request.url.path == f"/{moved}" for request in asked)
    assert {request.url.host for request in asked} == {"host"}


@pytest.mark.parametrize(("retry", "sent"), [(True, 3), (False, 1)])
def test_a_reset_is_tried_again_where_that_does_no_harm(retry: bool, sent: int) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/version":
            return httpx.Response(200, json={})
        asked.append(request)
        if len(asked) < 3:
            raise httpx.ReadError("[Errno 104] Connection reset by peer", request=request)
        return httpx.Response(200, json={"created": 1})

    client = opened(answer)
    if retry:
        assert client.send("PATCH", "api/dm/views/1/", {}) == {"created": 1}
    else:
        with pytest.raises(Unavailable, match="Connection reset by peer"):
            client.send("POST", "api/projects/", {}, retry=False)
    assert len(asked) == sent


@pytest.mark.parametrize(("said", "waited"), [("7", 7.0), ("900", 60.0), ("soon", 0.0), ("", 0.0)])
def test_what_a_busy_server_has_not_begun_is_sent_again(
    monkeypatch: pytest.MonkeyPatch, said: str, waited: float
) -> None:
    asked: list[httpx.Request] = []
    pauses: list[float] = []
    monkeypatch.setattr(module.time, "sleep", pauses.append)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/version":
            return httpx.Response(200, json={})
        asked.append(request)
        if len(asked) == 1:
            return httpx.Response(429, headers={"Retry-After": said} if said else {})
        return httpx.Response(200, json={"id": 5})

    assert opened(answer).send("POST", "api/dm/views/", {}, retry=False) == {"id": 5}
    assert (len(asked), pauses) == (2, [waited])


def test_a_server_that_stays_busy_is_asked_three_times() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200 if request.url.path == "/api/version" else 429, json={})

    with pytest.raises(Unavailable, match="status 429"):
        opened(answer).send("POST", "api/dm/views/", {}, retry=False)
    assert len(asked) == 1 + 3


def test_the_token_of_a_user_who_left_is_no_wrong_copy() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"detail": "User inactive or deleted."})

    with pytest.raises(AccessDenied, match="User inactive") as error:
        opened(lambda r: httpx.Response(200) if "version" in r.url.path else answer(r)).get("api/x")
    assert "have an administrator activate that user" in str(error.value.hint)


@pytest.mark.parametrize(("key", "exchanged"), [(personal_token(), 2), (TOKEN, 0)])
def test_a_token_that_expired_by_the_servers_clock_is_exchanged_again(
    key: str, exchanged: int
) -> None:
    exchanges: list[httpx.Request] = []
    refused: set[str] = set()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/version":
            return httpx.Response(200, json={})
        if request.url.path == "/api/token/refresh/":
            exchanges.append(request)
            return httpx.Response(200, json={"access": personal_token().replace("e", "E", 1)})
        if len(exchanges) < 2:
            refused.add(request.url.path)
            return httpx.Response(401, json={"detail": "Token is expired"})
        body = [{"id": 1}] if request.url.path == "/api/predictions/" else {"created": 1}
        return httpx.Response(200, json=body)

    for ask in (
        lambda: opened(answer, key=key).send("POST", "api/projects/", {}, retry=False),
        lambda: list(opened(answer, key=key).rows("api/predictions/", dict[str, int])),
    ):
        exchanges.clear()
        if exchanged:
            assert ask() in ({"created": 1}, [{"id": 1}])
        else:
            with pytest.raises(AccessDenied, match="Token is expired"):
                ask()
        assert len(exchanges) == exchanged
    assert refused == {"/api/projects/", "/api/predictions/"}


@pytest.mark.parametrize("key", [TOKEN, personal_token()])
@pytest.mark.parametrize(
    "body",
    [
        "<html>Sign in</html>",
        "[" * 200_000,
        '{"error": "not today"}',
        '{"detail": "quota"}',
        "[1]",
        '"text"',
        "null",
        "",
    ],
    ids=["html", "deep", "error", "detail", "list", "text", "null", "nothing"],
)
def test_whatever_answers_is_one_line(key: str, body: str) -> None:
    client = opened(lambda request: httpx.Response(200, text=body), key=key)
    for ask in (
        lambda: find_versions(client, 1),
        lambda: list_tabs(client, 1),
        lambda: find_project(client, "a title"),
        lambda: list(client.rows("api/predictions/", dict, project=1)),
    ):
        with pytest.raises(LabelnextError) as error:
            ask()
        assert "\n" not in str(error.value.message)
        assert len(error.value.message) < 400


@pytest.mark.parametrize(
    ("url", "said", "hint"),
    [
        ("https://host", "[SSL: WRONG_VERSION_NUMBER] wrong version number", "write http://host"),
        ("https://host", "[SSL: CERTIFICATE_VERIFY_FAILED] self-signed", "set ca_bundle to"),
        ("http://host", "Server disconnected without sending a response.", "write https://host"),
        ("http://host", "[Errno 111] Connection refused", "that the server is running"),
    ],
)
def test_what_went_wrong_on_the_way_is_told_apart(url: str, said: str, hint: str) -> None:
    kind = httpx.RemoteProtocolError if "disconnected" in said else httpx.ConnectError

    def answer(request: httpx.Request) -> httpx.Response:
        raise kind(said, request=request)

    with pytest.raises(Unavailable) as error:
        opened(answer, url).get("api/version")
    assert hint in str(error.value.hint)
    assert said in error.value.message


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(module, "TIMEOUT", httpx.Timeout(60, read=0.2))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = Client(f"http://127.0.0.1:{silent.getsockname()[1]}", SecretStr(TOKEN))
        with pytest.raises(TimedOut, match="did not answer GET api/version in 0 s"):
            client.get("api/version")
        client.close()


def test_http_on_a_port_for_https_is_explained() -> None:
    said = "Client sent an HTTP request to an HTTPS server."
    with pytest.raises(NotFound, match="url must begin with https") as error:
        opened(lambda request: httpx.Response(400, text=said)).get("api/version")
    assert error.value.hint == "write https://host."


@pytest.mark.parametrize(
    ("url", "answer", "hint"),
    [
        ("http://host", httpx.Response(404, text="<html>"), "if the server is under a path"),
        ("http://host/a", httpx.Response(404, text="<html>"), "alone, without a path"),
        ("http://host", httpx.Response(404, json={"detail": "Not found."}), "it was deleted, or"),
    ],
)
def test_an_address_is_told_from_an_object_that_is_missing(
    url: str, answer: httpx.Response, hint: str
) -> None:
    client = opened(lambda request: answer, url)
    client.__dict__["base"] = url
    with pytest.raises(NotFound, match="/api/tasks doesn't exist") as error:
        client.get("api/tasks")
    assert hint in str(error.value.hint)


@pytest.mark.parametrize("count", [{}, {"task_number": None}, {"task_number": "7"}])
def test_a_project_says_how_many_tasks_it_has(count: dict[str, Any]) -> None:
    project = {"id": 1, "parsed_label_config": {}, **count}
    with pytest.raises(LabelnextError, match="task_number"):
        get_project(opened(lambda _: httpx.Response(200, json=project)), 1)


def test_projects_that_a_token_sees_are_named_where_one_is_missing() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/projects/":
            rows = [{"id": 3, "title": "Cars"}, {"id": 5, "title": "Cats"}]
            return httpx.Response(200, json={"count": 2, "results": rows})
        return httpx.Response(404, json={"detail": "No Project matches the given query."})

    with pytest.raises(NotFound, match="project must be the number .* got 4") as error:
        get_project(opened(answer), 4)
    assert "sees projects 3 ('Cars'), 5 ('Cats'); others may be of another organ" in str(
        error.value.hint
    )


def test_check_finds_a_token_that_has_expired() -> None:
    payload = personal_token().replace(
        personal_token().split(".")[1],
        base64.urlsafe_b64encode(json.dumps({"token_type": "refresh", "exp": 1}).encode())
        .decode()
        .rstrip("="),
    )
    source = {"url": "http://host", "api_key": payload, "project": 1}
    (finding,) = open_adapter("label-studio", **source).check()
    assert (finding.level, finding.hint) == (
        "error",
        "create a new Personal Access Token in Account & Settings.",
    )
    assert "rejected the api_key (API key has expired" in finding.message
