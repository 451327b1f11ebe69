"""Sample: the beginning of a file, or the names in a folder, to recognise a format by."""

from __future__ import annotations

import json
import lzma
import os
import re
import zipfile
import zlib
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO, Any

from labelnext.support.arrays import DAMAGED
from labelnext.support.folders import files_below

_START = 256 << 10  # bytes, decompressed
_JSON_START = 32 << 10  # characters, where the value is longer
_NAMES = 2000
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bz2",
    b"\x04\x22\x4d\x18": "lz4",
    b"\xfd7zXZ\0": "xz",
}
_ENDINGS = (".gz", ".zst", ".bz2", ".lz4", ".xz", ".zip")
_OF_MAC = ("__MACOSX/", ".DS_Store")  # what its archives hold beside the files
_MAGIC = {b"PAR1": ".parquet", b"ARROW1": ".arrow", b"\x93NUMPY": ".npy"}
_JSON = (".json", ".jsonl", ".ndjson")
#: Endings of what often lies beside data: checksums, images, notes, configurations and reports.
_BESIDE = (
    ".crc", ".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".md", ".yaml",
    ".yml", ".html",
)  # fmt: skip
#: Names of what people and systems leave in folders.
_NOTES = re.compile(
    r"(readme|notes?|licen[cs]e|changelog|requirements)(\.(txt|rst))?|thumbs\.db|desktop\.ini"
)
_RANKINGS = (".csv", ".jsonl", ".parquet")
_RANKED = (b"item_id", b"rank", b"priority", b"score")  # keys of a ranking
_LINE = 4096  # bytes
#: Endings of tables and lists, whose parts a folder may hold.
_ARROW = (".arrow", ".arrows", ".feather", ".ipc")
SHARDED = (*_JSON, ".csv", ".tsv", ".tab", *_ARROW, ".npz")
_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


_DECLARED = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding=[\"']([\w.-]+)")  # the encoding of XML


def compression_of(start: bytes) -> str | None:
    """How bytes are compressed, by their first few: gzip, zstd, bz2, lz4, xz; None if they aren't.

    Example:
        >>> import gzip
        >>> compression_of(gzip.compress(b"text")), compression_of(b"text")
        ('gzip', None)
    """
    return next((name for mark, name in _COMPRESSED.items() if start.startswith(mark)), None)


def compressed_by(path: Path, start: bytes) -> str | None:
    """How a file is compressed: as `compression_of` its first bytes, or zip by its name."""
    return "zip" if path.suffix.lower() == ".zip" else compression_of(start)


def unpacking(file: IO[bytes], kind: str) -> IO[bytes]:
    """What a compressed file unpacks to, also inside a zip, to be read a piece at a time.

    Args:
        file: the packed bytes.
        kind: as of `compressed_by`.

    Raises:
        ValueError: if an archive doesn't hold exactly one file.
    """
    if kind == "xz":
        return lzma.LZMAFile(file)
    if kind == "zip":
        archive = zipfile.ZipFile(file)
        member: Any = archive.open(_only_file(archive))
        packed = compression_of(member.peek(8))
        return member if packed is None else unpacking(member, packed)
    import pyarrow as pa

    stream: IO[bytes] = pa.CompressedInputStream(file, kind)
    return stream


def _only_file(archive: zipfile.ZipFile) -> str:
    names = [n for n in archive.namelist() if not n.endswith("/")]
    names = [n for n in names if not n.startswith(_OF_MAC[0]) and not n.endswith(_OF_MAC[1])]
    if len(names) != 1:
        raise ValueError(f"it holds {len(names):,} files")
    return names[0]


def encoding_of(start: bytes) -> str:
    """The encoding that a byte order mark names; UTF-8 without one.

    Example:
        >>> encoding_of("text".encode("utf-16")), encoding_of(b"text")
        ('utf-16', 'utf-8')
    """
    return next((name for mark, name in _MARKS.items() if start.startswith(mark)), "utf-8")


def suffix_of(path: Path | str) -> str:
    """The ending of a name in lower case, without those of compression; of a zip, its file's.

    Example:
        >>> suffix_of(Path("a.JSON.gz")), suffix_of(Path("a.csv"))
        ('.json', '.csv')
    """
    name, ending = os.path.splitext(path)
    while (ending := ending.lower()) in _ENDINGS:
        zipped = ending == ".zip"
        name, ending = os.path.splitext(name)
        if zipped and not ending and os.path.isfile(path):
            with suppress(*DAMAGED), open(path, "rb") as file:
                return suffix_of(_only_file(zipfile.ZipFile(file)))
    return ending


