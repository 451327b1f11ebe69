"""What the report shows of tasks."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from labelnext_adapters.label_studio.read.previews import _reader, _text, task_url
from labelnext_adapters.label_studio_format.media import shown_keys


class Server:
    """Notes what is downloaded."""

    url = "https://label.example.com/studio"

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def download(self, path: str, seconds: float, params: dict[str, str]) -> bytes:
        self.asked.append((path, params))
        return b"image"


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


@pytest.mark.parametrize(
    ("place", "asked"),
    [
        ("/data/upload/7/a.png", ("data/upload/7/a.png", {})),
        ("/data/local-files/?d=a%20b/c.png", ("data/local-files/", {"d": "a b/c.png"})),
        (f"{Server.url}/data/upload/7/a.png", ("data/upload/7/a.png", {})),
        ("https://elsewhere.example.com/data/a.png", None),
        ("s3://bucket/a.png", None),
        ("/data/../api/token", None),
        ("/api/current-user/token", None),
        (["/data/a.png"], None),
        (None, None),
    ],
)
def test_only_images_of_the_server_are_read(place: object, asked: object) -> None:
    server = Server()
    reader = _reader(server, raw(place))  # type: ignore[arg-type]
    assert (reader is None) == (asked is None)
    if reader is not None:
        assert reader() == b"image"
        assert server.asked == [asked]


def test_an_image_written_out_in_the_task_is_read_without_the_server() -> None:
    server = Server()
    reader = _reader(server, raw("data:image/gif;base64,R0lGODlh"))  # type: ignore[arg-type]
    assert reader is not None
    assert reader() == b"GIF89a"
    assert server.asked == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a day", "a day"),
        ("<p>a<b>day</b></p><script>alert(1)</script>", " a day  "),
        ([{"author": "x", "text": "one"}, {"text": "two"}, 3], "one two"),
        (" ", None),
        (7, None),
        (None, None),
    ],
)
def test_texts_are_words(value: object, text: str | None) -> None:
    found = _text(raw(value))
    assert (found is None) == (text is None)
    assert text is None or (found or "").split() == text.split()


@pytest.mark.parametrize(
    ("setup", "keys"),
    [
        ('<View><Text name="t" value="$words"/></View>', (None, "words")),
        ('<View><Header value="x"/><Image name="i" value="$photo"/></View>', ("photo", None)),
        ('<View><Text name="t" value="$url" valueType="url"/></View>', (None, None)),
        ("<View", (None, None)),
        ("", (None, None)),
    ],
)
def test_keys_of_a_setup(setup: str, keys: tuple[str | None, str | None]) -> None:
    assert shown_keys(setup) == keys


def test_address_of_a_task() -> None:
    server: Any = Server()
    base = "https://label.example.com/studio/projects/7/data"
    assert task_url(server, 7, 3, 12) == f"{base}?tab=12&task=3"
    assert task_url(server, 7, 3, None) == f"{base}?task=3"
