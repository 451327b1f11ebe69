"""Batches on their way to Label Studio and back that break off, or meet a network that fails."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import labelnext
from labelnext.errors import Unavailable, WriteFailed
from labelnext.runs.undo import resume, runs, undo
from tests.integration.exchange import choose, made, settings, tasks
from tests.integration.faulty_proxy import Fault, running_proxy

if TYPE_CHECKING:  # pytest itself imports the plugins, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = (
    "tests.integration.mongod",
    "tests.integration.label_studio_server",
    "tests.integration.exchange_datasets",
)

# label-studio-sdk 2.1 exchanges a Personal Access Token by a call that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7])
def test_a_sending_that_broke_off_is_finished_without_a_task_twice(
    label_studio: LabelStudio,
    animals: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    n: int,
) -> None:
    from labelnext_adapters.label_studio.server import client as module

    config = settings(label_studio, animals, tmp_path)
    labelnext.run(config)
    left = [n]
    request = module.Client._request

    def dying(self: Any, method: str, path: str, **arguments: Any) -> bytes:
        """Ends at the n-th request that changes something, when its answer is on the way."""
        if method == "GET":
            return request(self, method, path, **arguments)
        left[0] -= 1
        answer = request(self, method, path, **arguments)
        if left[0] == 0:
            raise KeyboardInterrupt
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(module.Client, "_request", dying)
        try:
            labelnext.send(config)
            assert left[0] > 0, "it broke off, and nobody noticed"
        except KeyboardInterrupt:
            assert runs(config)[-1].status == "broken"
            patch.undo()
            resume(config)
    project = made(label_studio, animals)["id"]
    rows = tasks(label_studio, project)
    assert sorted(task["data"]["name"] for task in rows) == ["b.png", "c.png", "d.png"]
    assert [len(task["predictions"]) for task in rows] == [1, 1, 1]
    assert len(label_studio.api("GET", f"/api/projects/{project}/file-uploads", all=True)) == 3
    assert [t["data"]["title"] for t in label_studio.tabs(project)] == ["Default", "Label next"]
    by_name = {task["data"]["name"]: task["id"] for task in rows}
    assert label_studio.listing(project) == [by_name[f"{n}.png"] for n in "dbc"]
    assert undo(config)[1] == []


@pytest.mark.parametrize("fault", ["cut", "500"])
def test_a_network_that_fails_makes_no_task_twice(
    label_studio: LabelStudio,
    animals: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
) -> None:
    import label_studio_sdk.core.http_client as transport

    monkeypatch.setattr(transport, "_retry_timeout", lambda **_: 0.0)
    monkeypatch.setattr(transport, "_retry_timeout_from_retries", lambda **_: 0.0)
    with running_proxy(label_studio.url) as proxy:
        config = settings(label_studio, animals, tmp_path)
        config["send"]["url"] = proxy.url
        labelnext.run(config)
        labelnext.send(config)
        n_requests = proxy.seen
        undo(config)
        assert n_requests > 15
        for broken in range(4 if fault == "cut" else 0, n_requests, 9):
            proxy.spoil(fault, broken, 3)  # the first try and both that follow
            try:
                labelnext.send(config)
            except (Unavailable, WriteFailed):
                proxy.spoil(None, 0, 0)
                again = [journal.status for journal in runs(config)][-1:] == ["broken"]
                resume(config) if again else labelnext.send(config)
            proxy.spoil(None, 0, 0)
            project = made(label_studio, animals)["id"]
            rows = tasks(label_studio, project)
            assert sorted(t["data"]["name"] for t in rows) == ["b.png", "c.png", "d.png"], broken
            assert [len(task["predictions"]) for task in rows] == [1, 1, 1], broken
            assert undo(config)[1] == [], broken


def test_a_fetch_that_broke_off_is_finished(
    label_studio: LabelStudio, animals: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fiftyone as fo

    config = settings(label_studio, animals, tmp_path)
    labelnext.run(config)
    labelnext.send(config)
    choose(label_studio, tasks(label_studio, made(label_studio, animals)["id"])[0]["id"], "dog")

    def dying(*_: Any, **__: Any) -> None:
        raise ConnectionError("the database went away")

    with monkeypatch.context() as patch:
        patch.setattr(fo.Dataset, "set_values", dying)
        with pytest.raises(WriteFailed, match="labelnext resume"):
            labelnext.fetch(config)
    assert (runs(config)[-1].what, runs(config)[-1].status) == ("fetch", "broken")
    resume(config)
    animals.reload()
    assert animals.exists("labels").count() == 1
