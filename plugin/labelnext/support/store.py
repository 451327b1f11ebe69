"""Read and write a folder of files, on disk or in an object store, through `pyarrow.fs`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelnext.errors import (
    ConfigError,
    InvalidInput,
    Unavailable,
    WriteFailed,
    WriteRefused,
    listed,
)
from labelnext.support.files import sweep, write_atomically
from labelnext.support.threads import arrow_threads

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.fs

MANIFEST = "manifest.json"
_LAST_PORT = 65_535
_NARROWED = {b"labelnext": b"float64"}
_RUN_ID = re.compile(r"\d{8}T\d{6}-\d{6}0*")


class Store:
    """A folder in which every file is either complete or absent.

    Args:
        place: a folder, or a URL that `pyarrow.fs` supports, such as s3://bucket/folder.

    Raises:
        ConfigError: if the URL contains a password or isn't supported.
    """

    def __init__(self, place: Path | str) -> None:
        self.place = str(place)
        self.files, self.root = filesystem(place)

    @property
    def local(self) -> bool:
        """Whether the folder is on this machine."""
        from pyarrow.fs import LocalFileSystem

        return isinstance(self.files, LocalFileSystem)

    def path(self, name: str) -> str:
        """The path of a file in the folder, for the file system."""
        return f"{self.root}/{name}"

    def folders(self) -> list[str]:
        """Names of the folders inside, sorted."""
        from pyarrow.fs import FileSelector, FileType

        infos = self.files.get_file_info(FileSelector(self.root, allow_not_found=True))
        return sorted(info.base_name for info in infos if info.type == FileType.Directory)

    def filled(self) -> bool:
        """Whether the folder contains anything."""
        from pyarrow.fs import FileSelector

        return bool(self.files.get_file_info(FileSelector(self.root, allow_not_found=True)))

    def check_ours(self) -> None:
        """Check that the folder holds a ranking of labelnext, or nothing.

        Raises:
            WriteRefused: if it holds something that labelnext didn't write.
            Unavailable: if the store doesn't answer.
        """
        from pyarrow.fs import FileSelector

        try:
            content = self.read_bytes(MANIFEST)
            infos = self.files.get_file_info(FileSelector(self.root, allow_not_found=True))
        except OSError as error:
            why = " ".join(str(error).split())
            raise Unavailable(f"{self.place!r} can't be read: {why}.") from error
        names = sorted(info.base_name for info in infos)
        others = [n for n in names if not n.startswith(".") and not is_run_id(n) and n != MANIFEST]
        if MANIFEST in names and (content is None or manifest_of(content) is None):
            others = [MANIFEST]  # a folder, or a file of somebody else's
        elif content is not None:
            return  # a ranking, whatever else somebody put beside it
        if others:
            raise WriteRefused(
                f"{self.place!r} must be a new folder, or one with a ranking of labelnext; it "
                f"holds {listed(others)}.",
                hint="set write.output to another folder.",
            )

    def write_table(self, name: str, table: pa.Table) -> None:
        """Write a table as Parquet; a reader sees all of it or nothing.

        Raises:
            WriteFailed: if the disk is full, or the store refuses.
        """
        import pyarrow.parquet
        from pyarrow.types import is_dictionary, is_floating

        leaves = dict(map(_leaf, table.schema))
        # Ids and scores hardly repeat: a dictionary pays where the table has one already.
        repeated = [path for path, kind in leaves.items() if is_dictionary(kind)]
        packed = [path for path, kind in leaves.items() if not is_floating(kind)]

        def fill(file: Any) -> None:
            pyarrow.parquet.write_table(
                table,
                file,
                use_dictionary=repeated or False,
                # Floats hardly get smaller, and take most of the time.
                compression=dict.fromkeys(packed, "snappy"),
            )

        self._write(name, fill)

    def read_table(self, name: str) -> pa.Table:
        """A table that `write_table` wrote.

        Raises:
            FileNotFoundError: if there is none.
            InvalidInput: if it is damaged.
        """
        import pyarrow.parquet

        with self._undamaged(name):
            table = pyarrow.parquet.read_table(
                self.path(name), filesystem=self.files, use_threads=arrow_threads()
            )
            table.validate(full=True)  # what follows trusts offsets and indices
        return table

    def write_rows(
        self, name: str, table: pa.Table, cuts: Sequence[int] = (), *, packed: bool = False
    ) -> None:
        """Write a table that is soon read again, by pieces or by columns, as an Arrow file.

        It can be made again: after a loss of power the file may be gone, but is never in part.

        Args:
            name: of the file.
            table: what it is to hold.
            cuts: the rows with which each piece but the first begins, ascending.
            packed: whether to compress it, by LZ4, and to keep float64 as float32 where that loses
                nothing; less than half of the size for twice the time.

        Raises:
            WriteFailed: if the disk is full, or the store refuses.
        """
        import pyarrow as pa

        options = pa.ipc.IpcWriteOptions(
            compression="lz4" if packed else None, use_threads=arrow_threads()
        )
        table = _narrowed(table) if packed else table

        def fill(file: Any) -> None:
            with pa.ipc.new_file(file, table.schema, options=options) as writer:
                for start, end in pairwise([0, *cuts, len(table)]):
                    columns = table.slice(start, end - start).columns
                    whole = [column.combine_chunks() for column in columns]
                    writer.write_batch(pa.record_batch(whole, schema=table.schema))

        self._write(name, fill, lasting=False)

    def read_columns(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Some columns of a table that `write_rows` wrote; all when None.

        Raises:
            FileNotFoundError: if there is no such file.
            InvalidInput: if it is damaged.
        """
        import pyarrow as pa

        with self._undamaged(name), self.files.open_input_file(self.path(name)) as opened:
            fields = None
            if columns is not None:
                with pa.ipc.open_file(opened) as file:
                    fields = [file.schema.get_field_index(column) for column in columns]
                opened.seek(0)
            options = pa.ipc.IpcReadOptions(included_fields=fields, use_threads=False)
            with pa.ipc.open_file(opened, options=options) as file:
                table = file.read_all()
            table.validate(full=True)  # what follows trusts offsets and indices
        return _widened(table if columns is None else table.select(columns))

    def read_piece(self, name: str, number: int) -> pa.Table:
        """One piece of a table that `write_rows` wrote, without reading the others.

        Raises:
            FileNotFoundError: if there is no such file.
            InvalidInput: if it is damaged.
        """
        import pyarrow as pa

        with (
            self._undamaged(name),
            self.files.open_input_file(self.path(name)) as opened,
            pa.ipc.open_file(opened) as file,
        ):
            table = pa.Table.from_batches([file.get_batch(number)])
            table.validate(full=True)
        return table

    @contextmanager
    def _undamaged(self, name: str) -> Iterator[None]:
        """Meanwhile, what Arrow refuses is said to be damaged."""
        import pyarrow as pa

        try:
            yield
        except FileNotFoundError:
            raise
        except (pa.ArrowException, OSError, ValueError) as error:
            raise InvalidInput(
                f"{self.path(name)!r} must be as labelnext wrote it; "
                f"{' '.join(str(error).split()).rstrip('.')}.",
                hint="run again; an unfinished run has to be undone first.",
            ) from error

    def write_lines(self, name: str, rows: Iterable[Any]) -> None:
        """Write rows as lines of JSON; a reader sees all of it or nothing.

        Raises:
            WriteFailed: if the disk is full, or the store refuses.
        """
        encode = json.JSONEncoder(ensure_ascii=False).encode

        def fill(file: Any) -> None:
            for row in rows:
                file.write(f"{encode(row)}\n".encode())

        self._write(name, fill)

    def write_json(self, name: str, data: Any) -> None:
        """Write JSON; a reader sees the old file or the new one.

        Raises:
            WriteFailed: if the disk is full, or the store refuses.
        """
        self.write_bytes(name, json.dumps(data, ensure_ascii=False, indent=1).encode())

    def write_bytes(self, name: str, data: bytes) -> None:
        """Write bytes; a reader sees the old file or the new one."""
        self._write(name, lambda file: file.write(data))

    def read_bytes(self, name: str) -> bytes | None:
        """Content of a file; None if there is none."""
        from pyarrow.fs import FileType

        if self.files.get_file_info(self.path(name)).type != FileType.File:
            return None
        with self.files.open_input_stream(self.path(name)) as file:
            content: bytes = file.read()
            return content

    def sweep(self) -> None:
        """Remove the temporary files that dead processes left, on this machine."""
        if self.local:
            for folder in (self.root, *(self.path(name) for name in self.folders())):
                sweep(Path(folder))

    def remove(self, name: str) -> None:
        """Remove a file, if it exists."""
        from pyarrow.fs import FileType

        if self.files.get_file_info(self.path(name)).type == FileType.File:
            self.files.delete_file(self.path(name))

    def remove_folder(self, name: str) -> None:
        """Remove a folder and everything in it, if it exists."""
        from pyarrow.fs import FileType

        if self.files.get_file_info(self.path(name)).type == FileType.Directory:
            self.files.delete_dir(self.path(name))

    def _write(self, name: str, fill: Any, *, lasting: bool = True) -> None:
        target = self.path(name)
        try:
            if not self.local:  # an object only appears once it is complete
                with self.files.open_output_stream(target) as file:
                    fill(file)
                return
            write_atomically(Path(target), fill, lasting=lasting)
        except WriteFailed as error:
            error.hint = f"what was there before is untouched; {error.hint or 'resume later.'}"
            raise
        except OSError as error:  # Arrow's are OSErrors too
            raise WriteFailed(
                f"{target!r} could not be written: {' '.join(str(error).split())}.",
                hint="what was there before is untouched; free some space, then resume.",
            ) from error


