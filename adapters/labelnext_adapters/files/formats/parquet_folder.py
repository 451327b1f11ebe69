"""Many Parquet files, local or in an object store, which may be larger than memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.pool.pool import Pool
from labelnext_adapters.files.globs import WILD, is_of_tables
from labelnext_adapters.files.tables.table_options import ParquetFolderOptions

if TYPE_CHECKING:
    from labelnext_adapters.files.dataset import Dataset


def is_folder(path: Path | str) -> bool:
    """Whether a path is a folder, a glob or a URL rather than one file on disk."""
    if isinstance(path, str):
        return True
    if path.is_dir():
        return True
    if is_of_tables(path):
        return False
    # Brackets may also stand in the name of a folder that is there.
    return any(any(s in p.name for s in WILD) and not p.exists() for p in (path, *path.parents))


def open_parts(path: Path | str, options: ParquetFolderOptions, context: Context) -> Dataset:
    """The files, to be read part by part.

    Raises:
        ConfigError: if the URL cannot be used.
    """
    from labelnext_adapters.files.dataset import Dataset

    return Dataset(path, options, context)


def read(path: Path | str, options: ParquetFolderOptions, context: Context) -> Pool:
    """All items, in memory."""
    return open_parts(path, options, context).read()


FORMAT = Format(
    "parquet-folder",
    "many Parquet files, read in parts, so they may be larger than memory",
    (),
    ParquetFolderOptions,
    read,
    recognises=is_folder,
    recognised_by="a folder, glob or URL of Parquet files",
    many_of="parquet",
    open_parts=open_parts,
)
