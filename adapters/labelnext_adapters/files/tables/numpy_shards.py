"""Arrays of NPZ files that are the parts of one pool."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext_adapters.files.content.shards import shards_in, whole_parts
from labelnext_adapters.files.globs import is_glob
from labelnext_adapters.files.tables.numpy_files import names_in, read_arrays


def npz_files(path: Path) -> tuple[list[Path], list[Notice]]:
    """The file, or those of a folder or a glob that are whole; and a notice of the few others.

    Raises:
        InvalidInput: if the folder holds something else, too, or the files have other arrays.
    """
    if not (path.is_dir() or is_glob(path)):
        return [path], []
    whole, notices = whole_parts(shards_in(path), "NPZ", lambda file: sorted(names_in(file)))
    for file, names in whole[1:]:
        if names != whole[0][1]:
            raise InvalidInput(
                f"the files of a folder must have the same arrays; {whole[0][0].name} has "
                f"{listed(whole[0][1])}, {file.name} has {listed(names)}.",
                hint="point path at one of them.",
            )
    return [file for file, _ in whole], notices


def read_parts(
    files: Sequence[Path], wanted: Collection[str], of_classes: Collection[str]
) -> tuple[dict[str, NDArray[Any]], list[Notice]]:
    """These arrays of the files, one after the other; and a notice of files that are broken.

    Args:
        files: that have the same arrays.
        wanted: names of the arrays.
        of_classes: names of those that hold the names of the classes.

    Raises:
        InvalidInput: if more than a few are broken, or they don't go together.
    """
    if len(files) == 1:
        return read_arrays(files[0], wanted), []
    whole, notices = whole_parts(files, "NPZ", lambda file: read_arrays(file, wanted))
    parts = [arrays for _, arrays in whole]
    names = parts[0]
    return {
        name: _joined(name, [one[name] for one in parts], of_classes) for name in names
    }, notices


def _joined(name: str, arrays: Sequence[NDArray[Any]], of_classes: Collection[str]) -> NDArray[Any]:
    """An array of each file as one: of members, items and classes along the items."""
    if name in of_classes:
        if not all(np.array_equal(arrays[0], one) for one in arrays):
            raise InvalidInput(
                f"the files of a folder must have the same {name}; they differ.",
                hint="write the scores of all classes into each file, in the same order.",
            )
        return arrays[0]
    if not all(one.ndim and (name != "offsets" or len(one)) for one in arrays):
        rule = "begin with 0" if name == "offsets" else "have a value for each item"
        raise InvalidInput(
            f"the arrays {name} of a folder's files must {rule}; "
            f"shapes are {listed(str(one.shape) for one in arrays)}."
        )
    shapes = {one.shape[:-2] + one.shape[-1:] if one.ndim > 2 else one.shape[1:] for one in arrays}
    if len(shapes) > 1:
        raise InvalidInput(
            f"the files of a folder must have arrays of one shape for each item; {name} has "
            f"{listed(map(str, sorted({one.shape for one in arrays})))}."
        )
    if name == "offsets":
        ends = np.cumsum([0, *(one[-1] for one in arrays)])
        moved = [one[1:] + end for one, end in zip(arrays, ends, strict=False)]
        return np.concatenate([arrays[0][:1], *moved])
    return np.concatenate(arrays, axis=-2 if arrays[0].ndim > 2 else 0)
