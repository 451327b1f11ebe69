"""Images as they are seen: turned as their file says, and without transparency."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image


def small_image(data: bytes, side: int) -> Image.Image:
    """An image in RGB, made smaller if it is larger.

    Args:
        data: the image, in any format that Pillow reads.
        side: the longer one, in pixels, at most.

    Raises:
        ValueError: if it isn't an image.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as opened:
            opened.draft("RGB", (2 * side, 2 * side))  # large photos are decoded at an eighth
            # As browsers show it: boxes are fractions of that.
            image: Image.Image = ImageOps.exif_transpose(opened)
            image.thumbnail((side, side))
            return _on_white(image)
    except UnidentifiedImageError as error:
        why = "HEIC isn't read, so convert it to JPEG" if _is_heic(data) else "of no known format"
        raise ValueError(f"it isn't an image: {why}") from error
    except (Image.DecompressionBombError, SyntaxError, EOFError) as error:
        raise ValueError(f"it isn't an image: {error}") from error


def _is_heic(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"msf1")


def _on_white(image: Image.Image) -> Image.Image:
    """An image in RGB; what is transparent becomes white."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits of grey
        image = image.point(lambda value: value / 256).convert("L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    seen = image.convert("RGBA")
    white = Image.new("RGBA", seen.size, "white")
    return Image.alpha_composite(white, seen).convert("RGB")
