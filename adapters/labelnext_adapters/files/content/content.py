"""The content of a file: decompressed, decoded, parsed; and one place that says what is wrong."""

from __future__ import annotations

import io
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from labelnext.adapter.sample import compressed_by, encoding_of, unpacking
from labelnext.errors import InvalidInput, LabelnextError
from labelnext_adapters.files.content.doubled import loads
from labelnext_adapters.files.content.oddities import Broken
from labelnext_adapters.files.content.unpacked import Limit, limit_of

_SHOWN = 200  # lines that show whether a file has a value on each
_BLOCK = 1 << 18  # bytes read at once: what they decode to stays in the cache
_START = re.compile(r"\s*\{")
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_PACKERS = (lzma.LZMAError, zipfile.BadZipFile, zlib.error)


def check_file(path: Path) -> None:
    """Refuse what isn't a file: reading a pipe or a device may never end.

    Raises:
        InvalidInput: if it is a folder, a pipe or a device.
    """
    if path.exists() and not path.is_file():
        what = "folder" if path.is_dir() else "pipe or device"
        raise InvalidInput(f"{path.name} must be a file; it is a {what}.")


def check_kind(path: Path) -> None:
    """Refuse what often stands in place of a file: the page of a login, a pointer of Git LFS.

    Raises:
        InvalidInput: if it is one.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        start = file.read(200).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"version https://git-lfs"):
        raise InvalidInput(
            f"{path.name} must be data; it is a pointer of Git LFS.", hint="run git lfs pull."
        )
    if start.startswith((b"<!doctype html", b"<html")):
        raise InvalidInput(
            f"{path.name} must be data; it is an HTML page.",
            hint="it may be the page of a login; download the file again.",
        )


def byte_blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, a block at a time, decompressed: gzip, zstd, bz2, lz4, xz, zip of one.

    Raises:
        InvalidInput: if it is a folder, broken, or unpacks to too much.
    """
    check_file(path)
    return _blocks(path, limit_of(path.stat().st_size))


def _blocks(path: Path, limit: Limit) -> Iterator[bytes]:
    with path.open("rb") as file:
        kind = compressed_by(path, file.read(8))
        file.seek(0)
        if kind is not None:
            yield from _decompressed(file, kind, limit)
            return
        while block := file.read(_BLOCK):
            yield block


class _Blocks(io.RawIOBase):
    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._rest = blocks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._blocks, b""))
        n_bytes = min(len(buffer), len(self._rest))
        buffer[:n_bytes], self._rest = self._rest[:n_bytes], self._rest[n_bytes:]
        return n_bytes


def file_of(blocks: Iterator[bytes]) -> io.BufferedReader:
    """Blocks as a file, for what reads files.

    Example:
        >>> file_of(iter([b"ab", b"c"])).read()
        b'abc'
    """
    return io.BufferedReader(_Blocks(blocks), _BLOCK)


def read_bytes(path: Path) -> bytes:
    """All bytes of a file, decompressed as by `byte_blocks`.

    Raises:
        InvalidInput: if it is empty, a folder, broken, or unpacks to too much.
    """
    whole = io.BytesIO()  # whose value is no copy
    whole.writelines(byte_blocks(path))
    data = whole.getvalue()
    if not data.strip():
        raise InvalidInput("the file must not be empty.")
    return data


def _decompressed(file: BinaryIO, kind: str, limit: Limit) -> Iterator[bytes]:
    size = 0
    try:
        with unpacking(file, kind) as stream:
            while block := stream.read(_BLOCK):
                size += len(block)
                limit.check("the file", size, more=True)
                yield bytes(block)
    except InvalidInput:
        raise
    except (OSError, ValueError, EOFError, RuntimeError, *_PACKERS) as error:
        if kind == "zip" and not isinstance(error, zipfile.BadZipFile):
            raise InvalidInput(
                f"a zip file must hold one file without a password; {error}.",
                hint="unpack it first.",
            ) from error
        raise InvalidInput(
            f"the file must be whole {kind} data; decompressing it failed after {size:,} bytes.",
            hint="copy or download it again.",
        ) from error


