"""Vectors that were made earlier, by the content they were made of, in the state folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.support.arrays import DAMAGED
from labelnext.support.files import write_atomically


def hash_of(*contents: bytes) -> str:
    """A hash of what a vector is made of."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.hexdigest()


def halved(rows: NDArray[np.floating]) -> NDArray[np.float16]:
    """Numbers as 16-bit floats; those above 65,504 become infinite.

    Example:
        >>> halved(np.array([0.5, 1e6])).tolist()
        [0.5, inf]
    """
    with np.errstate(over="ignore"):
        return rows.astype(np.float16)


class Kept:
    """The vectors of one way to make them.

    Each addition is a file of its own, so what is there when a process dies stays there. A file
    that can't be read counts as missing.

    Args:
        folder: for all vectors, inside the state folder.
        rules: what the vectors follow from besides the contents; others have another folder.
    """

    def __init__(self, folder: Path, rules: str) -> None:
        self._folder = folder / hash_of(rules.encode())[:16]
        self.vectors: dict[str, NDArray[np.float16]] = {}
        for path in sorted(self._folder.glob("*.npz")):
            if not path.is_file():
                continue
            try:
                with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                    rows = arrays["vectors"].astype(np.float16, copy=False)
                    self.vectors.update(zip(arrays["keys"].tolist(), rows, strict=True))
            except DAMAGED:
                continue

    def add(
        self, keys: Sequence[str], rows: Sequence[NDArray[np.float16]], *, alone: bool = False
    ) -> None:
        """Keep vectors.

        Args:
            keys: of `hash_of`, one for each.
            rows: all of one length.
            alone: remove those that were kept before.

        Raises:
            WriteFailed: if the disk is full, or the folder can't be written.
        """
        if not keys:
            return
        columns: dict[str, Any] = {"keys": np.array(keys), "vectors": np.stack(rows)}
        name = hash_of(*(key.encode() for key in keys))[:16]
        path = self._folder / f"{name}.npz"
        write_atomically(path, lambda file: np.savez(file, **columns), private=True)
        for other in self._folder.glob("*.npz") if alone else ():
            if other != path:
                other.unlink(missing_ok=True)
        self.vectors.update(zip(keys, rows, strict=True))
