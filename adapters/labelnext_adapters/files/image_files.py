"""The image files of items: in a folder that is named, or where a format expects them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labelnext.support.files import real_path
from labelnext_adapters.files.image_names import IMAGE_ENDINGS

if TYPE_CHECKING:
    from labelnext_adapters.files.read import Input

_READ_AGAIN = 50_000_000  # bytes of a file that is looked at for names


def found_images(files: Input, item_ids: Sequence[str]) -> dict[str, str]:
    """The images of items whose files lie in a folder that is named or that a format knows.

    Returns:
        Their absolute paths by id; without the items that have none there.
    """
    images, named = files.format.images, named_folder(files)
    folders = [] if named is None else [files.context.path(named)]
    if images is not None and isinstance(files.path, Path):
        folders += images(files.path, files.options, files.context)
    names, found = item_names(files), {}
    for item in item_ids if folders else ():
        paths = (image_beside(folder, names.get(item, item)) for folder in folders)
        if (path := next(filter(None, paths), None)) is not None:
            found[item] = str(path.absolute())
    return found


def item_names(files: Input) -> Mapping[str, str]:
    """What people call the items, by their ids; empty where that is the id."""
    named, path = files.format.names, files.path
    if named is None or not isinstance(path, Path):
        return {}
    if any(file.stat().st_size > _READ_AGAIN for file in files.files):
        return {}
    return named(path, files.options, files.context)


def named_folder(files: Input) -> Path | None:
    """The folder of the images that the configuration names."""
    return files.source.pictures or getattr(files.options, "image_folder", None)


def image_beside(folder: Path, item: str) -> Path | None:
    """The image of an item inside a folder, by the item's id as its name."""
    inside = real_path(folder)
    for path in file_names(folder, item):
        try:
            if path.is_file() and real_path(path).is_relative_to(inside):
                return path
        except (OSError, ValueError):  # no name of a file
            continue
    return None


def file_names(folder: Path, item: str) -> Iterator[Path]:
    """The files in a folder that may be the image of an item."""
    for name in dict.fromkeys((item, item.replace("\\", "/").rpartition("/")[2])):
        if name.lower().endswith(IMAGE_ENDINGS):
            yield folder / name
        elif name:
            yield from (folder / f"{name}{ending}" for ending in IMAGE_ENDINGS)