def is_run_id(name: str) -> bool:
    """Whether a name has the form of a run id, by which journals and folders are called."""
    return _RUN_ID.fullmatch(name) is not None


def manifest_of(content: bytes | str) -> dict[str, Any] | None:
    """What a manifest says; None if labelnext didn't write it."""
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError):
        return None
    ours = isinstance(manifest, dict) and isinstance(manifest.get("files"), list)
    return manifest if ours and is_run_id(str(manifest.get("run_id"))) else None


def _narrowed(table: pa.Table) -> pa.Table:
    """A table whose float64 are float32 where that loses nothing, and are marked so.

    LZ4 hardly makes floats smaller, and takes most of its time for them.
    """
    import pyarrow as pa

    for at, field in enumerate(table.schema):
        if field.type == pa.float64():
            narrow = table.column(at).cast(pa.float32(), safe=False)
            if narrow.cast(pa.float64()).equals(table.column(at)):
                marked = pa.field(field.name, pa.float32(), metadata=_NARROWED)
                table = table.set_column(at, marked, narrow)
    return table


def _widened(table: pa.Table) -> pa.Table:
    """The table that was narrowed."""
    import pyarrow as pa

    for at, field in enumerate(table.schema):
        if field.metadata == _NARROWED:
            table = table.set_column(at, field.name, table.column(at).cast(pa.float64()))
    return table


