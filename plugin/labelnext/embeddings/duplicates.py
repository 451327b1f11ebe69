"""Signatures of images and texts, by which near-duplicates are found: cosines of contents."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.support.images import small_image

IMAGE_RULES = "difference hash 8x8, 1"
TEXT_RULES = "characters 3-5, tf, hashed to 512, unit length, 2"
"""What the signatures follow from, besides the contents; kept ones of other rules aren't used."""

_SIDE, _SMALL, _DIMENSIONS = 8, 256, 512


def image_signature(data: bytes) -> NDArray[np.float16]:
    """Difference hash of an image: whether each of 64 parts is darker than the one to its right.

    The image is squeezed to 9 × 8 pixels of grey. With two hashes that differ in h of 64 bits, the
    cosine of their signatures is 1 − h/32.

    Args:
        data: the image, in any format that Pillow reads.

    Returns:
        Shape (64,), 1 where it is darker and else −1, from the upper left by rows.

    Raises:
        ValueError: if it isn't an image.

    References:
        Krawetz, Kind of Like That (2013).
    """
    from PIL import Image

    image = small_image(data, _SMALL).convert("L")
    grey = np.asarray(image.resize((_SIDE + 1, _SIDE), Image.Resampling.LANCZOS))
    return np.where(grey[:, 1:] > grey[:, :-1], 1, -1).ravel().astype(np.float16)


def text_signature(data: bytes) -> NDArray[np.float16]:
    """How often three to five characters in a row occur in a text, in hashed dimensions.

    Without regard to case and to how words are spaced. The cosine of two signatures is about that
    of the counts, ever closer the more alike the texts are.

    Args:
        data: the text in UTF-8.

    Returns:
        Shape (512,), of length 1.

    Raises:
        ValueError: if the text is blank.

    References:
        Broder, On the Resemblance and Containment of Documents (1997); Weinberger et al., Feature
        Hashing for Large Scale Multitask Learning (2009).

    Example:
        >>> one, two, other = (text_signature(t).astype(float) for t in (b"A  dog", b"a dog", b"x"))
        >>> bool(one @ two > 0.99), bool(one @ other < 0.5)
        (True, True)
    """
    words = data.decode("utf-8", "replace").casefold().split()
    if not words:
        raise ValueError("it is blank")
    # Spaces around it, so that a single character has three to five in a row, too.
    counts = _shingles().transform([f"  {' '.join(words)}  "])
    return np.asarray(counts.toarray()[0], dtype=np.float16)


@cache
def _shingles() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(
        analyzer="char", ngram_range=(3, 5), lowercase=False, n_features=_DIMENSIONS
    )
