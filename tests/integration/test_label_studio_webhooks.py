"""`watch.listen` on a real Label Studio: its webhooks, and what is left of them."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from labelnext.runs.undo import runs, undo
from tests.integration.choices import CHOICES, sure_to_unsure
from tests.waiting import until

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)

OTHER = "http://127.0.0.1:9/webhook/of-somebody-else"


@pytest.fixture
def project(label_studio: LabelStudio) -> int:
    return label_studio.create_project(CHOICES, sure_to_unsure(8))


@pytest.fixture
def config(label_studio: LabelStudio, project: int, tmp_path: Path, free_port: int) -> Path:
    path = tmp_path / "labelnext.yaml"
    path.write_text(
        f"source: {{adapter: label-studio, url: '{label_studio.url}', project: {project}, "
        f"api_key: '{label_studio.token}'}}\nreport: {{path: null}}\n"
        f"watch: {{labels: 2, listen: '127.0.0.1:{free_port}'}}\n"
    )
    return path


@contextmanager
def watching(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A `watch` that looks of itself every ten minutes only."""
    command = [sys.executable, "-m", "labelnext", "watch", config, "--poll", "600"]
    with config.with_suffix(".out").open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def ranked(config: Path, times: int) -> Callable[[], bool]:
    return lambda: [run.status for run in runs(config)] == ["done"] * times


def addresses(label_studio: LabelStudio, project: int) -> list[str]:
    """Of this project only: other tests leave webhooks on the same server."""
    rows = label_studio.api("GET", f"/api/webhooks/?project={project}")
    return [row["url"] for row in rows]


def metrics(port: int) -> dict[str, float]:
    """What /metrics shows; empty until somebody listens."""
    try:
        lines = httpx.get(f"http://127.0.0.1:{port}/metrics").text.splitlines()
    except httpx.TransportError:
        return {}
    values = [line.split() for line in lines if not line.startswith("#")]
    return {name.removeprefix("labelnext_"): float(value) for name, value in values}


def test_watch_ranks_again_when_the_server_calls_and_takes_its_webhook_away(
    label_studio: LabelStudio, project: int, config: Path, free_port: int
) -> None:
    label_studio.api("POST", "/api/webhooks/", {"project": project, "url": OTHER})
    order = label_studio.task_ids(project)[::-1]
    with watching(config) as process:
        until(ranked(config, 1))
        until(lambda: metrics(free_port).get("labels") == 0)
        address = (set(addresses(label_studio, project)) - {OTHER}).pop()
        assert address.startswith(f"http://127.0.0.1:{free_port}/webhook/")
        forged = httpx.post(address, headers={"X-Labelnext-Secret": "guessed"})
        assert forged.status_code == 403
        label_studio.annotate(order[0])
        until(lambda: metrics(free_port).get("labels") == 1)  # seen; two are needed
        assert ranked(config, 1)()
        label_studio.annotate(order[1])
        until(ranked(config, 2))
        until(lambda: metrics(free_port).get("labels_at_last_ranking") == 2)
        seen = metrics(free_port)
        assert (seen["up"], seen["runs_total"], seen["webhooks_refused_total"]) == (1, 2, 1)
        assert seen["webhooks_total"] >= 2
        more = [{"data": {"text": "new"}}]
        label_studio.api("POST", f"/api/projects/{project}/import", more)
        until(ranked(config, 3))  # a second look, soon after, saw that the import had ended
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert addresses(label_studio, project) == [OTHER]
    said = config.with_suffix(".out").read_text()
    assert f"listening on 127.0.0.1:{free_port}" in said
    assert address not in said
    assert label_studio.token not in said


def test_undo_and_the_next_watch_take_away_the_webhook_of_one_that_died(
    label_studio: LabelStudio, project: int, config: Path, free_port: int
) -> None:
    before = addresses(label_studio, project)
    with watching(config):
        until(ranked(config, 1))
        until(lambda: metrics(free_port))
        (left,) = {*addresses(label_studio, project)} - {*before}
    with watching(config):
        until(lambda: "listening" in config.with_suffix(".out").read_text())
        (now,) = {*addresses(label_studio, project)} - {*before}
        assert now != left
    undo(config)
    assert addresses(label_studio, project) == before
