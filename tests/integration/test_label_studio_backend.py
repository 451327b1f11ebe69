"""`labelnext backend`, connected to a real Label Studio as its model."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from labelnext_adapters.label_studio.backend import AUTH, Known
from tests.integration.test_no_model import say, settings, texts
from tests.waiting import ended, until

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)


def half_labelled(server: LabelStudio, folder: Path) -> tuple[Path, int, dict[int, str]]:
    """A configuration, its project of twelve texts, six of them labelled, and the kind of each."""
    source, kinds = texts(server, 6)
    config = folder / "labelnext.yaml"
    config.write_text(yaml.safe_dump(settings(folder, **source)))
    return config, source["project"], kinds


@contextmanager
def answering(config: Path, port: int, auth: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command, reading the project again after two labels, once it listens."""
    command = [sys.executable, "-m", "labelnext", "backend", config, "--labels", "2"]
    command += ["--listen", f"127.0.0.1:{port}", "--poll", "600"]
    out = config.with_suffix(".out")
    with out.open("w") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, env={**os.environ, AUTH: auth}
        )
        try:
            until(lambda: "listening on" in out.read_text() or process.poll() is not None)
            yield process
        finally:
            process.kill()
            process.wait()


def connected(server: LabelStudio, project: int, port: int, password: str) -> httpx.Response:
    """Connect the backend in Settings > Model."""
    body = {"project": project, "url": f"http://127.0.0.1:{port}", "title": "labelnext"}
    body |= {"auth_method": "BASIC_AUTH", "basic_auth_user": "me", "basic_auth_pass": password}
    headers = {"Authorization": f"Token {server.token}"}
    return httpx.post(f"{server.url}/api/ml/", json=body, headers=headers, timeout=60)


def predicted(server: LabelStudio, project: int) -> Mapping[str, Mapping[int, tuple[str, float]]]:
    """What Label Studio stores when a manager asks it for predictions: by version and task."""
    body = {"selectedItems": {"all": True, "excluded": []}}
    ask = {"id": "retrieve_tasks_predictions", "project": project}
    server.api("POST", "/api/dm/actions/", body, **ask)
    found: dict[str, dict[int, tuple[str, float]]] = {}
    for row in server.api("GET", "/api/predictions/", project=project):
        (choice,) = row["result"][0]["value"]["choices"]
        found.setdefault(row["model_version"], {})[row["task"]] = (choice, row["score"])
    return found


def test_label_studio_takes_predictions_of_the_probe_and_newer_ones_after_more_labels(
    label_studio: LabelStudio, tmp_path: Path, free_port: int
) -> None:
    config, project, kinds = half_labelled(label_studio, tmp_path)
    with answering(config, free_port, "me:secret word") as process:
        said = config.with_suffix(".out").read_text
        refused = connected(label_studio, project, free_port, "wrong")
        assert refused.status_code == 400
        assert "authentication" in refused.text
        assert connected(label_studio, project, free_port, "secret word").status_code == 201
        other = label_studio.api("POST", "/api/projects/", {"title": "Another"})["id"]
        misplaced = connected(label_studio, other, free_port, "secret word")
        assert misplaced.status_code == 400
        assert f"This backend is for project {project}; connect it there" in misplaced.text
        (first,) = predicted(label_studio, project).items()
        assert first[0].startswith("labelnext:backend of labelnext:")
        assert {task: choice for task, (choice, _) in first[1].items()} == kinds
        assert all(0.5 < score <= 1 for _, score in first[1].values())
        assert predicted(label_studio, project) == dict([first])  # nothing twice

        todo = [*kinds][6:8]
        say(label_studio, todo[0], kinds[todo[0]])
        say(label_studio, todo[1], kinds[todo[1]])
        until(lambda: "8 labels, predictions of 12 tasks" in said())
        both = predicted(label_studio, project)
        assert {version: len(rows) for version, rows in both.items()} == {
            first[0]: 12,
            (both.keys() - {first[0]}).pop(): 12,
        }
        more = [{"data": {"text": text}} for text in ("beach hotel sun", "score team goal")]
        label_studio.api("POST", f"/api/projects/{project}/import", more)
        until(lambda: "8 labels, predictions of 14 tasks" in said())
        process.send_signal(signal.SIGTERM)
        assert ended(process) == 0
        assert f"connect http://127.0.0.1:{free_port} in the project's Settings > Model" in said()
        assert said().endswith("Stopped.\n")
        assert "secret" not in said()
        assert label_studio.token not in said()


