"""`labelnext watch` on a real Label Studio that goes away and comes back."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labelnext.runs.undo import runs
from tests.integration.choices import CHOICES, sure_to_unsure
from tests.integration.label_studio_server import LabelStudio, running_server
from tests.waiting import until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LabelStudio]:
    with running_server(tmp_path / "server") as server:
        yield server


def test_watch_ranks_again_survives_a_restart_and_ends_on_sigterm(
    server: LabelStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", server.token)
    project = server.create_project(CHOICES, sure_to_unsure(8))
    order = server.task_ids(project)[::-1]
    config = tmp_path / "c.yaml"
    config.write_text(
        f"source: {{adapter: label-studio, url: '{server.url}', project: {project}, "
        "api_key: '${LABEL_STUDIO_API_KEY}'}\nreport: {path: null}\n"
    )
    command = [sys.executable, "-m", "labelnext.cli", "watch", config, "--labels", "2"]
    with (tmp_path / "out").open("w+") as out:
        process = subprocess.Popen(
            [*command, "--poll", "0.3"],
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:

            def said() -> str:
                return (tmp_path / "out").read_text()

            def ranked(times: int) -> Callable[[], bool]:
                return lambda: [j.status for j in runs(config)] == ["done"] * times

            until(ranked(1))
            assert server.listing(project) == order
            for task in order[:2]:
                assert server.next_task(project) == task
                server.annotate(task)
            until(ranked(2))
            assert server.priorities(project)[order[2]] == "0.7500"  # as it was

            assert server.process is not None
            server.process.kill()
            until(lambda: "waiting: trying again" in said())
            server.process.start()
            for task in order[2:4]:
                server.annotate(task)
            until(ranked(3))
            assert server.priorities(project)[order[4]] == "0.5000"

            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            assert "Stopped after 3 runs." in said()
            assert server.token not in said()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