def shards_of(folder: Path, names: Iterable[str]) -> list[Path]:
    """The files of a folder that holds parts of one table or list alone; else none.

    They end as tables do; or alike, or their names differ only in digits, and they hold JSON.
    Hidden files, those that begin with `_`, as Spark's, checksums, images, notes and rankings of
    labelnext don't count.

    Args:
        folder: where they are.
        names: of all its files, relative to it.
    """
    parts = sorted(name for name in names if may_be_part(folder, name))
    endings = {suffix_of(f"{folder}/{name}") for name in parts}
    shards = len(endings) == 1 and endings <= set(SHARDED)
    alike = len(endings) == 1 or len({re.sub(r"\d+", "0", name) for name in parts}) == 1
    if shards or (alike and Sample(folder / parts[0]).is_json):
        return [folder / name for name in parts]
    return []


def may_be_part(folder: Path, name: str) -> bool:
    """Whether a file counts where a folder holds parts of one table or list.

    Args:
        folder: where it is.
        name: of the file, relative to the folder.

    Example:
        >>> may_be_part(Path("p"), "1.json"), may_be_part(Path("p"), "_SUCCESS")
        (True, False)
        >>> may_be_part(Path("p"), "README.txt"), may_be_part(Path("p"), "a.txt")
        (False, True)
    """
    if name[0] in "._" or "/." in name or "/_" in name:
        return False
    lower = name.lower()
    if lower.endswith(_BESIDE) or _NOTES.fullmatch(lower, lower.rfind("/") + 1):
        return False
    return not (lower.endswith(_RANKINGS) and has_ranking_columns(f"{folder}/{name}"))


def has_ranking_columns(path: str) -> bool:
    """Whether a file begins as a ranking that labelnext writes, or has its columns among others."""
    ending = os.path.splitext(path)[1].lower()
    if ending not in _RANKINGS:
        return False
    try:
        with open(path, "rb") as file:
            head = _footer(file) if ending == ".parquet" else file.read(_LINE).partition(b"\n")[0]
    except (OSError, ValueError):
        return False
    return all(name in head for name in _RANKED)


def _footer(file: IO[bytes]) -> bytes:
    """The end of a Parquet file, which names its columns; ValueError if it is none."""
    size = file.seek(0, 2)
    file.seek(-min(size, 8), 2)
    length, mark = file.read(4), file.read(4)
    if mark != b"PAR1":
        raise ValueError("no Parquet file")
    file.seek(max(size - 8 - int.from_bytes(length, "little"), 0))
    return file.read(_START)


