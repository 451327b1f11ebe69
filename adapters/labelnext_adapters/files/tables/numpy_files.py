"""Arrays of NPY and NPZ files: looked at first, as each says in its header how large it is."""

from __future__ import annotations

import math
import zipfile
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.support.arrays import DAMAGED
from labelnext_adapters.files.content.unpacked import limit_of

_ENDING = ".npy"
_OF_TEXT = ("id", "name", "key", "path", "class", "group")  # in names of arrays of ids and names
_npy: Any = np.lib.format  # has no types


def read_array(path: Path) -> NDArray[Any]:
    """The array of an NPY file.

    Raises:
        InvalidInput: if it is broken, or holds Python objects, which only unpickling would read.
    """
    with path.open("rb") as file:
        if file.read(2) == b"PK":
            raise InvalidInput("the file must hold one array; this is an NPZ file.")
        file.seek(0)
        kind, _, n_bytes = _header(file)
        rest = path.stat().st_size - file.tell()
    if kind.hasobject:
        raise InvalidInput(
            "the array must hold numbers or text; it holds Python objects.",
            hint="save it as array.astype(float), or ids as array.astype(str).",
        )
    if n_bytes > rest:
        raise _cut_off("the file", n_bytes, rest)
    array: NDArray[Any] = np.load(path, allow_pickle=False)
    return array


def names_in(path: Path) -> list[str]:
    """The names of the arrays in an NPZ file."""
    with zipfile.ZipFile(path) as archive:
        return [name.removesuffix(_ENDING) for name in archive.namelist()]


def read_arrays(path: Path, wanted: Collection[str]) -> dict[str, NDArray[Any]]:
    """These arrays of an NPZ file, as far as it has them.

    Raises:
        InvalidInput: if one is broken or holds Python objects, or they unpack to too much.
    """
    claimed = 0
    with zipfile.ZipFile(path) as archive:
        names = Counter(one.filename.removesuffix(_ENDING) for one in archive.infolist())
        if doubled := next((name for name, n in names.items() if n > 1 and name in wanted), None):
            raise InvalidInput(
                f"every array must have a name of its own; two are called {doubled}."
            )
        members = {one.filename.removesuffix(_ENDING): one for one in archive.infolist()}
        members = {name: one for name, one in members.items() if name in wanted}
        for name, member in sorted(members.items()):
            with archive.open(member) as file:
                kind, _, n_bytes = _header(file)
                rest = member.file_size - file.tell()
            if kind.hasobject:
                cure = f"as text: {name}.astype(str)"
                if not any(word in name for word in _OF_TEXT):
                    cure = f"as text or numbers: {name}.astype(str), or .astype(float)"
                raise InvalidInput(
                    f"{name} must be an array of numbers or text; it is an array of Python "
                    "objects.",
                    hint=f"save it {cure}.",
                )
            if n_bytes > rest:
                raise _cut_off(name, n_bytes, rest)
            claimed += n_bytes
        limit_of(path.stat().st_size).check("the file", claimed)
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in members}


def flat_in(path: Path) -> list[str]:
    """The names of the arrays in an NPZ file that hold one text or number an item.

    What is no array, or is damaged, is passed over; it may not be wanted.
    """
    flat = []
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with suppress(*DAMAGED), archive.open(name) as file:
                kind, shape, _ = _header(file)
                if len(shape) == 1 and kind.kind in "USTiufM":
                    flat.append(name.removesuffix(_ENDING))
    return flat


def _header(file: IO[bytes]) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """The type and shape of an array, and the bytes that it takes, by its first lines."""
    version = _npy.read_magic(file)
    read = _npy.read_array_header_1_0 if version == (1, 0) else _npy.read_array_header_2_0
    shape, _, kind = read(file)
    return kind, shape, math.prod(shape) * kind.itemsize


def _cut_off(what: str, n_bytes: int, rest: int) -> InvalidInput:
    return InvalidInput(
        f"{what} must hold the {n_bytes:,} bytes that its header names; it has {rest:,}.",
        hint="the file may be cut off; write or copy it again.",
    )
