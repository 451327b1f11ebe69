"""Detections whose boxes may be in pixels of images of unknown size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.files.content.oddities import FEW, Unusable
from labelnext_adapters.files.gather import Gathered

#: What people call the score of a shape that a tool draws without one of its own.
SCORES = ("score", "confidence", "conf", "probability", "prob")


def refuse_labels(rule: str, n_bare: int, n: int, hint: str | None = None) -> None:
    """Refuse records of which more than a tenth have no score, as labels have none.

    Args:
        rule: what they must have, for the message.
        n_bare: how many have none.
        n: of how many.
        hint: what to do.

    Raises:
        InvalidInput: if they are labels.
    """
    if n_bare > FEW * n:
        raise InvalidInput(
            f"{rule}; {n_bare:,} of {n:,} have none, so these are labels, not predictions.",
            hint=hint,
        )


class Detections:
    """Adds detections to a pool in the making.

    Args:
        gathered: the pool in the making.
        image_size: width and height of all images in pixels, where records don't have them.
        fractions: boxes are in fractions of the image.
    """

    def __init__(
        self, gathered: Gathered, image_size: Sequence[int] | None, *, fractions: bool = False
    ) -> None:
        self.found = gathered
        self._image_size = image_size
        self._fractions = fractions
        self._without_size = 0

    def add(
        self, row: int, name: Any, confidence: Any, box: Any, size: Sequence[Any] | None = None
    ) -> None:
        """An object of an item.

        Args:
            row: of the item.
            name: its class; None if unknown.
            confidence: in [0, 1].
            box: x1 y1 x2 y2; None if there is none.
            size: width and height of the image, if they are known.

        Raises:
            Unusable: if the confidence or the class can't be used.
        """
        size = size or self._image_size
        if box is not None and size is None and not self._fractions:
            box = None
            self._without_size += 1
        self.found.detection(row, name, confidence, box, None if self._fractions else size)

    def pool(self) -> Pool:
        """The pool.

        Raises:
            InvalidInput: as for `Gathered.pool`.
        """
        if self._without_size:
            self.found.notice(
                "boxes_without_size",
                f"Left out {counted(self._without_size, 'box', 'boxes')}, but not the objects in "
                "them: they are in pixels, and the file doesn't say how large the images are. Set "
                "source.image_size if a committee is to match objects.",
            )
        return self.found.pool()


def class_of(number: Any, classes: Sequence[str] | None) -> Any:
    """A class by its number: its name if classes are named. A name stays as it is.

    Raises:
        Unusable: if there is no class of that number.

    Example:
        >>> class_of(1, ["cat", "dog"]), class_of(1, None), class_of("07", None)
        ('dog', '1', '07')
    """
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, str) and (classes is None or number in classes):
        return number
    if isinstance(number, str) and number.isdecimal() and len(number) < 10:
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int):
        return number
    if classes is None:
        return str(number)
    if not 0 <= number < len(classes):
        raise Unusable(f"a class must be one of 0 to {len(classes) - 1}; got {number}")
    return classes[number]