def test_its_predictions_are_never_read_as_those_of_a_model(
    label_studio: LabelStudio, tmp_path: Path, free_port: int
) -> None:
    config, project, _ = half_labelled(label_studio, tmp_path)
    with answering(config, free_port, "me:secret"):
        connected(label_studio, project, free_port, "secret")
        (first,) = predicted(label_studio, project)
    with answering(config, free_port, "me:secret"):  # the data is the same, and so is the version
        assert [*predicted(label_studio, project)] == [first]


def test_what_is_known_without_predictions_says_what_to_do() -> None:
    assert str(Known("v", labels=1)) == (
        "1 label, no predictions: set source.model: probe and label two items of each class, or "
        "store a model's predictions"
    )


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"method": "POST", "url": "/predict", "content": b"not json"}, 400),
        ({"method": "POST", "url": "/predict", "json": {"tasks": [{"id": "x"}]}}, 400),
        ({"method": "POST", "url": "/predict", "json": {"tasks": [{"id": 10**6}]}}, 200),
        ({"method": "GET", "url": "/predict"}, 404),
        ({"method": "GET", "url": "/elsewhere"}, 404),
        ({"method": "GET", "url": "/health"}, 200),
        ({"method": "GET", "url": "/versions"}, 200),
    ],
)
def test_odd_requests_are_answered(request_: dict[str, Any], status: int) -> None:
    from labelnext.support.serving import serving
    from labelnext_adapters.label_studio.backend import Backend

    backend = Backend(None, None)  # type: ignore[arg-type]  # reads nothing
    backend.known = Known("v1", {1: {"result": [], "score": 0.5, "model_version": "v1"}})
    with (
        serving("127.0.0.1:0", backend.answer, "listen") as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        assert client.request(**request_).status_code == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"project": "7.1764500000", "schema": "<View/>"}', 200),
        (b'{"project": "70.1764500000"}', 409),
        (b'{"project": 7}', 200),
        (b'{"project": "x"}', 200),
        (b"[]", 200),
        (b"", 200),
    ],
)
def test_another_project_is_told_where_the_backend_belongs(body: bytes, status: int) -> None:
    from labelnext.support.serving import serving
    from labelnext_adapters.label_studio.backend import Backend

    backend = Backend(None, None)  # type: ignore[arg-type]  # reads nothing
    with serving("127.0.0.1:0", backend.answer, "listen") as port:
        setup = f"http://127.0.0.1:{port}/setup"
        assert httpx.post(setup, content=body).status_code == 200  # before the project is read
        backend.known = Known("v1", project=7)
        answer = httpx.post(setup, content=body)
    assert answer.status_code == status
    if status == 409:  # Label Studio shows the phrase alone
        assert answer.reason_phrase == "This backend is for project 7; connect it there"


def test_a_password_is_known_in_both_encodings_that_clients_use() -> None:
    from labelnext.errors import ConfigError
    from labelnext.support.serving import Request
    from labelnext_adapters.label_studio.backend import Backend

    backend = Backend(None, "u:pä")  # type: ignore[arg-type]  # reads nothing
    # RFC 7617: UTF-8, and of old clients, such as Python's requests, Latin-1.
    for sent, status in (("dTpww6Q=", 200), ("dTpw5A==", 200), ("dTpwYQ==", 401)):
        request = Request("GET", "/health", {"authorization": f"Basic {sent}"}, b"")
        assert backend.answer(request).status == status
    with pytest.raises(ConfigError, match=r"must be user:password; got a text without a colon"):
        Backend(None, "secret")  # type: ignore[arg-type]
