"""Thumbnails: small enough that a page with a thousand of them can be sent by mail."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from labelnext.adapter.preview import Preview
from labelnext.errors import LabelnextError
from labelnext.pool.objects import Notice
from labelnext.report.cards import Card, Picture
from labelnext.support.images import small_image
from labelnext.support.words import counted

SECONDS = 10.0
"""How long a report may spend on pictures."""

_BYTES = 2_400_000  # of all pictures of a page; base64 adds a third
_MOST_BYTES = 12_000  # of one picture
_SIDE, _SMALL = 192, 96  # pixels, of up to a hundred pictures and of more
_QUALITIES = (75, 50, 30)
_SIGNS = 280  # of a text


def with_previews(
    cards: Sequence[Card],
    previews: Mapping[str, Preview],
    most: int,
    *,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[list[Card], list[Notice]]:
    """The cards with links, texts and thumbnails, and what could not be shown.

    Args:
        cards: of the next items.
        previews: what the platform shows of them, by their ids.
        most: how many thumbnails there may be.
        seconds: how long reading images may take in all.
        clock: seconds since any moment.
    """
    end = clock() + seconds
    pictured = [card for card in cards if _image(previews, card)][:most]
    limit = min(_MOST_BYTES, _BYTES // max(len(pictured), 1))
    side = _SIDE if len(pictured) <= 100 else _SMALL
    pictures: dict[str, Picture] = {}
    broken: list[str] = []
    late: list[str] = []
    for card in pictured:
        image = _image(previews, card)
        if image is None or clock() >= end:
            late.append(card.item_id)
            continue
        try:
            pictures[card.item_id] = thumbnail(image(), side, limit)
        except (OSError, ValueError, LabelnextError):
            broken.append(card.item_id)
    shown = []
    for card in cards:
        known = previews.get(card.item_id, Preview())
        picture = pictures.get(card.item_id)
        link = known.link if known.link and known.link.startswith(("http://", "https://")) else None
        text = _excerpt(known.text)
        shown.append(replace(card, link=link, text=text, picture=picture, name=known.name))
    return shown, _notices(broken, late, seconds)


def _image(previews: Mapping[str, Preview], card: Card) -> Callable[[], bytes] | None:
    preview = previews.get(card.item_id)
    return None if preview is None else preview.image


def _notices(broken: Sequence[str], late: Sequence[str], seconds: float) -> list[Notice]:
    notices = []
    if broken:
        message = f"The report has no picture of {counted(len(broken), 'item')} whose image can't "
        notices.append(Notice("no_picture", f"{message}be read.", tuple(broken)))
    if late:
        message = (
            f"The report has no picture of {counted(len(late), 'item')}: reading images took "
            f"longer than {seconds:.0f} s."
        )
        notices.append(Notice("no_time_for_pictures", message, tuple(late)))
    return notices


def _excerpt(text: str | None) -> str | None:
    if text is None:
        return None
    words = " ".join(text[: 4 * _SIGNS].split())
    return words if len(words) <= _SIGNS else f"{words[: _SIGNS - 1].rstrip()}…"


def thumbnail(data: bytes, side: int, limit: int) -> Picture:
    """A thumbnail as a JPEG: every browser shows it, and large photos are decoded at an eighth.

    Args:
        data: the image, in any format that Pillow reads.
        side: the longer one, in pixels, at most.
        limit: how many bytes it should have at most; smaller ones are tried until it does.

    Raises:
        ValueError: if it isn't an image.
    """
    image = small_image(data, side)
    for size in (side, 96, 64, 48):
        image.thumbnail((size, size))
        for quality in _QUALITIES:
            file = io.BytesIO()
            image.save(file, "JPEG", quality=quality, optimize=True)
            if file.tell() <= limit:
                return _picture(file, image.width, image.height)
    return _picture(file, image.width, image.height)


def _picture(file: io.BytesIO, width: int, height: int) -> Picture:
    code = base64.b64encode(file.getvalue()).decode()
    return Picture(f"data:image/jpeg;base64,{code}", width, height)