def decoded(data: bytes, encoding: str | None = None) -> str:
    """Bytes as text: UTF-8, or as a byte order mark or `encoding` says.

    Raises:
        InvalidInput: if they aren't text in that encoding.
    """
    name = encoding or encoding_of(data)
    if not data[:4096].strip(b"\0"):
        raise InvalidInput(
            "the file must be text; it begins with NUL bytes alone.",
            hint="it was not written to the disk whole; write or copy it again.",
        )
    if name == "utf-8" and (guess := _wide(data[:4096])):
        raise InvalidInput(
            "the file must be text in UTF-8; every other byte is 0, so it is UTF-16 without a byte "
            "order mark.",
            hint=f"save it as UTF-8, or set source.encoding: {guess} where the format has it.",
        )
    try:
        text = data.decode(name).removeprefix("\ufeff")
        return text.replace("\n\ufeff", "\n") if data.startswith(_MARKS) else text
    except LookupError as error:
        raise InvalidInput(
            f"encoding must be one that Python knows, such as utf-8 or latin-1; got {name!r}."
        ) from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidInput(
            f"the file must be text in {name.upper()}; line {line} has the byte "
            f"{data[error.start]:#04x}, which isn't.",
            hint="save it as UTF-8, or set source.encoding where the format has it (such as "
            "latin-1 or cp1252).",
        ) from error


def _wide(start: bytes) -> str | None:
    """The kind of UTF-16 that a text without a mark seems to be; None if it isn't."""
    few = 0.8 * len(start[::2])
    if start[1::2].count(0) > few:
        return "utf-16-le"
    return "utf-16-be" if start[::2].count(0) > few else None


def read_text(path: Path, encoding: str | None = None) -> str:
    """A file as text.

    Raises:
        InvalidInput: as for `read_bytes` and `decoded`.
    """
    return decoded(read_bytes(path), encoding)


def parsed(text: str, line: int | None = None) -> Any:
    """A JSON value; NaN and Infinity are taken.

    Args:
        text: the JSON.
        line: of the file, if it is one of many.

    Raises:
        InvalidInput: if it isn't JSON; says where, and whether the end is missing.
    """
    try:
        return loads(text, one=line is not None)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        at = line if line is not None else error.lineno
        cure = "the file may be cut off; write or copy it again." if cut else None
        if "double quotes" in error.msg and not cut:
            cure = "Python's print of a list isn't JSON; write it with json.dump."
        raise InvalidInput(
            f"the file must be JSON; line {at}, column {error.colno}: "
            f"{'it ends in the middle of a value' if cut else error.msg.lower()}.",
            hint=cure,
        ) from error
    except RecursionError as error:
        raise InvalidInput("the JSON must not be nested deeper than 1,000 levels.") from error
    except ValueError as error:  # an integer of more digits than Python takes
        raise InvalidInput(
            "the file must be JSON with ordinary numbers; one has more than 4,300 digits."
        ) from error


def read_json(path: Path) -> Any:
    """A JSON file; the list of its lines where each is a value.

    Raises:
        InvalidInput: if it is neither, or a line is broken.
    """
    text = read_text(path)
    try:
        return loads(text)
    except (ValueError, RecursionError):
        values = _several(text)
    for line, value in values:
        if isinstance(value, Broken):
            raise InvalidInput(f"line {line}: {value.why}.")
    return [value for _, value in values]


def parsed_lines(text: str) -> Any:
    r"""A JSON value; where there is one on each line, their list, with `Broken` lines.

    Raises:
        InvalidInput: if it is neither.

    Example:
        >>> parsed_lines("[1]"), parsed_lines("[1]\n[2]")
        ([1], [[1], [2]])
    """
    try:
        return loads(text)
    except (ValueError, RecursionError):
        return [value for _, value in _several(text)]


def _several(text: str) -> list[tuple[int, Any]]:
    """The values of a text that isn't one, on a line each or one after the other; with the lines.

    Raises:
        InvalidInput: if it is neither; says what is wrong.
    """
    values = json_lines(text) if _is_lines(text) else _one_after_the_other(text)
    return [(1, parsed(text))] if values is None else values


