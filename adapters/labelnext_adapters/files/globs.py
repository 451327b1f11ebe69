"""Globs of files that are one pool."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from labelnext.adapter.sample import SHARDED, may_be_part, suffix_of
from labelnext.errors import Unavailable
from labelnext.support.files import matches
from labelnext.support.folders import files_below
from labelnext_adapters.files.image_names import IMAGE_ENDINGS

WILD = ("*", "?", "[")  # wild cards of a glob
_IN_PARTS = (".parquet", ".pq")  # which may be larger than memory, and any of a folder's files


def is_glob(path: Path | str) -> bool:
    """Whether a path on this machine has wild cards, rather than brackets in the name of a file."""
    return isinstance(path, Path) and any(s in str(path) for s in WILD) and not path.exists()


def is_of_tables(path: Path | str) -> bool:
    """Whether a path is a glob of tables or lists that are read whole, by its ending.

    Example:
        >>> is_of_tables(Path("p/*.csv")), is_of_tables(Path("p/*.parquet"))
        (True, False)
    """
    return isinstance(path, Path) and is_glob(path) and suffix_of(path) in SHARDED


def base_of(glob: Path) -> Path:
    """The innermost folder of a glob that is there, or has no wild cards in its path."""
    return next(
        one for one in glob.parents if one.is_dir() or not any(sign in str(one) for sign in WILD)
    )


def names_taken(glob: Path) -> list[str]:
    """The files that a glob takes, relative to `base_of`, sorted; hidden ones don't count."""
    folder = base_of(glob)
    pattern = glob.relative_to(folder).as_posix()
    names = (n for n in files_below(folder, deep="/" in pattern) if matches(n, pattern))
    return sorted(name for name in names if may_be_part(folder, name))


def folder_of(glob: Path) -> Path | None:
    """The folder of which a glob takes all files that count; None for other globs and paths.

    Args:
        glob: a path with wild cards, or another one.
    """
    if not is_glob(glob):
        return None
    folder = base_of(glob)
    if suffix_of(glob) in _IN_PARTS or not folder.is_dir():
        return None
    pattern, found = glob.relative_to(folder).as_posix(), False
    of_images = suffix_of(glob) in IMAGE_ENDINGS  # which elsewhere lie beside the data
    with suppress(Unavailable):
        for name in files_below(folder):
            if of_images or may_be_part(folder, name):
                if suffix_of(Path(name)) in _IN_PARTS or not matches(name, pattern):
                    return None  # before the rest of a large folder is listed
                found = True
        return folder if found else None
    return None
