"""Runs on Label Studio in whose middle the server dies, or the token expires."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import WriteFailed
from labelnext.journal import Journal
from labelnext.ranking import rank
from labelnext.runs.run import run
from tests.integration.choices import CHOICES, sure_to_unsure

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.faulty_runs",)

# label-studio-sdk 2.1 exchanges a Personal Access Token by a call that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")


def test_a_server_killed_in_the_middle_of_a_write_is_resumed_to_the_same_end(
    tmp_path: Path, impatient: object
) -> None:
    from tests.integration.faulty_runs import settings, state
    from tests.integration.label_studio_server import running_server

    with running_server(tmp_path / "server") as server:
        whole = server.create_project(CHOICES, sure_to_unsure(97))
        run(settings(server.url, server.token, whole, tmp_path / "whole", "queue"))
        project = server.create_project(CHOICES, sure_to_unsure(97))
        source = {"url": server.url, "api_key": server.token, "project": project}
        adapter = open_adapter("label-studio", **source)
        plan = adapter.plan(rank(adapter.read(), "margin", budget=5))
        journal = Journal.create(tmp_path / "state", plan)
        sent = 0

        def kill(request: httpx.Request) -> None:
            nonlocal sent
            sent += request.method != "GET"
            if sent == 20:
                assert server.process is not None
                server.process.kill()

        client: Any = adapter
        client.client._http.event_hooks["request"].append(kill)
        with pytest.raises(WriteFailed, match="can't reach Label Studio at"):
            adapter.apply(plan, journal)
        adapter.close()
        assert server.process is not None
        server.process.start()
        broken = Journal(journal.path)
        assert broken.status == "broken"
        again = open_adapter("label-studio", **source)
        again.apply(broken.plan, broken)
        again.close()
        assert state(server, project) == state(server, whole)


def test_a_token_that_expires_in_the_middle_is_exchanged_again(
    label_studio: LabelStudio, tmp_path: Path
) -> None:
    other = label_studio.second_user()  # a user has one Personal Access Token
    token = other.api("POST", "/api/token/")["token"]
    project = label_studio.create_project(CHOICES, sure_to_unsure(12))
    source = {"url": label_studio.url, "api_key": token, "project": project}
    adapter: Any = open_adapter("label-studio", **source)
    plan = adapter.plan(rank(adapter.read(), "margin", budget=5))
    tokens = adapter.client._transport.base_headers.__self__._tokens_client
    exchanged = []

    def expire(request: httpx.Request) -> None:
        if request.url.path == "/api/token/refresh/":
            exchanged.append(request)
        elif request.method != "GET" and not exchanged:
            claims = jwt.decode(tokens._access_token, options={"verify_signature": False})
            old = {**claims, "exp": int(time.time()) - 1}
            tokens._set_access_token(jwt.encode(old, "x" * 32))

    adapter.client._http.event_hooks["request"].append(expire)
    journal = Journal.create(tmp_path, plan)
    adapter.apply(plan, journal)
    adapter.close()
    other.close()
    assert len(label_studio.priorities(project)) == 12
    assert token not in journal.path.read_text("utf-8")
