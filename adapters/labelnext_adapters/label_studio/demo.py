"""The demo for Label Studio: a server of its own, with predictions, a few labels and the tab."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from pydantic import SecretStr
from rich.console import Console

from labelnext.errors import MissingExtra, Unavailable
from labelnext.support.started import how_python, source_folder
from labelnext_adapters.demo.digits import Digits, digits, write_images
from labelnext_adapters.demo.shown import (
    again,
    ended_by_sigterm,
    own_folder,
    show_next,
    show_ranking,
)
from labelnext_adapters.label_studio.server.client import Client

_PORT = 8080
_TITLE = "labelnext demo"
_EMAIL = "demo@example.com"
_TASKS = 600
_START_SECONDS = 300  # a first start makes the database, which takes a minute on a busy machine
_SETUP = """<View>
  <Image name="image" value="$image" width="256px"/>
  <Choices name="digit" toName="image" choice="single" showInLine="true">
    {choices}
  </Choices>
</View>"""
CONFIG = """\
# The demo for Label Studio. Change it, and run the demo again.

source:
  adapter: label-studio
  url: {url}
  api_key: {token}  # of this throwaway server; keep your own out of files
  project: {project}
  key: name                  # items go by their file names

acquisition:
  name: margin

selection:
  budget: 100

report:
  path: labelnext-report.html
"""


def run_demo(folder: Path, *, port: int | None = None) -> None:
    """Do the demo, and keep the server until Ctrl-C.

    Args:
        folder: holds the server's data, the images, the configuration and the report.
        port: of the server; that of the configuration, or a free one from 8080 on when None.

    Raises:
        MissingExtra: if Label Studio is not installed.
        Unavailable: if it does not start.
    """
    import labelnext

    console = Console(emoji=False)
    script = _script()
    console.print(
        f"Starts a Label Studio of its own and ranks {_TASKS} handwritten digits there: about one "
        f"minute the first time, then 20 s, and 10 MB in {folder}.",
        soft_wrap=True,
    )
    own_folder(folder)
    login = _login(folder)
    number = port or _free_port(int(login.get("port", _PORT)))
    (folder / "login.json").write_text(json.dumps({**login, "port": number}), "utf-8")
    with ended_by_sigterm(), _running(script, folder, login, number, console) as url:
        config = _config(folder, url, login["token"], console)
        with console.status("Ranking the tasks that are not labelled ..."):
            report = labelnext.run(config)
        show_ranking(report, console)
        for line in report.next_steps:
            console.print(line, soft_wrap=True, markup=False)
        console.print(f"Log in as {_EMAIL} with the password {login['password']}", soft_wrap=True)
        show_next(config, report, console)
        console.print("The commands need the server: give them in another terminal.")
        console.print(
            f"Ctrl-C stops it; {again('label-studio', folder)} starts it again.",
            soft_wrap=True,
            markup=False,
        )
        page = next((w for line in report.next_steps for w in line.split() if url in w), url)
        if _has_screen():
            webbrowser.open(page.rstrip("."))
        with suppress(KeyboardInterrupt):
            signal.pause() if hasattr(signal, "pause") else time.sleep(10**8)
    console.print("Stopped.")


def _script() -> Path:
    """Label Studio's console script: of $LABEL_STUDIO, on the PATH, or beside this Python."""
    environment = _environment_folder()
    places = [os.environ.get("LABEL_STUDIO"), "label-studio"]
    bin_ = "Scripts" if os.name == "nt" else "bin"
    places += [
        str(Path(sys.executable).parent / "label-studio"),
        str(environment / bin_ / "label-studio"),
    ]
    for folder in filter(None, places):
        script = shutil.which(folder)
        if script:
            return Path(script).absolute()  # the server starts in a folder of its own
    venv = how_python("-m", "venv", str(environment))
    pip = shlex.join([str(environment / bin_ / "pip"), "install", "label-studio"])
    raise MissingExtra(
        "the demo needs Label Studio, which isn't installed.",
        hint=f"{venv} && {pip} installs it in an environment of its own (1 GB), where the demo "
        "finds it; or set LABEL_STUDIO to its console script.",
    )


def _environment_folder() -> Path:
    """Where the demo looks for an environment of Label Studio: a clone's own."""
    name = Path(".venv-label-studio")
    clone = source_folder()
    return name if clone is None or name.is_dir() or Path.cwd() == clone else clone / name


def _login(folder: Path) -> dict[str, Any]:
    """The token and password of the folder's server, made at its first start."""
    path = folder / "login.json"
    with suppress(OSError, ValueError):
        return dict(json.loads(path.read_text("utf-8")))
    made: dict[str, Any] = {"token": secrets.token_hex(20), "password": secrets.token_hex(5)}
    path.touch(mode=0o600)
    path.write_text(json.dumps(made), "utf-8")
    return made


