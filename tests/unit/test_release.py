"""What is published: the long description, the metadata, the container files and the workflow."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text("utf-8")


def test_links_of_the_long_description_lead_into_the_repository(build_hooks: ModuleType) -> None:
    text = "![A map](docs/a.png)\n\nSee [files](docs/files.md#csv), [x](https://x.org), [y](#y).\n"
    assert build_hooks.long_description(text, "https://r.org/r") == (
        "See [files](https://r.org/r/blob/main/docs/files.md#csv), [x](https://x.org), [y](#y).\n"
    )


def test_nothing_in_the_long_description_is_relative(build_hooks: ModuleType) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    text = build_hooks.long_description(readme, PROJECT["project"]["urls"]["Repository"])
    assert re.findall(r"\]\((?!https?://|#)[^)]*\)", text) == []
    assert "![" not in text
    assert text.startswith("# labelnext")


def test_versions_of_python_are_those_that_are_tested() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text("utf-8"))
    tested = workflow["jobs"]["versions"]["strategy"]["matrix"]["python"]
    named = re.findall(r"Python :: (3\.\d+)", " ".join(PROJECT["project"]["classifiers"]))
    assert named == tested
    assert PROJECT["project"]["requires-python"] == f">={named[0]}"


def test_the_workflow_does_what_our_own_run_does() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text("utf-8"))
    steps = [step.get("run") for step in workflow["jobs"]["everything"]["steps"]]
    assert steps[-1] == "bash .ci/run"
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")
    runs = [step["run"] for j in workflow["jobs"].values() for step in j["steps"] if "run" in step]
    targets = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"))
    assert [run for run in runs if run.startswith("make ") and run[5:] not in targets] == []


def test_the_dockerfile_keeps_the_usual_rules() -> None:
    lines = [line for line in DOCKERFILE.replace("\\\n", " ").splitlines() if line[:1].isupper()]
    bases = [line.split()[1] for line in lines if line.startswith("FROM")]
    assert all(re.search(r":[\w.-]+$", base) and not base.endswith("latest") for base in bases)
    installs = [line for line in lines if "pip install" in line]
    assert all("--no-cache-dir" in line for line in installs)
    last = lines[max(i for i, line in enumerate(lines) if line.startswith("FROM")) :]
    users = [line.split()[1] for line in last if line.startswith("USER")]
    assert users
    assert users[-1] != "root"
    shells = [line for line in last if line.startswith(("CMD", "ENTRYPOINT"))]
    assert all(line.split(" ", 1)[1].startswith("[") for line in shells)
    copied = [word for line in lines if line.startswith("COPY ") and "--from" not in line
              for word in line.split()[1:-1]]  # fmt: skip
    assert {"hatch_build.py", "pyproject.toml"} <= set(copied)
    assert [word for word in copied if not (ROOT / word).exists()] == []
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert not set(copied) & set(ignored)


def _service() -> str:
    """The unit for systemd that the docs show."""
    page = (ROOT / "docs" / "label-studio.md").read_text("utf-8")
    (unit,) = re.findall(r"```ini\n(.*?)```", page, re.DOTALL)
    return str(unit)


def _exec_start() -> list[str]:
    (line,) = [line for line in _service().splitlines() if line.startswith("ExecStart=")]
    return shlex.split(line.removeprefix("ExecStart="))


def test_systemd_finds_no_fault_in_the_unit_of_the_docs(tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd's own check is on Linux with systemd alone")
    program, *_ = _exec_start()
    unit = tmp_path / "labelnext.service"

    def said(text: str) -> str:
        unit.write_text(text.replace(program, sys.executable))
        command = [verify, "verify", "--man=no", str(unit)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        lines = (done.stdout + done.stderr).splitlines()
        return "\n".join(line for line in lines if unit.name in line)  # other units aren't ours

    assert said(_service()) == ""
    assert "RestrtSec" in said(_service().replace("RestartSec", "RestrtSec"))


@pytest.mark.parametrize("of", ["systemd", "compose"])
def test_commands_of_services_are_commands_of_labelnext(of: str) -> None:
    if of == "systemd":
        program, *words = _exec_start()
        assert Path(program).name == "labelnext"
    else:
        compose = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text("utf-8"))
        words = compose["services"]["labelnext"]["command"]
    assert words[0] == "watch"
    # An option that isn't known is refused before the help is shown.
    command = [sys.executable, "-m", "labelnext", *words, "--help"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_a_compose_stack_has_nothing_that_it_does_not_define() -> None:
    stack = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text("utf-8"))
    services, volumes = stack["services"], set(stack["volumes"])
    known = {"image", "build", "command", "environment", "volumes", "ports", "depends_on"}
    for service in services.values():
        assert set(service) <= known | {"restart", "stop_grace_period"}
        assert set(service.get("depends_on", [])) <= set(services)
        mounted = {entry.split(":")[0] for entry in service.get("volumes", [])}
        assert {name for name in mounted if not name.startswith((".", "/"))} <= volumes
    assert (ROOT / "docker" / services["labelnext"]["build"]["context"]).resolve() == ROOT


def test_a_stack_starts_before_there_is_a_token_and_waits_for_a_ranking_to_end() -> None:
    stack = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text("utf-8"))
    labelnext = stack["services"]["labelnext"]
    # Whatever a single service needs, docker compose asks for all variables of the file.
    assert labelnext["environment"] == {"LABEL_STUDIO_API_KEY": "${LABEL_STUDIO_API_KEY:-}"}
    unit = (ROOT / "docs" / "label-studio.md").read_text("utf-8")
    assert "TimeoutStopSec=600\n" in unit
    assert labelnext["stop_grace_period"] == "10m"


def test_the_compose_file_pins_its_images_and_holds_no_secret() -> None:
    services = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text("utf-8"))["services"]
    images = [service["image"] for service in services.values() if "image" in service]
    assert all(re.search(r":\d[\w.-]+$", image) for image in images)
    assert services["labelnext"]["build"]["dockerfile"] == "docker/Dockerfile"
    assert services["labelnext"]["environment"]["LABEL_STUDIO_API_KEY"].startswith("${")
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_without_a_compiler_the_loops_are_left_to_numpy(
    build_hooks: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loops.so").write_bytes(b"of an earlier build")
    monkeypatch.setenv("CC", str(tmp_path / "no-compiler"))
    assert not build_hooks.compile_loops(tmp_path)
    assert not (tmp_path / "loops.so").exists()


def test_a_wheel_with_loops_is_for_one_platform(
    build_hooks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook, said = build_hooks.CompiledLoops(), []
    hook.root, hook.app = str(ROOT), SimpleNamespace(display_warning=said.append)
    data: dict[str, object] = {"artifacts": []}
    monkeypatch.setattr(build_hooks, "compile_loops", lambda folder: False)
    hook.initialize("standard", data)
    assert data == {"artifacts": []}
    assert said == ["labelnext's loops were not compiled: numpy will run them."]
    monkeypatch.setattr(build_hooks, "compile_loops", lambda folder: (folder / "loops.c").exists())
    hook.initialize("standard", data)
    assert str(data["tag"]).startswith("py3-none-")
    assert data["artifacts"] == ["plugin/labelnext/support/loops/loops.so"]


def _made(folder: Path, starts: bool) -> list[str]:
    """How `make` asks for an environment in a folder that has one whose Python starts, or not."""
    binaries = folder / ".venv" / "bin"
    binaries.mkdir(parents=True)
    asked = folder / "asked"
    scripts = {binaries / "python": f"exit {0 if starts else 1}", folder / "python3": "exit 0"}
    for script, end in scripts.items():
        script.write_text(f'#!/bin/sh\necho "{script.name} $*" >> "{asked}"\n{end}\n')
        script.chmod(0o755)
    options = [f"PYTHON={folder / 'python3'}", "PIP=true"]
    command = ["make", "-f", str(ROOT / "Makefile"), ".venv/.python", *options]
    subprocess.run(command, cwd=folder, check=starts, capture_output=True)
    return [line for line in asked.read_text().splitlines() if "venv" in line]


def test_make_keeps_an_environment_that_starts_and_makes_a_broken_one_anew(tmp_path: Path) -> None:
    assert _made(tmp_path / "works", starts=True) == []
    assert _made(tmp_path / "broken", starts=False) == ["python3 -m venv --clear .venv"]
