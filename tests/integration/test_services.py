"""The docs' unit for systemd and the compose file: their commands run as written, and end whole."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from labelnext.runs.undo import runs
from tests.integration.choices import CHOICES, sure_to_unsure
from tests.waiting import until

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio

pytest_plugins = ("tests.integration.label_studio_server",)

ROOT = Path(__file__).parents[2]


def of_systemd() -> tuple[list[str], str]:
    """The words of ExecStart, and the variable of the environment file."""
    page = (ROOT / "docs" / "label-studio.md").read_text("utf-8")
    (unit,) = re.findall(r"```ini\n(.*?)```", page, re.DOTALL)
    (command,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    (variable,) = re.findall(r"labelnext.env` holds the line `(\w+)=", page)
    return shlex.split(command), variable


def of_compose() -> tuple[list[str], str]:
    """The entry point of the image with the service's command, and its variable."""
    service = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text("utf-8"))["services"]
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text("utf-8")
    (entry,) = re.findall(r"^ENTRYPOINT (.*)$", dockerfile, re.MULTILINE)
    (variable,) = service["labelnext"]["environment"]
    return [*yaml.safe_load(entry), *service["labelnext"]["command"]], variable


@pytest.mark.parametrize("service", [of_systemd, of_compose])
def test_the_command_of_a_service_ranks_and_sigterm_ends_all_of_it(
    label_studio: LabelStudio,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    service: Callable[[], tuple[list[str], str]],
) -> None:
    (program, *words), variable = service()
    monkeypatch.setenv(variable, label_studio.token)  # as runs() reads the configuration, too
    assert Path(program).name == "labelnext"
    project = label_studio.create_project(CHOICES, sure_to_unsure(4))
    config = tmp_path / "labelnext.yaml"
    config.write_text(
        f"source: {{adapter: label-studio, url: '{label_studio.url}', project: {project}, "
        f"api_key: '${{{variable}}}'}}\n"
    )
    # As both start it: from the folder of its configuration, with no terminal and little around it.
    around = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), variable: label_studio.token}
    with (tmp_path / "out").open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "labelnext", *words],
            cwd=tmp_path,
            env=around,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until(lambda: [j.status for j in runs(config)] == ["done"] or process.poll() is not None)
        assert label_studio.listing(project) == label_studio.task_ids(project)[::-1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        with pytest.raises(ProcessLookupError):  # nothing of its group is left
            os.killpg(process.pid, 0)
        said = (tmp_path / "out").read_text()
        assert "Stopped after 1 run" in said
        assert label_studio.token not in said
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
