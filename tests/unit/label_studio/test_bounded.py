"""Answers that neither fill the memory nor trickle for hours."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import httpx
import pytest

from labelnext_adapters.label_studio.server import bounded
from labelnext_adapters.label_studio.server.location import find_base


class Blocks(httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        for _ in range(5):
            yield b"x" * 100


@pytest.fixture
def client() -> httpx.Client:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, stream=Blocks()))
    return httpx.Client(transport=transport, event_hooks={"response": [bounded.bound]})


def test_a_usual_answer_is_read_whole(client: httpx.Client) -> None:
    assert client.get("http://host/").content == b"x" * 500


def test_a_large_answer_is_refused(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "_MOST", 499)
    with pytest.raises(httpx.DecodingError, match="more than 1 GiB"):
        client.get("http://host/")


def test_a_trickling_answer_is_refused(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter(range(0, 1000, 50))
    monkeypatch.setattr(bounded, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    with pytest.raises(httpx.DecodingError, match="came at 2 bytes a second"):
        client.get("http://host/")


def test_an_answer_that_stalls_before_its_last_part_is_read_whole(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter([0, 1, 2, 3, 4, 90])  # the beginning, then each of the five parts
    monkeypatch.setattr(bounded, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    assert client.get("http://host/").content == b"x" * 500


def test_a_redirect_to_nowhere_is_an_answer() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(302))
    assert (
        find_base(httpx.Client(transport=transport), "http://host/labels") == "http://host/labels"
    )
