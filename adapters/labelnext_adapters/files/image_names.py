"""Which files are images, by their names."""

from __future__ import annotations

from collections.abc import Iterable

#: The usual ones first: an image is looked for under each.
IMAGE_ENDINGS = (
    ".jpg", ".png", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".dng", ".heic",
    ".heif", ".jp2", ".mpo", ".pfm",
)  # fmt: skip


def images_among(names: Iterable[str]) -> set[str]:
    """The names of image files.

    Example:
        >>> sorted(images_among(["a.JPG", "a.txt", "b/c.png"]))
        ['a.JPG', 'b/c.png']
    """
    return {name for name in names if name.lower().endswith(IMAGE_ENDINGS)}
