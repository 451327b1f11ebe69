"""Runs over a network that fails, once at each of their requests, and how each is ended.

Each request meets one of the faults, or with FUZZ_SECONDS all of them.

Use it with ``pytest_plugins = ("tests.integration.faulty_runs",)`` in a test module.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from labelnext.errors import Unavailable, WriteFailed
from labelnext.runs.run import run
from labelnext.runs.undo import resume, runs, undo
from tests.integration.choices import CHOICES, sure_to_unsure
from tests.integration.faulty_proxy import FAULTS, Fault, FaultyProxy, running_proxy, timing_out

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)

EachRequest = Callable[[str], Counter[str]]

N_TASKS = 4  # whose priorities meet each of the faults
BUDGET = 2
BUSY_SECONDS = 60  # of patience: a busy machine is slow, not at fault
_OURS = ("labelnext_priority", "labelnext_batch")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No pause between two attempts; what the network holds back times out at once."""
    import label_studio_sdk.core.http_client as transport

    from labelnext_adapters.label_studio.server import client

    monkeypatch.setattr(transport, "_retry_timeout", lambda **_: 0.0)
    monkeypatch.setattr(transport, "_retry_timeout_from_retries", lambda **_: 0.0)
    monkeypatch.setattr(client.Client, "pauses", (0.0, 0.0, 0.0))
    monkeypatch.setattr(client, "TIMEOUT", httpx.Timeout(BUSY_SECONDS, connect=BUSY_SECONDS))
    with timing_out():
        yield


@pytest.fixture
def proxy(label_studio: LabelStudio) -> Iterator[FaultyProxy]:
    with running_proxy(label_studio.url) as proxy:
        yield proxy


def state(server: LabelStudio, project: int) -> dict[str, Any]:
    """What a run writes, by the position of the task."""
    stored = server.stored_data(project)
    ids = sorted(stored)
    rows = server.api("GET", "/api/predictions/", project=project)
    # The name of the copies' version depends on the numbers of the tasks.
    found = sorted((ids.index(r["task"]), r["model_version"][:9], r["score"] or 0) for r in rows)
    settings = server.api("GET", f"/api/projects/{project}/")
    return {
        "data": [json.loads(stored[task]) for task in ids],
        # Each run leaves its own id in the tab.
        "tabs": [{**tab["data"], "labelnext": None} for tab in server.tabs(project)],
        "predictions": found,
        "settings": (settings["sampling"], settings["model_version"][:9]),
    }


def without_empty_keys(state: dict[str, Any]) -> dict[str, Any]:
    """The same without the empty texts that an undo leaves, as every report says beforehand."""
    data = [
        {name: v for name, v in row.items() if not (name in _OURS and v == "")}
        for row in state["data"]
    ]
    return {**state, "data": data}


def settings(url: str, token: str, project: int, folder: Path, mode: str) -> dict[str, Any]:
    source = {"adapter": "label-studio", "url": url, "api_key": token, "project": project}
    return {
        "source": source,
        "selection": {"budget": 5},
        "write": {"mode": mode},
        "report": {"path": None},
        "state": str(folder),
    }


def settled(config: dict[str, Any], way: str) -> str:
    """Run, and do what the error says until the run is at its end; how that came.

    Args:
        config: of the run.
        way: how a run that broke off in the middle is ended, "resume" or "undo".
    """
    try:
        run(config)
        return "finished"
    except (Unavailable, WriteFailed):
        pass
    if not runs(config):
        return "not begun"
    for _ in range(3):
        try:
            if way == "undo" and runs(config)[-1].status == "broken":
                undo(config)
                return "undone"
            resume(config)
            return "resumed"
        except (Unavailable, WriteFailed):
            continue
    raise AssertionError("the run could not be settled")


def spoilt(first: int, end: int) -> list[tuple[int, Fault]]:
    """Requests by number, each with the fault that it meets."""
    if "FUZZ_SECONDS" in os.environ:
        return [(number, fault) for fault in FAULTS for number in range(first, end)]
    return [(number, FAULTS[number % len(FAULTS)]) for number in range(first, end)]


@pytest.fixture
def each_request(
    label_studio: LabelStudio,
    proxy: FaultyProxy,
    tmp_path: Path,
    impatient: None,
) -> EachRequest:
    """Spoils each request of a run in turn; each ends as a run without a fault, or changes nothing.

    Runs that break off in the middle are resumed and undone in turns. Returns how often each ending
    came.
    """
    server = label_studio

    def settings_of(turn: str, project: int, mode: str) -> dict[str, Any]:
        made = settings(proxy.url, server.token, project, tmp_path / turn, mode)
        return {**made, "selection": {"budget": BUDGET}}

    def each_request(mode: str) -> Counter[str]:
        project = server.create_project(CHOICES, sure_to_unsure(N_TASKS))
        before = state(server, project)
        proxy.spoil(None, 0, 0)
        run(settings_of("none", project, mode))
        after, n_requests = state(server, project), proxy.seen
        assert without_empty_keys(after) != before
        endings: Counter[str] = Counter()
        untouched = False
        # Up to there a run that is refused something is like any other.
        for turn, (number, fault) in enumerate(spoilt(proxy.first_refused, n_requests)):
            if not untouched:
                project = server.create_project(CHOICES, sure_to_unsure(N_TASKS))
            # Three in a row outlast the retries; a timeout is not tried again.
            proxy.spoil(fault, number, 1 if fault == "timeout" else 3)
            config = settings_of(f"{turn}", project, mode)
            ending = settled(config, "undo" if (turn + turn // len(FAULTS)) % 2 else "resume")
            endings[ending] += 1
            now, untouched = state(server, project), ending == "not begun"
            where = f"{fault} at {number} of {n_requests}, {ending}"
            if ending == "undone":
                assert without_empty_keys(now) == before, where
            else:
                assert now == (before if untouched else after), where
        return endings

    return each_request
