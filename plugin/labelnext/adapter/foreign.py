"""Files of kinds that hold no predictions, by their first bytes, and what to do instead."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path

from labelnext.adapter.sample import Sample
from labelnext.errors import ConfigError

_START = 512  # bytes
_TAR = slice(257, 262)  # where a tar archive says what it is

_TO_CSV = "save the sheet as CSV, with the names of its columns in the first line."
_TO_PARQUET = "convert it to Parquet."
_UNPACK = "unpack it first."
_NOT_DATA = "name the file with the model's predictions."
_CURES = {
    "an Excel sheet": _TO_CSV,
    "an Office file": _TO_CSV,
    "an OpenDocument file": _TO_CSV,
    "a Word document": _NOT_DATA,
    "an SQLite database": "export the table as CSV: sqlite3 -header -csv FILE 'SELECT …'.",
    "an HDF5 file": "save its arrays by numpy.savez, with item_ids and probabilities.",
    "an Avro file": _TO_PARQUET,
    "an ORC file": _TO_PARQUET,
    "a PDF": _NOT_DATA,
    "an image": _NOT_DATA,
    "a video or sound": _NOT_DATA,
}
_STARTS = {
    b"SQLite format 3\0": "an SQLite database",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Office file",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"%PDF-": "a PDF",
    b"\x89PNG\r\n": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"II*\0": "an image",
    b"MM\0*": "an image",
    b"OggS": "a video or sound",
    b"ID3": "a video or sound",
    b"\x1aE\xdf\xa3": "a video or sound",
    b"7z\xbc\xaf\x27\x1c": "an archive",
    b"Rar!\x1a\x07": "an archive",
}
_RIFF = {b"WEBP": "an image", b"AVI ": "a video or sound", b"WAVE": "a video or sound"}
_INSIDE = {  # a zip
    "xl/workbook.xml": "an Excel sheet",
    "xl/workbook.bin": "an Excel sheet",
    "word/document.xml": "a Word document",
    "content.xml": "an OpenDocument file",
}


def kind_of(path: Path) -> str | None:
    """What a file is, in words, if it is of a known kind that holds no predictions; else None."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        start = file.read(_START)
    if start.startswith(b"PK\x03\x04"):
        return _zipped(path)
    unpacked = Sample(path).start
    if b"ustar" in (start[_TAR], unpacked[_TAR]):
        return "an archive"
    if start[4:8] == b"ftyp":
        return "an image" if start[8:12] in (b"heic", b"avif", b"mif1") else "a video or sound"
    if start.startswith(b"RIFF"):
        return _RIFF.get(start[8:12])
    return next((kind for mark, kind in _STARTS.items() if start.startswith(mark)), None)


def _zipped(path: Path) -> str | None:
    names: list[str] = []
    with suppress(OSError, ValueError, zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    known = next((kind for name, kind in _INSIDE.items() if name in names), None)
    several = len([name for name in names if not name.endswith("/")]) > 1
    return known or ("an archive" if several else None)


def refuse_foreign(path: Path) -> None:
    """Refuse a file of a known kind that holds no predictions, such as an Excel sheet.

    Raises:
        ConfigError: if it is one, with what to do instead.
    """
    kind = kind_of(path)
    if kind is not None:
        cure = _CURES.get(kind, _UNPACK)
        raise ConfigError(f"path must hold predictions; {path.name!r} is {kind}.", hint=cure)