def json_lines(text: str) -> list[tuple[int, Any]]:
    """The JSON values of the lines that aren't empty, with their line numbers from 1.

    A line that isn't JSON is `Broken`, so that it decides for itself alone.

    Raises:
        InvalidInput: if no line is JSON, or the last one is cut off: nobody knows what is missing.
    """
    lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    values: list[tuple[int, Any]] = []
    first: InvalidInput | None = None
    for number, line in lines:
        try:
            values.append((number, parsed(_without_comma(line), number)))
        except InvalidInput as error:
            if number == lines[-1][0] and error.hint and not text.endswith("\n"):
                if (whole := _one_after_the_other(text)) is not None:
                    return whole
                raise
            first = first or error
            values.append((number, Broken(_what_is_wrong(error, number))))
    broken = [value for _, value in values if isinstance(value, Broken)]
    if 2 * len(broken) > len(values) and (whole := _one_after_the_other(text)) is not None:
        return whole
    if first is not None and len(broken) == len(values):
        raise first
    return values


def _without_comma(line: str) -> str:
    """A line without the comma at its end that separates members of a list."""
    bare = line.rstrip()
    return bare[:-1] if bare.endswith("},") else line


def _one_after_the_other(text: str) -> list[tuple[int, Any]] | None:
    """Objects that stand one after the other, each over as many lines as it likes; else None."""
    values: list[tuple[int, Any]] = []
    decoder, at, line = json.JSONDecoder(), 0, 1
    while start := _START.match(text, at):
        line += text.count("\n", at, start.end() - 1)
        try:
            value, at = decoder.raw_decode(text, start.end() - 1)
        except (ValueError, RecursionError):
            return None
        values.append((line, value))
        line += text.count("\n", start.end() - 1, at)
    return values if len(values) > 1 and not text[at:].strip() else None


def _what_is_wrong(error: InvalidInput, line: int) -> str:
    """The cause without the line, which is said beside it."""
    said = error.message.rstrip(".").replace(f"JSON; line {line}, ", "JSON; ")
    return re.sub(r"^the (?:file|JSON) must", "it must", said)


def _is_lines(text: str) -> bool:
    """Whether a text that isn't one JSON value looks like one on each line; a few may be broken."""
    lines = [line.strip() for line in text.split("\n") if line.strip()][:_SHOWN]
    whole = sum(line.startswith(("{", "[")) and line.endswith(("}", "]", "},")) for line in lines)
    return len(lines) > 1 and 2 * whole >= len(lines)


def read_records(path: Path) -> list[tuple[str, Any]]:
    """The records of JSON, a list or one object, or of JSON lines; each with its place.

    Raises:
        InvalidInput: if it is neither.
    """
    return records_in(read_text(path))


def records_in(text: str) -> list[tuple[str, Any]]:
    """The records of a text, as of `read_records`."""
    try:
        value = loads(text)
    except (ValueError, RecursionError):
        return [(f"line {number}", record) for number, record in _several(text)]
    if isinstance(value, list):
        return [(f"record {number}", record) for number, record in enumerate(value, 1)]
    return [("the record", value)]


def guarded(name: str, kind: str, read: Callable[[], Any], others: Collection[str] = ()) -> Any:
    """What `read` returns; whatever a library raises becomes one sentence with the cause.

    Args:
        name: of the file.
        kind: the format's name.
        read: reads the file.
        others: names of side files, by which an error may call itself.

    Raises:
        LabelnextError: our own errors, with the file's name.
        InvalidInput: for every other exception.
    """
    try:
        return read()
    except LabelnextError as error:
        if not error.message.startswith((name, *others)):
            error.message = f"{name}: {error.message}"
        raise
    except MemoryError as error:
        raise InvalidInput(f"{name} must fit into memory; it needs more than there is.") from error
    except RecursionError as error:
        raise InvalidInput(f"{name} must not be nested so deep.") from error
    except PermissionError as error:
        raise InvalidInput(
            f"{name} must be readable; {error.strerror or error}.", hint="check its permissions."
        ) from error
    except Exception as error:  # pyarrow, numpy, zipfile, zlib, … have families of their own
        problem = " ".join(str(error).split()) or type(error).__name__
        raise InvalidInput(
            f"{name} can't be read as {kind}: {problem.rstrip('.')}.",
            hint="write the file again, or set source.format if it has another format.",
        ) from error
