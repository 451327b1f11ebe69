"""What the report shows of items in files: images beside them, or a column of images or texts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from labelnext.adapter.preview import Preview, written_image
from labelnext.adapter.sample import Sample
from labelnext.errors import InvalidInput
from labelnext_adapters.files.content.content import check_file, guarded
from labelnext_adapters.files.pictures import (
    READ_AGAIN,
    beside,
    image_folders,
    item_names,
    listings,
    named_folder,
    names_of,
)
from labelnext_adapters.files.tables.rows import texts_of
from labelnext_adapters.files.tables.table_options import TableOptions

if TYPE_CHECKING:
    from labelnext_adapters.files.read import Input

_MOST_BYTES = 100_000_000  # of one image


def previews_of(files: Input, item_ids: Sequence[str]) -> dict[str, Preview]:
    """What can be shown of these items.

    Args:
        files: what was read.
        item_ids: of the items.

    Raises:
        InvalidInput: if the file can't be read.
    """
    name = Path(str(files.path)).name
    read = partial(_from_file, files, item_ids)
    told: dict[str, Preview] = guarded(name, files.format.name, read)
    folders, names = image_folders(files), item_names(files)
    held = listings(folders, len(item_ids))
    for item in item_ids:
        called = names.get(item)
        known = replace(told.get(item, Preview()), name=None if called == item else called)
        name, path = known.name or item, None
        if known.image is None:
            path = beside(folders, name, held)
        if path is None and known.image is None and known.link is None and _wanted(files):
            path = _expected(files, name)
        if path is not None:
            known = replace(known, image=partial(_bytes, path))
        if known != Preview():
            told[item] = known
    return told


def _from_file(files: Input, item_ids: Sequence[str]) -> dict[str, Preview]:
    """What the file itself holds, by item."""
    if files.format.shown is None:
        return _from_columns(files, item_ids)
    shown = files.format.shown(files.path, files.options, files.context)
    return {item: shown[item] for item in item_ids if item in shown}


def _from_columns(files: Input, item_ids: Sequence[str]) -> dict[str, Preview]:
    """What the columns media and text hold, by item."""
    options = files.options
    if not isinstance(options, TableOptions):
        return {}
    named = [name for name in ("media", "text") if name in options.columns]
    columns = {name: str(options.columns.get(name, name)) for name in ("media", "text")}
    if not named and not _may_hold(files, columns):
        return {}
    table = files.rows(item_ids, named) if named or files.in_parts is None else None
    if table is None:
        return {}
    ids = files.ids(table).to_pylist()
    texts = {
        name: texts_of(table.column(column)) if column in table.column_names else [None] * len(ids)
        for name, column in columns.items()
    }
    rows = zip(ids, texts["media"], texts["text"], strict=True)
    return {item: _preview(files, media, text) for item, media, text in rows}


def _may_hold(files: Input, columns: Collection[str]) -> bool:
    """Whether a small file may have such a column: it is read again only then."""
    path = files.path
    if not isinstance(path, Path) or not path.is_file() or path.stat().st_size > READ_AGAIN:
        return False
    if path.suffix in (".parquet", ".pq"):
        import pyarrow.parquet as pq

        return not set(columns).isdisjoint(pq.read_schema(path).names)
    start = Sample(path).text
    return start is None or any(name in start for name in columns)


def _preview(files: Input, media: str | None, text: str | None) -> Preview:
    if not media:
        return Preview(text=text)
    if (written := written_image(media)) is not None:
        return Preview(text=text, image=written)
    if "://" in media:  # the report asks no other server
        link = media if media.startswith(("http://", "https://")) else None
        return Preview(link, text, address=media)
    return Preview(text=text, image=partial(_bytes, files.image_path(media)))


def _wanted(files: Input) -> bool:
    """Whether a folder of images is named, so that an item without one is worth a notice."""
    return files.source.pictures is not None


def _expected(files: Input, item: str) -> Path | None:
    """Where the image of an item should be."""
    folder = named_folder(files)
    names = names_of(Path(item).name)
    return None if folder is None else next((folder / name for name in names), None)


def _bytes(path: Path) -> bytes:
    """The bytes of an image.

    Raises:
        OSError: if there is none.
        InvalidInput: if it is too large, a pipe or a device.
    """
    check_file(path)
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise InvalidInput(f"an image must be smaller than {_MOST_BYTES:,} bytes; got {size:,}.")
    return path.read_bytes()
