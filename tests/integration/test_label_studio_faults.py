"""Label Studio behind a network that fails: nothing lost, nothing doubled, every run can end."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import Unavailable, WriteFailed
from labelnext.journal import Journal
from labelnext.pipeline import resume, run, runs
from labelnext.ranking import rank
from tests.integration.choices import CHOICES, sure_to_unsure
from tests.integration.faulty_proxy import FAULTS, Fault, FaultyProxy, running_proxy

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)

# label-studio-sdk 2.1 exchanges a Personal Access Token by a call that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")

N_TASKS = 12
READ_SECONDS = 1  # of patience, where the network holds an answer back


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between two attempts, and little patience."""
    import label_studio_sdk.core.http_client as transport

    from labelnext_adapters.label_studio import client

    monkeypatch.setattr(transport, "_retry_timeout", lambda **_: 0.0)
    monkeypatch.setattr(transport, "_retry_timeout_from_retries", lambda **_: 0.0)
    monkeypatch.setattr(client, "TIMEOUT", httpx.Timeout(READ_SECONDS, connect=10))
    monkeypatch.setattr(client.Client, "pauses", (0.0, 0.0, 0.0))


@pytest.fixture
def proxy(label_studio: LabelStudio) -> Iterator[FaultyProxy]:
    with running_proxy(label_studio.url) as proxy:
        yield proxy


def state(server: LabelStudio, project: int) -> Any:
    """What a run writes, by the position of the task."""
    ids = server.task_ids(project)
    data = [json.loads(server.stored_data(project)[t]) for t in ids]
    tabs = [tab["data"] for tab in server.tabs(project)]
    rows = server.api("GET", "/api/predictions/", project=project)
    # The name of the copies' version depends on the numbers of the tasks.
    found = sorted((ids.index(r["task"]), r["model_version"][:9], r["score"] or 0) for r in rows)
    return data, tabs, found, server.api("GET", f"/api/projects/{project}/")["sampling"]


def settings(url: str, token: str, project: int, folder: Path, mode: str) -> dict[str, Any]:
    source = {"adapter": "label-studio", "url": url, "api_key": token, "project": project}
    return {
        "source": source,
        "selection": {"budget": 5},
        "write": {"mode": mode},
        "report": {"path": None},
        "state": str(folder),
    }


def settled(config: dict[str, Any]) -> str:
    """Run, and do what the error says until the run is at its end; how it went."""
    try:
        run(config)
        return "finished"
    except (Unavailable, WriteFailed):
        pass
    for _ in range(3):
        try:
            if runs(config):
                resume(config)
                return "resumed"
            run(config)
            return "ran again"
        except (Unavailable, WriteFailed):
            continue
    raise AssertionError("the run could not be settled")


def each_request(
    server: LabelStudio, proxy: FaultyProxy, folder: Path, mode: str, faults: Sequence[Fault]
) -> Counter[str]:
    """Spoil each request of a run in turn; each time the end is that of a run without a fault.

    Each request meets one of the faults, in turns; LABELNEXT_ALL_FAULTS=1 has it meet them all.
    """
    project = server.create_project(CHOICES, sure_to_unsure(N_TASKS))
    proxy.spoil(None, 0, 0)
    run(settings(proxy.url, server.token, project, folder / "none", mode))
    expected, n_requests = state(server, project), proxy.seen
    endings: Counter[str] = Counter()
    # Up to there a run that is refused something is like any other.
    for number in range(proxy.first_refused, n_requests):
        some = [faults[number % len(faults)]]
        for fault in faults if os.environ.get("LABELNEXT_ALL_FAULTS") else some:
            project = server.create_project(CHOICES, sure_to_unsure(N_TASKS))
            # Three in a row outlast the retries; a timeout is not tried again.
            proxy.spoil(fault, number, 1 if fault == "timeout" else 3)
            config = settings(proxy.url, server.token, project, folder / f"{number}{fault}", mode)
            endings[settled(config)] += 1
            assert state(server, project) == expected, f"{fault} at {number} of {n_requests}"
    return endings


def test_a_fault_at_any_request_of_a_queue_run_is_settled(
    label_studio: LabelStudio, proxy: FaultyProxy, tmp_path: Path, impatient: None
) -> None:
    endings = each_request(label_studio, proxy, tmp_path, "queue", FAULTS)
    assert endings["resumed"]
    assert endings["ran again"]


def test_a_fault_at_any_request_of_an_uncertainty_run_doubles_no_prediction(
    label_studio: LabelStudio, proxy: FaultyProxy, tmp_path: Path, impatient: None
) -> None:
    endings = each_request(label_studio, proxy, tmp_path, "uncertainty", ("cut", "timeout"))
    assert endings["resumed"]
    assert endings["ran again"]


def test_a_fault_at_any_request_of_a_run_that_sends_whole_data_loses_none_of_it(
    label_studio: LabelStudio, proxy: FaultyProxy, tmp_path: Path, impatient: None
) -> None:
    # The server refuses to set one key, so that each task's data is read and sent as a whole.
    proxy.refused = "add_data_field"
    endings = each_request(label_studio, proxy, tmp_path, "queue", FAULTS)
    assert endings["resumed"]
    assert endings["finished"]


def test_a_server_killed_in_the_middle_of_a_write_is_resumed_to_the_same_end(
    tmp_path: Path, impatient: None
) -> None:
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
        with pytest.raises(WriteFailed, match="cannot be reached"):
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
    project = label_studio.create_project(CHOICES, sure_to_unsure(N_TASKS))
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
    assert len(label_studio.priorities(project)) == N_TASKS
    assert token not in journal.path.read_text("utf-8")
