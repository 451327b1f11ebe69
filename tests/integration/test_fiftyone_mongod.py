"""A mongod of our own: started, shared, cleaned up after a crash, and never somebody else's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from pymongo import MongoClient

from labelnext.errors import NotFound, Unavailable, WriteRefused
from labelnext_adapters.fiftyone.database import mongod
from labelnext_adapters.fiftyone.database.mongod import find_mongod, mongod_version, running_mongod

pytest_plugins = ("tests.integration.mongod",)

START = """
import sys, time
from pathlib import Path
from labelnext_adapters.fiftyone.database.mongod import running_mongod
with running_mongod(Path(sys.argv[1])) as uri:
    print(uri, flush=True)
    time.sleep(600)
"""


def ping(uri: str) -> bool:
    with MongoClient(uri, serverSelectionTimeoutMS=3000) as client:
        return bool(client.admin.command("ping")["ok"])


def servers(folder: Path) -> list[int]:
    """Process ids of the databases in that folder."""
    processes = psutil.process_iter(["name", "cmdline"])
    return [
        p.pid
        for p in processes
        if p.info["name"] == "mongod" and str(folder) in " ".join(p.info["cmdline"] or [])
    ]


def other_process(folder: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", START, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        return process, process.stdout.readline().strip()


def test_mongod_runs_here() -> None:
    path = find_mongod()
    assert path is not None
    assert mongod_version(path)[0].isdigit()


def test_mongod_answers_and_is_stopped_at_the_end(tmp_path: Path) -> None:
    with running_mongod(tmp_path) as uri:
        assert ping(uri)
        assert len(servers(tmp_path)) == 1
    assert servers(tmp_path) == []


def test_mongod_is_stopped_after_an_error_and_keeps_its_data(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        _insert_and_fail(tmp_path)
    assert servers(tmp_path) == []
    with running_mongod(tmp_path) as uri, MongoClient(uri) as client:
        assert client.test.things.find_one() == {"_id": 1}


def _insert_and_fail(folder: Path) -> None:
    with running_mongod(folder) as uri, MongoClient(uri) as client:
        client.test.things.insert_one({"_id": 1})
        raise KeyError


def test_mongod_of_a_living_process_is_shared_and_left_running(tmp_path: Path) -> None:
    process, uri = other_process(tmp_path)
    try:
        with running_mongod(tmp_path) as shared:
            assert shared == uri
        assert ping(uri)
    finally:
        process.kill()
        process.wait()
    with running_mongod(tmp_path):
        pass
    assert servers(tmp_path) == []


def test_mongod_of_a_killed_process_is_replaced(tmp_path: Path) -> None:
    process, uri = other_process(tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    orphan = servers(tmp_path)
    assert len(orphan) == 1
    with running_mongod(tmp_path) as fresh:
        assert fresh != uri
        assert ping(fresh)
        assert servers(tmp_path) != orphan
    assert servers(tmp_path) == []


def test_process_that_only_has_the_old_id_is_left_alone(tmp_path: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        data = tmp_path / "mongod"
        data.mkdir()
        state = f'{{"pid": {bystander.pid}, "owner": 1, "port": 1}}'
        (data / "labelnext-mongod.json").write_text(state, "utf-8")
        with running_mongod(tmp_path) as uri:
            assert ping(uri)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_mongod_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "mongod" / "mongod.lock").mkdir(parents=True)  # where its lock file has to be
    with (
        pytest.raises(Unavailable, match=r"(?s)does not start on .*lock"),
        running_mongod(tmp_path),
    ):
        pass
    assert servers(tmp_path) == []


def test_missing_mongod_gives_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongod, "bundled_mongod", lambda: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NotFound) as caught, running_mongod(tmp_path):
        pass
    assert caught.value.hint == mongod.remedy()


def test_connected_fiftyone_is_not_moved_to_another_database(
    mongod_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fiftyone as fo

    fo.list_datasets()
    monkeypatch.setattr(os, "environ", dict(os.environ))
    with pytest.raises(WriteRefused, match="already connected to a database in this process"):
        mongod.use_database("mongodb://127.0.0.1:1/", tmp_path)
    assert fo.config.database_uri == mongod_uri


def test_connecting_prints_nothing_where_a_caller_expects_json(mongod_uri: str) -> None:
    environment = {**os.environ, "FIFTYONE_DATABASE_URI": mongod_uri}
    environment.pop("FIFTYONE_DATABASE_VALIDATION", None)  # then FiftyOne remarks on mongod 6
    code = (
        "from labelnext_adapters.fiftyone.database.connection import reach_database\n"
        "reach_database()"
    )
    command = [sys.executable, "-c", code]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "MongoDB" in answer.stderr
    assert answer.stdout == ""
