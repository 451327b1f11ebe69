"""A server that answers anything: findings, a pool or one line, never anything else."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import httpx
import pytest

from labelnext.adapter.registry import open_adapter
from labelnext.errors import LabelnextError
from labelnext.ranking import rank
from tests.formats.mutations import ODD, changed
from tests.fuzz.campaign import Campaign
from tests.integration.choices import CHOICES

# label-studio-sdk 2.1 exchanges a Personal Access Token by a call that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")

N_TASKS = 3
HOW = ("replace", "replace", "remove", "rename", "repeat", "whole")
PAGES = [
    b"", b"null", b"[]", b"{}", b"<html>Sign in</html>", b"[" * 100_000, b'{"a":' * 100_000,
    b'{"detail": "not today"}', b'{"error": {"code": 7}}',
    b"\xff\xfe\0", b"1e999", b'"text"', b"[[1]]",
]  # fmt: skip
STATUSES = (200, 200, 200, 201, 204, 206, 301, 302, 400, 401, 403, 404, 413, 429, 500, 502, 503)


def region(p: float) -> dict[str, Any]:
    value = {"choices": ["good"], "probs": [p, 1 - p]}
    return {"from_name": "kind", "to_name": "text", "type": "choices", "value": value}


def _tasks() -> list[dict[str, Any]]:
    base = {"total_annotations": 0, "cancelled_annotations": 0, "total_predictions": 1}
    return [
        {**base, "id": n, "data": {"text": f"t{n}"}, "annotations": [], "predictions": [],
         "overlap": 1, "is_labeled": False, "project": 1, "drafts": [], "annotators": []}
        for n in range(1, N_TASKS + 1)
    ]  # fmt: skip


def good_answer(path: str) -> Any:
    """What Label Studio says to a reading of a small project."""
    kind = {"type": "Choices", "to_name": ["text"], "labels": ["good", "bad"],
            "inputs": [{"type": "Text", "value": "text"}], "labels_attrs": {}}  # fmt: skip
    project = {
        "id": 1, "title": "p", "label_config": CHOICES, "parsed_label_config": {"kind": kind},
        "sampling": "Sequential sampling", "model_version": "m", "maximum_annotations": 1,
        "skip_queue": "REQUEUE_FOR_OTHERS", "task_number": N_TASKS, "show_collab_predictions": True,
        "is_published": True, "num_tasks_with_annotations": 0, "total_annotations_number": 0,
        "total_predictions_number": N_TASKS, "created_by": {"id": 1}, "organization": 1,
    }  # fmt: skip
    version = {"model_version": "m", "count": N_TASKS, "latest": "2026-01-01T00:00:00Z"}
    predictions = [
        {"id": 10 + n, "task": n, "model_version": "m", "score": 0.5, "project": 1,
         "created_at": f"2026-01-0{n}T00:00:00Z", "result": [region(0.4 + n / 10)]}
        for n in range(1, N_TASKS + 1)
    ]  # fmt: skip
    user = {"id": 1, "email": "a@b", "active_organization": 1}
    found: dict[str, Any] = {
        "version": {"release": "1.23.0"},
        "whoami": {**user, "permissions": ["projects.change"]},
        "model-versions": {"static": [version], "live": []},
        "projects": {"results": [project], "count": 1, "next": None},
        "1": project,
        "tasks": {
            "tasks": _tasks(),
            "total": N_TASKS,
            "total_annotations": 0,
            "total_predictions": 3,
        },
        "predictions": predictions,
        "views": [{"id": 1, "data": {"title": "Default", "ordering": [], "filters": {}}}],
        "memberships": {"results": [{"user": user}], "count": 1, "next": None},
    }
    return copy.deepcopy(found.get(path.rstrip("/").rsplit("/", 1)[-1], []))


class Server:
    """Spoils one of its answers; `asked` has the addresses in order."""

    def __init__(self, rng: random.Random | None, spoilt: int = -1) -> None:
        self.rng, self.spoilt = rng, spoilt
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        number = len(self.asked)
        self.asked.append(request.url.path)
        assert number < 500, f"asked without end: {self.asked[-5:]}"
        if "/api/tasks" in request.url.path and request.url.params.get("page", "1") != "1":
            return httpx.Response(404, json={"detail": "Invalid page."})
        answer = good_answer(request.url.path)
        if self.rng is None or number != self.spoilt:
            return httpx.Response(200, json=answer)
        rng = self.rng
        if rng.random() < 0.25:
            headers = {"Location": rng.choice(["/", str(request.url), "http://other/", "\0", "//"])}
            return httpx.Response(rng.choice(STATUSES), content=rng.choice(PAGES), headers=headers)
        for _ in range(rng.randint(1, 3)):
            answer = changed(answer, rng.choice(HOW), rng.randrange(10**6), rng.choice(ODD))
        return httpx.Response(200, content=json.dumps(answer).encode())


def adapter_on(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    from labelnext_adapters.label_studio.server.client import Client

    monkeypatch.setattr(Client, "pauses", (0.0, 0.0, 0.0))
    source = {"url": "http://host", "api_key": "abcdef0123456789abcdef0123456789abcdef02"}
    adapter: Any = open_adapter("label-studio", project=1, **source)
    adapter.client._http._transport = httpx.MockTransport(server)
    adapter.client._http._mounts = {}
    return adapter


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    import label_studio_sdk.core.http_client as transport

    monkeypatch.setattr(transport, "_retry_timeout", lambda **_: 0.0)
    monkeypatch.setattr(transport, "_retry_timeout_from_retries", lambda **_: 0.0, raising=False)
    return monkeypatch


def test_a_reading_of_good_answers_is_ranked(no_pauses: pytest.MonkeyPatch) -> None:
    adapter = adapter_on(Server(None), no_pauses)
    ranking = rank(adapter.read(), "margin")
    assert ranking.item_ids.tolist() == ["1", "2", "3"]  # margins 0, 0.2, 0.4


def one_line(error: LabelnextError) -> None:
    assert error.message
    assert "\n" not in error.message
    assert len(error.message) < 800, error.message


def test_any_answer_is_a_ranking_or_one_line(
    campaign: Campaign, no_pauses: pytest.MonkeyPatch
) -> None:
    good = Server(None)
    adapter = adapter_on(good, no_pauses)
    adapter.read()
    n_asked = len(good.asked)
    adapter.check()
    n_checked = len(good.asked) - n_asked

    def trial(rng: random.Random) -> str:
        reading = rng.random() < 0.7
        spoilt = rng.randrange(n_asked if reading else n_checked)
        adapter = adapter_on(Server(rng, spoilt), no_pauses)
        try:
            if not reading:
                assert adapter.check()
                return "checked"
            pool = adapter.read()
            ranking = rank(pool)
        except LabelnextError as error:
            one_line(error)
            return "refused"
        finally:
            adapter.close()
        ids = ranking.item_ids.tolist()
        assert len(set(ids)) == len(ids) <= len(pool)
        return "ranked"

    campaign.run(200, trial)
