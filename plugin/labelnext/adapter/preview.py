"""What a platform can show of an item: an image or a text, and where to open it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote_to_bytes

from labelnext.errors import InvalidInput


@dataclass(frozen=True)
class Preview:
    """What a report can show of an item.

    Attributes:
        link: address of the item on the platform, http or https; None if there is none.
        text: the item's text, or its beginning; None for other items.
        image: reads the bytes of the item's image, and raises an OSError or a LabelnextError
            where there is none; None for items that are no images. A report calls it only for the
            items it shows, and only as long as its time allows.
        fixed: a name for the image's content where that never changes, such as the address of an
            upload: it need not be read twice then. None where it may change.
        address: where the image is if it lies elsewhere, on another server (http, https) or in an
            object store (s3, gs); a report doesn't ask there.
        name: what people call the item, such as the name of its file; None where that is its id.

    Example:
        >>> Preview("https://label.example.com/projects/7/data?task=3", text="a fine day").text
        'a fine day'
    """

    link: str | None = None
    text: str | None = None
    image: Callable[[], bytes] | None = None
    name: str | None = None
    fixed: str | None = None
    address: str | None = None


def written_image(address: str) -> Callable[[], bytes] | None:
    """How to read an image that is written out in its address, as ``data:image/png;base64,…``.

    Returns:
        Reads its bytes, and raises an `InvalidInput` if they aren't base64; None for any other
        address.

    Example:
        >>> read = written_image("data:image/gif;base64,R0lGODlh")
        >>> read and read(), written_image("https://example.com/a.gif")
        (b'GIF89a', None)
    """
    kind, comma, text = address.partition(",")
    kind = kind.lower()
    if not comma or not kind.startswith("data:image/") or not kind.endswith(";base64"):
        return None
    return partial(_decoded, text)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(unquote_to_bytes(text), validate=True)
    except ValueError as error:
        raise InvalidInput("the base64 of an image's data: address is broken.") from error
