"""Thumbnails: small, bounded in number, bytes and time."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from labelnext.adapter.preview import Preview
from labelnext.report.cards import Card
from labelnext.report.pictures import thumbnail, with_previews


def png(width: int = 400, height: int = 200, mode: str = "RGB", colour: object = "red") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height), colour).save(file, "PNG")  # type: ignore[arg-type]
    return file.getvalue()


def noise(side: int = 300) -> bytes:
    file = io.BytesIO()
    values = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(values).save(file, "PNG")
    return file.getvalue()


def decoded(uri: str) -> Image.Image:
    head, _, code = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(code)))


def card(name: str, rank: int = 1) -> Card:
    return Card(name, rank, 0.5, 1.0)


def failing() -> bytes:
    raise FileNotFoundError("gone.jpg")


def test_thumbnail_keeps_the_shape_and_the_colour() -> None:
    made = thumbnail(png(), 96, 10_000)
    assert (made.width, made.height) == (96, 48)
    image = decoded(made.uri)
    assert image.size == (96, 48)
    assert np.abs(np.array(image.getpixel((50, 20))) - (255, 0, 0)).max() <= 3


def test_small_image_is_not_enlarged() -> None:
    made = thumbnail(png(20, 10), 96, 10_000)
    assert (made.width, made.height) == (20, 10)


def test_what_is_transparent_becomes_white() -> None:
    made = thumbnail(png(50, 50, "RGBA", (0, 0, 0, 0)), 96, 10_000)
    assert decoded(made.uri).getpixel((25, 25)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("mode", "colour"), [("L", 9), ("P", 3), ("1", 1), ("I;16", 900), ("LA", 9)]
)
def test_other_kinds_of_images_are_shown(mode: str, colour: int) -> None:
    given = (colour, 255) if mode == "LA" else colour
    assert thumbnail(png(30, 30, mode, given), 96, 10_000).width == 30


def test_photo_on_its_side_is_turned_as_browsers_do() -> None:
    file = io.BytesIO()
    image = Image.new("RGB", (60, 40), "blue")
    exif = image.getexif()
    exif[0x0112] = 6  # turn by a quarter
    image.save(file, "JPEG", exif=exif)
    made = thumbnail(file.getvalue(), 96, 10_000)
    assert (made.width, made.height) == (40, 60)


def test_picture_that_does_not_shrink_gets_smaller() -> None:
    made = thumbnail(noise(), 192, 2_400)
    assert len(base64.b64decode(made.uri.partition(",")[2])) <= 2_400


@pytest.mark.parametrize("data", [b"", b"no image", png()[:60], b"<svg></svg>"])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, OSError)):
        thumbnail(data, 96, 10_000)


def test_missing_images_are_counted_and_named() -> None:
    images: dict[str, Callable[[], bytes]] = {"a": failing, "b": png, "c": lambda: b"text"}
    previews = {item: Preview(image=image) for item, image in images.items()}
    cards, notices = with_previews([card("a"), card("b"), card("c")], previews, 50)
    assert [c.picture is not None for c in cards] == [False, True, False]
    assert [(n.code, n.item_ids) for n in notices] == [("no_picture", ("a", "c"))]
    assert notices[0].message == "The report has no picture of 2 items whose image can't be read."


def test_no_image_is_read_once_the_time_is_over() -> None:
    ticks = iter([0.0, 1.0, 2.5, 9.9])  # the start, and before each image
    read = []
    previews = {i: Preview(image=lambda i=i: read.append(i) or png()) for i in "abc"}  # type: ignore[func-returns-value, misc]
    _cards, notices = with_previews(
        [card(i) for i in "abc"], previews, 50, seconds=2.0, clock=lambda: next(ticks)
    )
    assert read == ["a"]
    assert [(n.code, n.item_ids) for n in notices] == [("no_time_for_pictures", ("b", "c"))]


def test_only_the_first_items_get_a_picture() -> None:
    previews = {i: Preview(image=png) for i in "abc"}
    cards, notices = with_previews([card(i) for i in "abc"], previews, 2)
    assert [c.picture is not None for c in cards] == [True, True, False]
    assert notices == []


def test_links_are_addresses_of_pages_and_texts_are_short() -> None:
    previews = {
        "a": Preview("https://label.example.com/projects/7/data?task=1", "a  b\nc"),
        "b": Preview("javascript:alert(1)", "x" * 1000),
    }
    (a, b), _ = with_previews([card("a"), card("b")], previews, 50)
    assert (a.link, a.text) == ("https://label.example.com/projects/7/data?task=1", "a b c")
    assert b.link is None
    assert b.text == "x" * 279 + "…"
