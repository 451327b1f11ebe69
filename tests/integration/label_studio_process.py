"""The process of a real Label Studio server: its environment, its folder, its start and its end."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.ports import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
EMAIL, PASSWORD = "test@example.com", "passw0rd123"
TOKEN = "abcdef0123456789abcdef0123456789abcdef02"
START_SECONDS = 240  # a first start migrates the database, which takes a minute on a busy machine


def _script() -> Path:
    default = REPOSITORY / ".venv-label-studio" / "bin" / "label-studio"
    script = Path(os.environ.get("LABELNEXT_LABEL_STUDIO") or default)
    if not script.exists():
        pytest.fail(
            f"the Label Studio server must be installed at {script}: run make test, which installs "
            "it, or set LABELNEXT_LABEL_STUDIO to its console script.",
            pytrace=False,
        )
    return script


def _version(script: Path) -> str:
    code = "from importlib.metadata import version; print(version('label-studio'))"
    done = subprocess.run(
        [script.parent / "python", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _environment(data: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR", "TZ")}
    return {
        **kept,
        "LABEL_STUDIO_BASE_DATA_DIR": str(data),
        "XDG_CONFIG_HOME": str(data / "config"),  # else it writes into the home folder
        "XDG_DATA_HOME": str(data / "share"),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_USERNAME": EMAIL,
        "LABEL_STUDIO_PASSWORD": PASSWORD,
        "LABEL_STUDIO_USER_TOKEN": TOKEN,
        "SSRF_PROTECTION_ENABLED": "false",
        "ML_BLOCK_LOCAL_IP": "false",
        "LOCAL_FILES_SERVING_ENABLED": "true",
        "LOCAL_FILES_DOCUMENT_ROOT": "/",
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }


class Process:
    """A server that can be ended, killed and started again at the same address.

    Args:
        data: its folder.
        log: where its output goes.
        environment: more variables, such as those of a database.
    """

    def __init__(self, data: Path, log: Path, environment: Mapping[str, str] | None = None) -> None:
        self._data, self._log = data, log
        self._environment = {**_environment(data), **(environment or {})}
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None
        data.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        host = ["--internal-host", "127.0.0.1"]
        command = [str(_script()), "start", "--no-browser", "--port", str(self._port), *host]
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                command,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=self._environment,
                cwd=self._data,
                start_new_session=True,
            )
        try:
            _wait(self._process, self.url, self._log)
        except BaseException:
            self.stop()
            raise

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it by its process group."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            self._end(sign)

    def _end(self, sign: signal.Signals) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        os.killpg(self._process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(20)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    # One client: each reads the machine's certificates, which takes longer than the question.
    with httpx.Client(timeout=5, trust_env=False) as client:
        while time.monotonic() < end:
            if process.poll() is not None:
                pytest.fail(f"Label Studio ended with {process.returncode}:\n{tail(log)}")
            with suppress(httpx.TransportError):
                if client.get(f"{url}/health").status_code == 200:
                    return
            time.sleep(0.2)
    pytest.fail(f"Label Studio did not answer in {START_SECONDS} s:\n{tail(log)}")


def tail(log: Path, most: int = 4000) -> str:
    return log.read_text("utf-8", "replace")[-most:] if log.exists() else ""


def template(log: Path) -> Path:
    """A migrated data folder: later starts take seconds instead of a minute.

    Made once; of test runs that need it at the same time, the others wait for the first.
    """
    made = REPOSITORY / ".cache" / f"label-studio-template-{_version(_script())}"
    made.parent.mkdir(exist_ok=True)
    with made.with_name(f"{made.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            partial = made.with_name(f"{made.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            process = Process(partial, log)
            process.start()
            process.stop()
            partial.rename(made)
    return made
