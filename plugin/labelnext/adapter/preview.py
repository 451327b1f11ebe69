"""What a platform can show of an item: an image or a text, and where to open it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


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