def _leaf(field: pa.Field) -> tuple[str, pa.DataType]:
    """The path of a column's values inside a Parquet file, and their type."""
    from pyarrow.types import is_list

    if is_list(field.type):
        return f"{field.name}.list.element", field.type.value_type
    return str(field.name), field.type


def is_url(place: Path | str) -> bool:
    """Whether a place is a URL rather than a path."""
    return isinstance(place, str) and "://" in place


def host_and_port(listen: str) -> tuple[str, int] | None:
    """The two parts of an address to listen at; None if it isn't one.

    Example:
        >>> host_and_port("127.0.0.1:8765"), host_and_port("[::1]:80"), host_and_port(":80")
        (('127.0.0.1', 8765), ('::1', 80), None)
    """
    parts = re.fullmatch(r"(?:\[([0-9a-f:]+)\]|([^\s:/]+)):(\d{1,5})", listen)
    if parts is None or int(parts[3]) > _LAST_PORT:
        return None
    return parts[1] or parts[2], int(parts[3])


def filesystem(place: Path | str) -> tuple[pyarrow.fs.FileSystem, str]:
    """The file system of a place, and its path there.

    Raises:
        ConfigError: if the URL contains a password or isn't supported.
        Unavailable: if the store does not answer.
    """
    from pyarrow.fs import FileSystem, LocalFileSystem

    if not is_url(place):
        return LocalFileSystem(), str(Path(place).absolute())
    text = str(place)
    if not text.split("://", 1)[1].strip("/"):
        raise ConfigError(f"a URL must name a bucket or folder; got {text!r}.")
    if "@" in text.split("://", 1)[1].split("/", 1)[0]:
        raise ConfigError(
            "a URL must not contain a user or password; got one that does.",
            hint="set credentials in the environment, such as AWS_ACCESS_KEY_ID.",
        )
    try:
        files, path = FileSystem.from_uri(text)
    except (ValueError, NotImplementedError, ImportError) as error:
        raise ConfigError(
            f"{text!r} must be a URL that pyarrow supports, such as s3://bucket/folder; {error}.",
            hint="download it, and set the path of the file." if text.startswith("http") else None,
        ) from error
    except OSError as error:
        raise Unavailable(f"{text!r} does not answer: {error}.") from error
    return files, path.rstrip("/")
