"""Images at http addresses and in object stores: fetched once, and never for long."""

from __future__ import annotations

import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import labelnext
from labelnext.embeddings import fetched
from labelnext.embeddings.fetched import Fetcher
from tests.unit.embeddings.test_made import EDGE, RED


class Images(BaseHTTPRequestHandler):
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization")))
        code, body = {
            "/red.png": (200, RED),
            "/edge.png?id=7": (200, EDGE),
            "/%C3%BC%20x.png": (200, EDGE),
            "/text.png": (200, b"no image"),
            "/broken": (503, b""),
            "/slow": (200, RED),
            "/half": (200, RED),
        }.get(self.path.partition("?X-Amz")[0], (404, b""))
        if self.path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/moved").replace("_", "/"))
        else:
            self.send_response(code)
            self.send_header("Content-Length", str(len(body) + 9 * (self.path == "/half")))
        self.end_headers()
        for start in range(0, len(body), 100):
            if self.path == "/slow":
                time.sleep(0.2)
            self.wfile.write(body[start : start + 100])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Callable[..., Any]]:
    """Starts servers; gives the address of each, and what it was asked."""
    started = []

    def start() -> tuple[str, list[tuple[str, str | None]]]:
        handler = type("Asked", (Images,), {"asked": []})
        one = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=one.serve_forever, daemon=True).start()
        started.append(one)
        return f"http://127.0.0.1:{one.server_port}", handler.asked

    yield start
    for one in started:
        one.shutdown()
        one.server_close()


def test_an_image_is_fetched_and_what_is_none_is_named(server: Callable[..., Any]) -> None:
    url, _ = server()
    fetch = Fetcher()
    assert fetch(f"{url}/red.png") == RED
    assert fetch(f"{url}/edge.png?id=7") == EDGE
    assert fetch(f"{url}/ü x.png") == EDGE
    assert fetch(f"{url}/moved/red.png") == RED
    for path, said in {
        "/absent": "answers 404 Not Found",
        "/broken": "answers 503 Service Unavailable",
        "/half": "the connection ended in the middle",
        ":x/a": "InvalidURL",
    }.items():
        with pytest.raises(OSError, match=said):
            fetch(f"{url}{path}")
    with pytest.raises(OSError, match="must start with http, https, s3 or gs; got azure-blob://"):
        fetch("azure-blob://container/a.png")


def test_an_image_that_is_too_large_or_too_slow_is_left(
    server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _ = server()
    monkeypatch.setattr(fetched, "_PIECE", 50)
    monkeypatch.setattr(fetched, "_SECONDS", 0.1)
    with pytest.raises(TimeoutError, match="took longer than 0.1 seconds"):
        Fetcher()(f"{url}/slow")
    monkeypatch.setattr(fetched, "_MOST_BYTES", 100)
    with pytest.raises(OSError, match="larger than 100 bytes"):
        Fetcher()(f"{url}/red.png")


def test_a_server_that_is_away_is_asked_twenty_times_and_others_go_on(
    server: Callable[..., Any],
) -> None:
    (url, asked), (other, _) = server(), server()
    fetch = Fetcher()
    for _ in range(19):
        with pytest.raises(OSError, match="answers 503"):
            fetch(f"{url}/broken")
    with pytest.raises(OSError, match="answers 404"):  # it is there
        fetch(f"{url}/absent")
    for _ in range(20):
        with pytest.raises(OSError, match="answers 503"):
            fetch(f"{url}/broken")
    with pytest.raises(OSError, match="failed 20 times in a row, and isn't asked again"):
        fetch(f"{url}/red.png")
    assert len(asked) == 40
    assert fetch(f"{other}/red.png") == RED


def test_a_password_is_for_the_server_that_the_netrc_names_alone(
    server: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (url, asked), (other, asked_too) = server(), server()
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text("machine localhost login me password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    fetched._user_at.cache_clear()
    named = url.replace("127.0.0.1", "localhost")
    assert Fetcher()(f"{named}/red.png") == RED
    assert asked == [("/red.png", f"Basic {b64encode(b'me:secret').decode()}")]
    assert Fetcher()(f"{other}/red.png") == RED
    assert asked_too == [("/red.png", None)]
    fetched._user_at.cache_clear()


def run(tmp_path: Path, rows: dict[str, str]) -> labelnext.Report:
    lines = [f"{item},{address}" for item, address in rows.items()]
    (tmp_path / "images.csv").write_text("\n".join(["item_id,media", *lines]))
    return labelnext.run(
        {
            "source": {
                "adapter": "files",
                "path": str(tmp_path / "images.csv"),
                "model": "probe",
                "embeddings": {"from": "images"},
            },
            "selection": {"method": "k_center", "budget": 2},
            "write": {"output": str(tmp_path / "ranking.csv")},
            "report": {"path": None},
            "state": str(tmp_path / "state"),
        }
    )


def test_a_run_fetches_each_image_once_and_names_those_that_fail(
    server: Callable[..., Any], tmp_path: Path
) -> None:
    url, asked = server()
    rows = {
        "a": f"{url}/red.png?X-Amz-Signature=1",
        "b": f"{url}/edge.png?id=7",
        "c": f"{url}/text.png",
        "d": f"{url}/absent",
        "e": "ftp://host/x.png",
        "f": "",
    }
    report = run(tmp_path, rows)
    assert sorted(report.ranking.item_ids.tolist()) == ["a", "b"]
    said = {notice.code: notice for notice in report.notices}
    assert said["broken_image"].item_ids == ("c", "d", "e")
    assert said["broken_image"].message.startswith(
        "No embedding for 3 items whose image can't be used: c, d, e. Of c: it isn't an image"
    )
    assert said["no_image"].item_ids == ("f",)
    assert len(asked) == 4
    asked.clear()
    run(tmp_path, {**rows, "a": f"{url}/red.png?X-Amz-Signature=2"})
    assert sorted(path for path, _ in asked) == ["/absent", "/text.png"]