class Sample:
    """What recognises a path, without reading all of it.

    Args:
        path: a file or folder on this machine.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def is_folder(self) -> bool:
        """Whether the path is a folder."""
        return self.path.is_dir()

    @cached_property
    def suffix(self) -> str:
        """The ending of the name, as `suffix_of` gives it."""
        return suffix_of(self.path)

    @cached_property
    def names(self) -> list[str]:
        """The files of a folder, relative to it, sorted; the first few thousand that are met.

        Hidden ones don't count.
        """
        if not self.is_folder:
            return []
        return sorted(islice(files_below(self.path), _NAMES))

    @cached_property
    def endings(self) -> frozenset[str]:
        """The endings of the names, in lower case."""
        return frozenset(os.path.splitext(name)[1].lower() for name in self.names)

    @cached_property
    def shard(self) -> Sample | None:
        """The first file of a folder that holds parts of one table or list alone."""
        paths = shards_of(self.path, self.names) if self.is_folder else []
        return Sample(paths[0]) if paths else None

    @cached_property
    def ending(self) -> str:
        """The ending that the content calls for, of a folder of shards theirs; empty if none."""
        if self.is_folder:
            return "" if self.shard is None else self.shard.ending or self.shard.suffix
        magic = next((one for mark, one in _MAGIC.items() if self.start.startswith(mark)), "")
        if magic or not self.is_json:
            return magic
        if self.suffix in _JSON:
            return self.suffix
        return ".jsonl" if len(self.records) > 1 and isinstance(self.json, dict) else ".json"

    @cached_property
    def start(self) -> bytes:
        """The first bytes, decompressed; empty for a folder or what can't be read."""
        try:
            if not self.path.is_file():
                return b""
            with self.path.open("rb") as file:
                start = file.read(_START)
                kind = compressed_by(self.path, start)
                if kind == "zip":
                    return unpacking(file, kind).read(_START)
        except DAMAGED:
            return b""
        return start if kind is None else _decompressed(start, kind)

    @cached_property
    def text(self) -> str | None:
        """The beginning as text; None if it isn't text."""
        encoding = encoding_of(self.start)
        if encoding == "utf-8" and b"\0" in self.start:
            return None
        if declared := _DECLARED.match(self.start):
            with suppress(LookupError, UnicodeError):
                text = self.start.decode(declared[1].decode(), errors="replace")
                if "<?xml" in text:  # else it declares another one than its own
                    return text
        try:
            return self.start.decode(encoding)
        except UnicodeDecodeError as error:
            cut = len(self.start) >= _START and error.end >= len(self.start) - 4
            return self.start[: error.start].decode(encoding) if cut else None

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the beginning that aren't empty; the last is left out if it may be cut."""
        lines = (self.text or "").splitlines()
        if len(self.start) >= _START and len(lines) > 1:
            lines.pop()
        return [line for line in lines if line.strip()]

    @cached_property
    def header(self) -> frozenset[str]:
        """The names in the first line of a table, separated by commas; none in JSON."""
        first = self.lines[0] if self.lines and self.json is None else ""
        return frozenset(name.strip('" ') for name in first.split(","))

    @cached_property
    def json(self) -> Any:
        """The first JSON value, cut short where the file is long; None if it isn't JSON."""
        return _json_start(self.text or "")

    @cached_property
    def may_hold_json(self) -> bool:
        """Whether it is JSON, has JSON on its lines, or is a folder, whose files may be JSON."""
        return self.is_folder or self.json is not None or bool(self.records)

    @cached_property
    def is_json(self) -> bool:
        """Whether it begins as JSON does to its end: with one value, or one after the other."""
        text = (self.text or "").lstrip("\ufeff \t\r\n")
        try:
            _, end = json.JSONDecoder().raw_decode(text) if text[:1] in ("[", "{") else ("", 0)
        except (ValueError, RecursionError):
            return bool(self.records) or self.json is not None
        return end > 0 and text[end:].lstrip(", \t\r\n")[:1] in ("", "[", "{")

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """The first JSON objects of a list or of lines, or the only one."""
        if isinstance(self.json, list) and self.json:
            return [record for record in self.json if isinstance(record, dict)]
        lines = self.lines[:20]
        several = [record for record in map(_object, lines) if record is not None]
        if len(lines) > 1 and 2 * len(several) > len(lines):  # a few may be broken
            return several
        return [self.json] if isinstance(self.json, dict) else []


def _decompressed(start: bytes, kind: str) -> bytes:
    """As much as can be had of the beginning of a compressed file."""
    try:
        if kind == "gzip":
            return zlib.decompressobj(31).decompress(start, _START)
        if kind == "xz":
            return lzma.LZMADecompressor().decompress(start, _START)
        import pyarrow as pa

        with unpacking(pa.BufferReader(start), kind) as stream:
            return bytes(stream.read(_START))
    except (OSError, ValueError, zlib.error, lzma.LZMAError):
        return b""


def _object(line: str) -> dict[str, Any] | None:
    """The JSON object on a line; None if there is none."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _json_start(text: str) -> Any:
    """A JSON value, or as much of it as there is; None if it isn't JSON."""
    text = text.lstrip("\ufeff \t\r\n")
    if not text or text[0] not in "[{":
        return None
    try:
        return json.JSONDecoder().raw_decode(text)[0]
    except (ValueError, RecursionError):
        pass
    text = text[:_JSON_START]
    whole, closers = _closed(text)
    try:
        return json.loads(text[:whole] + closers)
    except (ValueError, RecursionError):
        return None


def _closed(text: str) -> tuple[int, str]:
    """Where the last whole member of a cut-off JSON value ends, and what closes the value there."""
    stack: list[str] = []
    last = 0
    quoted = escaped = False
    for position, sign in enumerate(text):
        if quoted:
            quoted = escaped or sign != '"'
            escaped = sign == "\\" and not escaped
        elif sign == '"':
            quoted = True
        elif sign in "[{":
            stack.append("]" if sign == "[" else "}")
            last = position + 1
        elif sign in "]}" and stack:
            stack.pop()
            last = position + 1
        elif sign == ",":
            last = position
        if not stack and position:
            break
    return last, "".join(reversed(stack))
