"""Texts that stay UTF-8, as Arrow holds them, until somebody asks for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Utf8Texts(Sequence[str]):
    """Texts as bytes one after the other: a million ids without a million strings.

    Args:
        data: the bytes of all texts.
        offsets: shape (n + 1,), text i has the bytes offsets[i] to offsets[i + 1].
        lengths: shape (n,), of each text in characters.

    Example:
        >>> texts = Utf8Texts(memoryview("aéb".encode()), np.array([0, 3, 4]), np.array([2, 1]))
        >>> texts[0], texts[-1], len(texts)
        ('aé', 'b', 2)
    """

    data: memoryview
    offsets: NDArray[np.integer[Any]]
    lengths: NDArray[np.integer[Any]]

    def __len__(self) -> int:
        return len(self.lengths)

    @overload
    def __getitem__(self, row: int) -> str: ...

    @overload
    def __getitem__(self, row: slice) -> Utf8Texts: ...

    def __getitem__(self, row: int | slice) -> str | Utf8Texts:
        if not isinstance(row, slice):
            index = range(len(self))[row]
            return self[index : index + 1].joined()
        start, stop, _ = row.indices(len(self))
        return Utf8Texts(self.data, self.offsets[start : stop + 1], self.lengths[start:stop])

    @property
    def codes(self) -> NDArray[np.unsignedinteger[Any]]:
        """The code points of the texts, one after the other."""
        data = self.data[self.offsets[0] : self.offsets[-1]]
        if len(data) == self.lengths.sum():  # of one byte each
            return np.frombuffer(data, dtype=np.uint8)
        return code_points(self.joined())

    def joined(self) -> str:
        """The texts one after the other."""
        return str(self.data[self.offsets[0] : self.offsets[-1]], "utf-8")


def code_points(text: str) -> NDArray[np.uint32]:
    """The code points of a text, halves of characters among them.

    Example:
        >>> code_points("aé").tolist()
        [97, 233]
    """
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
