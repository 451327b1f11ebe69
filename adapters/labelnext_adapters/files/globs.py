"""Globs of files that are one pool."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from labelnext.adapter.sample import may_be_part, suffix_of
from labelnext.support.files import matches
from labelnext_adapters.files.image_names import IMAGE_ENDINGS

WILD = ("*", "?", "[")  # wild cards of a glob
_IN_PARTS = (".parquet", ".pq")  # which may be larger than memory, and any of a folder's files


def folder_of(glob: Path) -> Path | None:
    """The folder of which a glob takes all files that count; None for other globs and paths.

    Args:
        glob: a path with wild cards, or another one.
    """
    if not any(sign in str(glob) for sign in WILD) or glob.exists():
        return None
    folder = next(one for one in glob.parents if not any(sign in str(one) for sign in WILD))
    if suffix_of(glob) in _IN_PARTS or not folder.is_dir():
        return None
    pattern, found = glob.relative_to(folder).as_posix(), False
    of_images = suffix_of(glob) in IMAGE_ENDINGS  # which elsewhere lie beside the data
    for name in _names(folder):
        if of_images or may_be_part(folder, name):
            if suffix_of(Path(name)) in _IN_PARTS or not matches(name, pattern):
                return None  # before the rest of a large folder is listed
            found = True
    return folder if found else None


def _names(folder: Path) -> Iterator[str]:
    for place, _, names in os.walk(folder):
        for name in names:
            yield (Path(place) / name).relative_to(folder).as_posix()
