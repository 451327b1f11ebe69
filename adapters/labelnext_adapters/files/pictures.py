"""Where the images of items lie: in a folder that is named, or beside what is read."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from labelnext.support.files import real_path
from labelnext_adapters.files.image_names import IMAGE_ENDINGS

if TYPE_CHECKING:
    from labelnext_adapters.files.read import Input

READ_AGAIN = 50_000_000  # bytes of a file that is looked at for columns nobody named
_MANY = 1000  # items
_USUAL = ("images", "JPEGImages")  # folders beside labels or annotations, in or above theirs


def item_names(files: Input) -> Mapping[str, str]:
    """What people call the items, by their ids; empty where that is the id."""
    named, path = files.format.names, files.path
    if named is None or not isinstance(path, Path):
        return {}
    if any(file.stat().st_size > READ_AGAIN for file in files.files):
        return {}
    return named(path, files.options, files.context)


def named_folder(files: Input) -> Path | None:
    """The folder of images that the configuration names."""
    named = files.source.pictures or getattr(files.options, "image_folder", None)
    return None if named is None else files.context.path(named)


def image_folders(files: Input) -> list[Path]:
    """The folders where images are looked for: the named one, or those in and beside the path."""
    named, path = named_folder(files), files.path
    if named is not None:
        return [named]
    if not isinstance(path, Path):
        return []
    base = path if path.is_dir() else path.parent
    above = [folder / name for folder in (base, base.absolute().parent) for name in _USUAL]
    known = files.format.image_folders
    stated = [] if known is None else known(path, files.options, files.context)
    return [folder for folder in dict.fromkeys((base, *stated, *above)) if folder.is_dir()]


def image_paths(files: Input, item_ids: Sequence[str]) -> dict[str, str]:
    """The paths of the images of those items that have one, by their ids."""
    folders, names = image_folders(files), item_names(files)
    held = listings(folders, len(item_ids))
    found = {item: beside(folders, names.get(item, item), held) for item in item_ids}
    return {item: str(path.absolute()) for item, path in found.items() if path is not None}


def listings(folders: Sequence[Path], n_items: int) -> dict[Path, set[str]]:
    """The names in each folder, which are faster to compare than files of many items to look for.

    Args:
        folders: that are there.
        n_items: how many items are looked for; of a few, nothing is listed.
    """
    held: dict[Path, set[str]] = {}
    for folder in folders if n_items >= _MANY else ():
        with suppress(OSError):  # this user may look for files that cannot be listed
            held[folder] = {_alike(name) for name in os.listdir(folder)}
    return held


def beside(
    folders: Sequence[Path], item: str, held: Mapping[Path, Collection[str]] | None = None
) -> Path | None:
    """The image of an item inside one of the folders, by the item's id as its name.

    Args:
        folders: in their order.
        item: its id, or what people call it.
        held: as of `listings`.
    """
    for folder in folders:
        known = (held or {}).get(folder)
        for name in names_of(item):
            if known is not None and "/" not in name and _alike(name) not in known:
                continue
            path = folder / name
            try:
                if path.is_file() and real_path(path).is_relative_to(real_path(folder)):
                    return path
            except (OSError, ValueError):  # no name of a file
                continue
    return None


def _alike(name: str) -> str:
    """A name as file systems compare them that know no cases and compose letters."""
    return unicodedata.normalize("NFC", name).casefold()


def names_of(item: str) -> Iterator[str]:
    """The names that the image of an item may have in a folder."""
    for name in dict.fromkeys((item, item.replace("\\", "/").rpartition("/")[2])):
        if name.lower().endswith(IMAGE_ENDINGS):
            yield name
        elif name:
            yield from (f"{name}{ending}" for ending in IMAGE_ENDINGS)
