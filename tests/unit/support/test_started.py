"""Commands and install lines are printed as they work where they are read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from labelnext.config.template import config_template
from labelnext.support import started
from labelnext.support.started import (
    CONFIG,
    by_name,
    from_here,
    how,
    how_to_install,
    installed_here,
    working_on,
)

SCRIPTS = Path(sys.executable).parent
PLAIN = {name: value for name, value in os.environ.items() if name != "PATH"}


def plain_shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a person's shell does, whose PATH has no environment."""
    environment = {**PLAIN, "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    return subprocess.run(
        command, shell=True, cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.fixture
def in_a_plain_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What pip noted of where our package came from; empty: from an index."""
    noted: dict[str, object] = {}

    class Noted:
        def read_text(self, name: str) -> str:
            assert name == "direct_url.json"
            return json.dumps(noted)

    monkeypatch.setattr(started, "distribution", lambda name: Noted())
    monkeypatch.setattr(started, "_pip_install", lambda: ["pip", "install"])
    return noted


def test_labelnext_on_the_path_is_called_by_its_name() -> None:
    assert how("check", "labelnext.yaml") == "labelnext check labelnext.yaml"


def test_paths_are_quoted_for_the_shell() -> None:
    assert how("undo", Path("my data/a$b.yaml")) == "labelnext undo 'my data/a$b.yaml'"


def test_paths_that_begin_with_a_dash_are_no_options() -> None:
    assert how("undo", Path("-x/a.yaml"), "--yes") == "labelnext undo ./-x/a.yaml --yes"
    with working_on("-a b.yaml"):
        assert how("undo", CONFIG) == "labelnext undo './-a b.yaml'"


@pytest.mark.usefixtures("in_a_plain_shell")
def test_labelnext_inside_the_current_folder_is_called_by_its_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(SCRIPTS.parent.parent)
    inside = SCRIPTS.relative_to(SCRIPTS.parent.parent)
    assert how("runs", "a.yaml") == f"{inside}/labelnext runs a.yaml"


def test_paths_stay_whole_at_the_top_of_all_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert from_here("/data/ranking.csv") == "/data/ranking.csv"


def test_another_labelnext_on_the_path_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "labelnext"
    other.write_text("#!/bin/sh\nexit 9\n", "utf-8")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    assert how("--version") == f"{SCRIPTS / 'labelnext'} --version"


def test_a_link_to_this_labelnext_on_the_path_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "labelnext").symlink_to(SCRIPTS / "labelnext")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert how("--version") == "labelnext --version"


@pytest.mark.usefixtures("in_a_plain_shell")
def test_without_a_script_it_is_a_module_of_this_python(monkeypatch: pytest.MonkeyPatch) -> None:
    found = started.shutil.which
    monkeypatch.setattr(
        started.shutil, "which", lambda name, **k: None if name == "labelnext" else found(name, **k)
    )
    assert how("--version").endswith("python -m labelnext --version")
    assert plain_shell(how("--version"), Path()).returncode == 0


@pytest.mark.usefixtures("in_a_plain_shell")
def test_files_that_others_read_call_labelnext_by_its_name() -> None:
    assert by_name("run", Path("-a.yaml")) == "labelnext run ./-a.yaml"
    assert str(SCRIPTS) not in config_template("files")


@pytest.mark.usefixtures("in_a_plain_shell")
def test_what_is_printed_runs_in_a_plain_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = plain_shell(how("--version"), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_configuration_at_work_is_named() -> None:
    assert how("undo", CONFIG) == "labelnext undo CONFIG"
    with working_on("a b.yaml"):
        assert how("undo", CONFIG) == "labelnext undo 'a b.yaml'"
        with working_on(None):
            assert how("undo", CONFIG) == "labelnext undo 'a b.yaml'"
    assert how("undo", CONFIG) == "labelnext undo CONFIG"


def test_by_name_when_it_was_installed_by_name(origin: dict[str, object]) -> None:
    assert how_to_install("labelnext[ray]") == "pip install 'labelnext[ray]'"
    assert how_to_install("labelnext") == "pip install labelnext"


def test_from_the_clone_when_it_was_installed_from_one(
    origin: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = tmp_path / "a clone"
    clone.mkdir()
    origin.update(url=clone.as_uri(), dir_info={"editable": True})
    monkeypatch.chdir(clone)
    assert how_to_install("labelnext[ray]") == "pip install -e '.[ray]'"
    monkeypatch.chdir(tmp_path)
    assert how_to_install("labelnext[ray]") == "pip install -e './a clone[ray]'"
    monkeypatch.chdir("/")
    origin.update(dir_info={})
    assert how_to_install("labelnext[ray]") == f"pip install './{str(clone)[1:]}[ray]'"
    clone.rmdir()
    assert how_to_install("labelnext[ray]") == "pip install 'labelnext[ray]'"


def test_from_version_control_when_it_was_installed_from_there(origin: dict[str, object]) -> None:
    origin.update(url="https://example.com/labelnext", vcs_info={"vcs": "git"})
    line = "pip install 'labelnext[ray] @ git+https://example.com/labelnext'"
    assert how_to_install("labelnext[ray]") == line


def test_other_packages_and_options_of_pip_stay(origin: dict[str, object]) -> None:
    assert how_to_install("--no-deps", "mongod==1.0") == "pip install --no-deps mongod==1.0"
    assert installed_here("pip install labelnext-parrot") == "pip install labelnext-parrot"
    assert installed_here("conda install parrot") == "conda install parrot"


def test_install_lines_are_of_this_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    line = how_to_install("x")
    assert line.startswith(str(started._python())), line
    answer = plain_shell(line.replace("install x", "--version"), Path())
    assert str(SCRIPTS.parent) in answer.stdout


def test_this_installation_says_where_it_came_from() -> None:
    noted = json.loads(distribution("labelnext").read_text("direct_url.json") or "{}")
    folder = started.source_folder()
    assert (folder is None) == (not noted.get("url", "").startswith("file:"))
    if folder is not None:
        assert (folder / "pyproject.toml").is_file()


def test_module_runs_as_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "labelnext", "--version"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stdout.strip()
