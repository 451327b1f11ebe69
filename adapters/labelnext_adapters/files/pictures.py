"""Where the images of items lie: in a folder that is named, or beside what is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labelnext.support.files import real_path
from labelnext_adapters.files.image_names import IMAGE_ENDINGS

if TYPE_CHECKING:
    from labelnext_adapters.files.read import Input

_READ_AGAIN = 50_000_000  # bytes of a file that is looked at for columns nobody named
_USUAL = ("images", "JPEGImages")  # folders beside labels or annotations, in or above theirs


def item_names(files: Input) -> Mapping[str, str]:
    """What people call the items, by their ids; empty where that is the id."""
    named, path = files.format.names, files.path
    if named is None or not isinstance(path, Path):
        return {}
    if any(file.stat().st_size > _READ_AGAIN for file in files.files):
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
    found = {item: beside(folders, names.get(item, item)) for item in item_ids}
    return {item: str(path.absolute()) for item, path in found.items() if path is not None}


def beside(folders: Sequence[Path], item: str) -> Path | None:
    """The image of an item inside one of the folders, by the item's id as its name."""
    for folder in folders:
        inside = real_path(folder)
        for path in names_in(folder, item):
            try:
                if path.is_file() and real_path(path).is_relative_to(inside):
                    return path
            except (OSError, ValueError):  # no name of a file
                continue
    return None


def names_in(folder: Path, item: str) -> Iterator[Path]:
    """Where the image of an item may lie in a folder."""
    for name in dict.fromkeys((item, item.replace("\\", "/").rpartition("/")[2])):
        if name.lower().endswith(IMAGE_ENDINGS):
            yield folder / name
        elif name:
            yield from (folder / f"{name}{ending}" for ending in IMAGE_ENDINGS)
