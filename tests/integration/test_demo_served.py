"""Whatever the demo of Label Studio prints while it serves is true, and works in a plain shell."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.printed import ENVIRONMENT, LABELNEXT, next_steps, shell, words
from tests.ports import free_port
from tests.waiting import ended, until

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The demo of Label Studio while it serves, and what it printed."""
    default = REPOSITORY / ".venv-label-studio" / "bin" / "label-studio"
    script = os.environ.get("LABELNEXT_LABEL_STUDIO") or str(default)
    folder = tmp_path_factory.mktemp("served")
    port = free_port()
    log = folder / "printed.txt"
    with log.open("w") as out:
        process = subprocess.Popen(
            [LABELNEXT, "demo", "label-studio", "--port", str(port)],
            cwd=folder,
            env={**ENVIRONMENT, "LABEL_STUDIO": script, "PYTHONUNBUFFERED": "1"},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: "starts it again" in log.read_text("utf-8") or process.poll() is not None)
        text = log.read_text("utf-8")
        assert process.poll() is None, text
        yield folder, text
    finally:
        process.send_signal(signal.SIGTERM)
        ended(process)
    assert "Stopped." in log.read_text("utf-8")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_label_studio_demo_says_where_and_how_to_log_in(served: tuple[Path, str]) -> None:
    import httpx

    _, text = served
    (page,) = re.findall(r"Open (http://\S+)\.", text)
    email, password = re.findall(r"Log in as (\S+) with the password (\S+)", text)[0]
    base = page.partition("/projects")[0]
    with httpx.Client(base_url=base, trust_env=False, follow_redirects=True) as browser:
        form = browser.get("/user/login/").text
        (token,) = set(re.findall('name="csrfmiddlewaretoken" value="([^"]+)"', form))
        fields = {"csrfmiddlewaretoken": token, "email": email, "password": password}
        browser.post("/user/login/", data=fields)
        tab = page.partition("tab=")[2]
        tasks = browser.get("/api/tasks", params={"view": tab, "page_size": 5}).json()["tasks"]
    assert [task["data"]["name"] for task in tasks] == re.findall(r"digit-\d+\.png", text)[:5]


def test_label_studio_demo_next_steps_work(served: tuple[Path, str]) -> None:
    folder, text = served
    steps = next_steps(text)
    assert words(steps) == ["check", "explain", "status", "undo"]
    for command in steps:
        answer = shell(command, folder)
        assert (answer.returncode, answer.stderr) == (0, ""), (command, answer)


def test_label_studio_demo_says_the_command_that_installs_the_server(tmp_path: Path) -> None:
    code = (
        "import labelnext_adapters.label_studio.demo as demo; from pathlib import Path; "
        "demo.source_folder = lambda: None; demo.run_demo(Path('x'))"
    )
    python = Path(LABELNEXT).with_name("python")
    done = shell(f'{python} -c "{code}"', tmp_path)
    assert "MissingExtra" in done.stderr
    (line,) = re.findall(r"Hint: (.* install label-studio) installs", done.stderr)
    venv, _, pip = line.partition(" && ")
    assert venv.endswith("-m venv .venv-label-studio")
    assert pip == ".venv-label-studio/bin/pip install label-studio"
    assert not (tmp_path / "x").exists()
