"""Whatever a demo prints works in a plain shell afterwards."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.integration.printed import LABELNEXT, next_steps, shell, words


@pytest.fixture(scope="module", params=["files", "fiftyone"])
def demo(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("a folder")
    return folder, shell(f"{LABELNEXT} demo {request.param}", folder)


def test_demo_says_how_long_and_how_large_then_what_to_do(
    demo: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    _, done = demo
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"about .* s(econds)?, and \d+ MB in \.demo", done.stdout.splitlines()[0])
    steps = words(next_steps(done.stdout))
    assert [w for w in steps if w != "demo"] == ["check", "explain", "status", "replay", "undo"]


def test_every_next_step_works_in_a_plain_shell(
    demo: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, done = demo
    for command in next_steps(done.stdout):
        if "--app" in command:
            continue  # serves until it is stopped; tested beside the App
        answer = shell(command, folder)
        assert (answer.returncode, answer.stderr) == (0, ""), (command, answer)
    again = shell(f"{LABELNEXT} run .demo*/labelnext.yaml", folder)
    (undo,) = re.findall("To undo it: (.*)", again.stdout)
    assert shell(undo, folder).returncode == 0
    refused = shell(undo, folder)
    assert refused.returncode == 1  # nothing is left to undo, in one line
    assert refused.stderr.count("\n") == 1


def test_no_database_of_the_demo_stays_behind(
    demo: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    import psutil

    folder, _ = demo
    running = [" ".join(p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"])]
    assert not [line for line in running if str(folder) in line]