def _free_port(first: int) -> int:
    free = (port for port in (first, *range(_PORT, _PORT + 50)) if not _is_taken(port))
    if (free_port := next(free, None)) is not None:
        return int(free_port)
    raise Unavailable(
        f"no port from {_PORT} to {_PORT + 49} is free.", hint="name one with --port."
    )


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _running(
    script: Path, folder: Path, login: dict[str, Any], port: int, console: Console
) -> Iterator[str]:
    """A server on the loopback interface, stopped at the end; yields its address."""
    data, log = (folder / "server").resolve(), folder / "server.log"
    data.mkdir(exist_ok=True)
    url = f"http://127.0.0.1:{port}"
    if _is_taken(port):
        raise Unavailable(f"port {port} is already in use.", hint="choose another with --port.")
    command = [str(script), "start", "--no-browser", "--internal-host", "127.0.0.1"]
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=_environment(data, login),
            cwd=data,
            start_new_session=True,  # Ctrl-C is for us
        )
    try:
        with console.status("Starting Label Studio ...") as status:
            _wait(process, url, log, status)
        yield url
    finally:
        _stop(process)


def _environment(data: Path, login: dict[str, Any]) -> dict[str, str]:
    """Nothing of the user's own Label Studio, and nothing outside the demo's folder."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LABEL_STUDIO", "DJANGO"))}
    return {
        **kept,
        "XDG_CONFIG_HOME": str(data / "config"),
        "XDG_DATA_HOME": str(data / "share"),
        "LABEL_STUDIO_BASE_DATA_DIR": str(data),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_USERNAME": _EMAIL,
        "LABEL_STUDIO_PASSWORD": login["password"],
        "LABEL_STUDIO_USER_TOKEN": login["token"],
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }


def _wait(process: subprocess.Popen[bytes], url: str, log: Path, status: Any) -> None:
    started = time.monotonic()
    # One client: each reads the machine's certificates, which takes longer than the question.
    with httpx.Client(timeout=5, trust_env=False) as client:
        while (seconds := time.monotonic() - started) < _START_SECONDS:
            if process.poll() is not None:
                raise Unavailable(
                    f"Label Studio didn't start; it ended with {process.returncode}.",
                    hint=f"its log is {log}.",
                )
            with suppress(httpx.TransportError):
                if client.get(f"{url}/health").status_code == 200:
                    return
            status.update(f"Starting Label Studio: {seconds:.0f} s ...")
            time.sleep(0.3)
    raise Unavailable(
        f"Label Studio didn't answer in {_START_SECONDS} s.", hint=f"its log is {log}."
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    stop = process.terminate if os.name == "nt" else lambda: os.killpg(process.pid, signal.SIGTERM)
    stop()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _config(folder: Path, url: str, token: str, console: Console) -> Path:
    """The configuration of the project, which is made where it is missing."""
    path = folder / "labelnext.yaml"
    client = Client(url, SecretStr(token))
    try:
        projects = client.get_json("api/projects", title=_TITLE)["results"]
        project = projects[0]["id"] if projects else _make(client, folder, console)
    finally:
        client.close()
    if path.exists():  # the user may have changed it: only the address follows the server
        lines = path.read_text("utf-8").splitlines(keepends=True)
        lines = [f"  url: {url}\n" if li.startswith("  url: http://127") else li for li in lines]
        text = "".join(lines)
    else:
        text = CONFIG.format(url=url, token=token, project=project)
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")
    return path


def _make(client: Client, folder: Path, console: Console) -> int:
    with console.status("Training a classifier on 150 of the digits ..."):
        images = digits()
    choices = "\n    ".join(f'<Choice value="{name}"/>' for name in images.classes)
    body = {"title": _TITLE, "label_config": _SETUP.format(choices=choices)}
    project = int(client.send("POST", "api/projects", body, retry=False)["id"])
    with console.status(f"Importing {_TASKS} tasks ..."):
        tasks = _tasks(images, write_images(folder / "images", images))
        client.send("POST", f"api/projects/{project}/import", tasks, retry=False)
    n_labelled = sum("annotations" in task for task in tasks)
    console.print(
        f"Made the project {_TITLE}: {_TASKS} digits, {n_labelled} labelled, the rest predicted "
        f"by a logistic regression ({images.accuracy:.1%} right).",
        soft_wrap=True,
    )
    return project


def _tasks(images: Digits, paths: list[Path]) -> list[dict[str, Any]]:
    """A task for each digit: its picture in the data itself, a label or a prediction."""
    probabilities = np.exp(images.logits.astype(np.float64))
    tasks = []
    for i, path in enumerate(paths[:_TASKS]):
        picture = base64.b64encode(path.read_bytes()).decode()
        row = probabilities[i]
        known = bool(images.labelled[i])
        chosen = images.truth[i] if known else images.classes[int(row.argmax())]
        value: dict[str, Any] = {"choices": [chosen]}
        if not known:
            value["probs"] = dict(zip(images.classes, row.round(6).tolist(), strict=True))
        region = {"from_name": "digit", "to_name": "image", "type": "choices", "value": value}
        answer: dict[str, Any] = {"result": [region]}
        if not known:
            answer |= {"score": float(row.max()), "model_version": "logistic-regression"}
        tasks.append(
            {
                "data": {"image": f"data:image/png;base64,{picture}", "name": path.name},
                "annotations" if known else "predictions": [answer],
            }
        )
    return tasks


def _has_screen() -> bool:
    return sys.platform != "linux" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
