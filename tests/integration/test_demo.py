"""`labelnext demo` does the main job, as often as one likes, in a folder of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.waiting import answered, ended

CALL = "from pathlib import Path; from labelnext_adapters.fiftyone.app.demo import run_demo; "


def demo(folder: Path, arguments: str = "") -> subprocess.CompletedProcess[str]:
    code = f"{CALL}run_demo(Path('here'){arguments})"
    environment = {**os.environ, "COLUMNS": "200", "FIFTYONE_DATABASE_URI": "mongodb://127.0.0.1:1"}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def next_ten(text: str) -> list[str]:
    return re.findall(r"digit-\d{4}\.png", text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def first(folder: Path) -> subprocess.CompletedProcess[str]:
    return demo(folder)


def test_demo_prints_the_next_ten_and_what_to_do(
    first: subprocess.CompletedProcess[str], folder: Path
) -> None:
    assert first.returncode == 0, first.stderr
    assert "1,797 digits, 150 labelled" in first.stdout
    assert len(set(next_ten(first.stdout))) == 10
    assert "labelnext demo fiftyone --app --folder here" in first.stdout
    page = (folder / "here" / "labelnext-report.html").read_text("utf-8")
    assert next_ten(first.stdout)[0] in page


def test_demo_leaves_no_database_running(
    first: subprocess.CompletedProcess[str], folder: Path
) -> None:
    import psutil

    running = [p.info["cmdline"] or [] for p in psutil.process_iter(["cmdline"])]
    assert not [command for command in running if str(folder) in " ".join(command)]


def test_demo_keeps_its_dataset_and_says_the_same_again(
    first: subprocess.CompletedProcess[str], folder: Path
) -> None:
    again = demo(folder)
    assert again.returncode == 0, again.stderr
    assert "is there already" in again.stdout
    assert next_ten(again.stdout) == next_ten(first.stdout)


def test_demo_keeps_a_changed_configuration(
    first: subprocess.CompletedProcess[str], folder: Path
) -> None:
    config = folder / "here" / "labelnext.yaml"
    text = config.read_text("utf-8")
    config.write_text(text.replace("name: margin ", "name: entropy"), "utf-8")
    changed = demo(folder)
    config.write_text(text, "utf-8")
    assert changed.returncode == 0, changed.stderr
    assert next_ten(changed.stdout) != next_ten(first.stdout)


def test_demo_refuses_a_port_where_another_app_may_listen(
    first: subprocess.CompletedProcess[str], folder: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = demo(folder, f", app=True, port={taken.getsockname()[1]}")
    assert "the App needs a free port" in refused.stderr


def test_demo_opens_the_app_and_stops_everything_at_the_end(
    first: subprocess.CompletedProcess[str], folder: Path
) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", f"{CALL}run_demo(Path('here'), app=True, port={port})"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert "version" in answered(f"http://127.0.0.1:{port}/fiftyone", process)
    finally:
        process.send_signal(signal.SIGTERM)
        ended(process)
    test_demo_leaves_no_database_running(first, folder)
