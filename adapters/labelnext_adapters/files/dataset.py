"""A Parquet dataset: a folder or a glob of files, local or in an object store, read in parts."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from labelnext.adapter.protocol import Context, Part
from labelnext.adapter.sample import suffix_of
from labelnext.errors import InvalidInput, LabelnextError, NotFound, Unavailable, listed
from labelnext.pool.pool import Pool
from labelnext.support.files import matches
from labelnext.support.folders import files_below
from labelnext.support.store import filesystem
from labelnext.support.threads import in_order
from labelnext_adapters.files.content.unread_texts import refuse_folder
from labelnext_adapters.files.globs import WILD
from labelnext_adapters.files.huggingface.dataset import stored_columns, with_paths
from labelnext_adapters.files.huggingface.features import features_in, plain_table
from labelnext_adapters.files.huggingface.pool import plain_part, pool_of_dataset, with_ids
from labelnext_adapters.files.image_names import IMAGE_ENDINGS
from labelnext_adapters.files.tables.column_names import ColumnRoles, has_our_names, id_column
from labelnext_adapters.files.tables.columns import columns_read, part_of_table
from labelnext_adapters.files.tables.ids import id_texts
from labelnext_adapters.files.tables.index_levels import index_levels, joined, told
from labelnext_adapters.files.tables.layout import laid_out
from labelnext_adapters.files.tables.parquet import BROKEN, read_columns
from labelnext_adapters.files.tables.repeats import repeats
from labelnext_adapters.files.tables.rows import Rows
from labelnext_adapters.files.tables.table import TableReader
from labelnext_adapters.files.tables.table_format import pool_of
from labelnext_adapters.files.tables.table_options import (
    ParquetFolderOptions,
    check_metadata,
    named_columns,
)
from labelnext_adapters.files.tables.vectors import Meaning

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.fs


_ENDINGS = (".parquet", ".pq")
_TEXTS = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".tab", ".txt")
# Decoded, a part takes a few times this much; a group of rows is never split.
_BYTES = 16 << 20
_ROWS = 200_000
_IN_MEMORY = 4 << 30
# What labelnext itself writes, should it lie inside the pool: a ranking in parts, or a kept copy.
_OURS = re.compile(
    r"(^|/)\d{8}T\d{6}-\d{6}0*(/(scores|rest)/.*|/part-\d{5,6}(-[0-9a-f]{16})?\.parquet|\.before\.parquet)$"
)

_log = logging.getLogger("labelnext")


class Dataset:
    """The files of a pool.

    Args:
        place: a folder or glob on this machine, or the text of a URL.
        options: how they are read.
        context: key and progress.

    Raises:
        ConfigError: if the URL cannot be used.
    """

    def __init__(self, place: Path | str, options: ParquetFolderOptions, context: Context) -> None:
        self._options = options
        self._columns, self._context = named_columns(options, context), context
        self._place = str(place)
        self._files, self._path = filesystem(place)
        self._near = self._files.type_name == "local"

    def files(self) -> list[pyarrow.fs.FileInfo]:
        """The Parquet files, by name; those whose name begins with . or _ are no data.

        Rankings that labelnext wrote into the folder are left out.

        Raises:
            NotFound: if there is none.
            Unavailable: if the store does not answer.
        """
        base = self._path
        while any(sign in base for sign in WILD) and not (self._near and Path(base).exists()):
            base = str(PurePosixPath(base).parent)
        try:
            infos = self._infos(base)
        except FileNotFoundError:
            infos = []
        except UnicodeEncodeError as error:
            raise self._no_utf_8(os.fsencode(error.object)) from error
        except OSError as error:
            raise Unavailable(f"can't list {self._place!r}: {error!s:.300}.") from error
        try:
            wanted = [info for info in infos if self._wanted(info.path, base)]
        except UnicodeDecodeError as error:
            raise self._no_utf_8(error.object) from error
        others = [i.path for i in wanted if suffix_of(Path(i.path)) in (*_TEXTS, *IMAGE_ENDINGS)]
        if len(others) == len(wanted):
            if self._near:
                refuse_folder(Path(base), self._place, self._path[len(base) :].strip("/"))
            held = others or sorted(info.path for info in infos)
            names = f" ({listed(PurePosixPath(path).name for path in held)})" if held else ""
            raise NotFound(
                f"path must be a folder, glob or URL of Parquet files; {self._place!r} has "
                f"{'others' if others else 'none'}{names}.",
                hint="for files of another kind point path at one.",
            )
        return sorted(wanted, key=lambda info: str(info.path))

    def _no_utf_8(self, name: bytes) -> InvalidInput:
        return InvalidInput(
            f"files in {self._place!r} must have names in UTF-8; got one with the bytes "
            f"{name[-40:]!r}.",
            hint="rename it.",
        )

    def _infos(self, base: str) -> list[pyarrow.fs.FileInfo]:
        from pyarrow.fs import FileSelector, FileType

        info = self._files.get_file_info(base)
        if info.type == FileType.File:
            return [info]
        if info.type == FileType.NotFound:
            return []
        if self._near:
            names = [f"{base.rstrip('/')}/{name}" for name in files_below(Path(base))]
            infos = self._files.get_file_info(names)
        else:
            infos = self._files.get_file_info(FileSelector(base, recursive=True))
        return [info for info in infos if info.type == FileType.File]

    def _wanted(self, path: str, base: str) -> bool:
        inside = path[len(base) :].strip("/")
        if any(part.startswith((".", "_")) for part in inside.split("/")):
            return False
        pattern = self._path[len(base) :].strip("/")
        if not (matches(inside, pattern) if pattern else path.endswith(_ENDINGS) or path == base):
            return False
        ours = _OURS.search(inside) is not None
        if ours:
            _log.info("left out of the pool: %s, which labelnext wrote", path)
        return not ours

    def read(self) -> Pool:
        """All items, in memory: for `explain`, `replay` and whatever looks at the whole.

        Raises:
            InvalidInput: if a file is broken, or a value breaks its rule.
        """
        import pyarrow as pa

        tables = []
        size = 0
        for info in self.files():
            size += info.size
            if size > _IN_MEMORY:
                raise InvalidInput(
                    f"the pool must fit into memory here; {self._place!r} needs more than "
                    f"{_IN_MEMORY >> 30} GiB.",
                    hint="point source.path at fewer files; only run handles any number.",
                )
            try:
                tables.append(self._read(info.path, lambda schema: None))
            except LabelnextError as error:
                error.message = f"{info.path}: {error.message}"
                raise
            except BROKEN as error:
                said = " ".join(str(error).split()).rstrip(".")
                raise InvalidInput(f"{info.path} must be a whole Parquet file; {said}.") from error
        if features := features_in(tables[0].schema):
            tables = [plain_table(table) for table in tables]
        whole = pa.concat_tables(tables, promote_options="permissive")
        if features:
            return pool_of_dataset(Rows(whole), features, self._options, self._context)
        notices = [told(self._levels)] if self._levels else []
        return pool_of(Rows(whole, notices), self._options, self._context)

    def _read(self, path: str, wanted: Callable[[pa.Schema], Any], groups: Any = None) -> pa.Table:
        """Rows of a file: with the ids that levels of an index make together, and media as paths.

        Args:
            path: of the file.
            wanted: ``wanted(schema)`` are the columns; None for all.
            groups: of rows; all when None.

        Raises:
            LabelnextError, ArrowException, OSError, ValueError: as `read_columns`.
        """
        import pyarrow.parquet

        with self._files.open_input_file(path) as source:
            file = pyarrow.parquet.ParquetFile(source)
            schema = file.schema_arrow
            check_metadata(schema.names, self._context)
            of_library = bool(features_in(schema))
            names = stored_columns(schema) if of_library else wanted(schema)
            table = read_columns(file, source, names, groups, near=self._near)
        if of_library:
            return with_paths(table, schema)
        return joined(table, self._levels) if self._levels else table

    @cached_property
    def _levels(self) -> list[str]:
        """The levels of an index that name the items together, as the first file says; or none."""
        import pyarrow.parquet

        roles = ColumnRoles(self._columns)
        try:
            with self._files.open_input_file(self.files()[0].path) as source:
                file = pyarrow.parquet.ParquetFile(source)
                names = file.schema_arrow.names
                levels = index_levels(names, file.schema_arrow.metadata, roles)
                id_name = roles.id_among(names)
                if not levels or id_name is None:
                    return levels
                ids = read_columns(file, source, [id_name], [0], near=self._near)
                return levels if repeats(ids.column(0)) else []
        except (*BROKEN, LabelnextError):  # said where the file is read
            return []

    def parts(self) -> list[Part]:
        """Groups of rows of about the same size, file after file.

        A file whose end cannot be read is one part of no rows; reading it says what is wrong.
        """
        parts: list[Part] = []
        first = 0
        for info in self.files():
            name = str(info.path)[len(str(PurePosixPath(self._path).parent)) + 1 :]
            changed = {"path": info.path, "bytes": info.size, "time": info.mtime_ns}
            for groups, rows in self._groups(info.path):
                label = name if groups is None else f"{name}, rows {groups[0]}"
                payload = {**changed, "groups": groups and groups[1], "first": first}
                parts.append(Part(len(parts), label, payload, rows))
                first += rows
        return parts

    def _groups(self, path: str) -> Iterator[tuple[Any, int]]:
        """Row groups that are read together, with the rows' numbers, and how many rows they are."""
        import pyarrow.parquet

        try:
            with self._files.open_input_file(path) as file:
                footer = pyarrow.parquet.read_metadata(file)
        except BROKEN:
            yield None, 0
            return
        taken: list[int] = []
        first = rows = size = 0
        for number in range(footer.num_row_groups):
            group = footer.row_group(number)
            if taken and (size + group.total_byte_size > _BYTES or rows + group.num_rows > _ROWS):
                yield (f"{first} to {first + rows - 1}", taken), rows
                first, taken, rows, size = first + rows, [], 0, 0
            taken.append(number)
            rows += group.num_rows
            size += group.total_byte_size
        if rows:
            yield (f"{first} to {first + rows - 1}", taken), rows

    def read_part(self, part: Part, more: Sequence[str] = ()) -> tuple[Pool, pa.Array]:
        """The items of a part, numbered from 0, and their ids.

        Args:
            part: one of `parts()`.
            more: columns beside those that scores are made from: embedding, group.

        Raises:
            InvalidInput: if the file is broken or changed, or a value breaks its rule.
            Unavailable: if the store does not answer.
        """
        reader, classes = self._reader(part, more)
        return part_of_table(reader, classes, self._single)

    @cached_property
    def _single(self) -> bool | None:
        """Whether mappings name one class each in all parts, which one part alone can't tell.

        Reads on until a part says that they don't; None where predictions are no mappings.
        """
        partly = False
        for part in self.parts():
            try:
                reader, _ = self._reader(part)
                naming = reader.naming(range(len(reader.id_texts())))
            except InvalidInput:  # said where the part is read
                continue
            if naming is None:
                return None
            if naming[0]:
                return False
            partly |= naming[1]
        return partly

    def _reader(self, part: Part, more: Sequence[str] = ()) -> tuple[TableReader, list[str] | None]:
        """A part with our columns, and the names of the classes where they are known."""
        table, columns = self._table(part, more), self._columns
        classes = self._options.classes
        if features_in(table.schema):
            table, columns, names = plain_part(table, columns, part.payload["first"])
            classes = classes or names
        if not has_our_names(table.column_names, columns):
            out = laid_out(Rows(table), columns, self._options)
            if out.table.num_rows != table.num_rows:
                raise InvalidInput(
                    "a folder of Parquet files must have one row for each item; some ids repeat.",
                    hint="group the rows by item first, into a column probabilities or objects.",
                )
            table, columns = out.table, dict(out.columns)
        meaning = Meaning.of(self._options)
        return TableReader(table, columns, meaning, self._options.labels_are), classes

    def rows(self, item_ids: Sequence[str], more: Sequence[str]) -> pa.Table | None:
        """The rows of some items, wherever they are; None where there are none.

        Args:
            item_ids: few enough for memory.
            more: as for `read_part`.

        Raises:
            InvalidInput: if a file is broken, and such are not to be skipped.
        """
        import pyarrow as pa

        wanted = pa.array(item_ids, pa.string())
        tables = [t for t in in_order(lambda p: self._rows_of(p, wanted, more), self.parts()) if t]
        return pa.concat_tables(tables, promote_options="permissive") if tables else None

    def _rows_of(self, part: Part, wanted: pa.Array, more: Sequence[str]) -> pa.Table | None:
        """Those of a part; all but its ids is read only where it holds one."""
        import pyarrow.compute as pc

        try:
            ids = id_texts(self._table(part, ids_only=True).column(0))
            here = pc.is_in(ids, wanted)
            return self._table(part, more).filter(here) if pc.any(here).as_py() else None
        except InvalidInput as error:
            if self._options.broken == "skip":
                return None
            error.message = f"{part.name}: {error.message}"
            raise

    def _table(self, part: Part, more: Sequence[str] = (), *, ids_only: bool = False) -> pa.Table:
        """A part as it stands in its file; its ids come first where they are all."""

        def wanted(schema: pa.Schema) -> list[str]:
            names = [*schema.names, "item_id"] if self._levels else schema.names
            if ids_only:
                return self._levels or [id_column(names, self._columns)]
            if not has_our_names(names, self._columns):
                return list(schema.names)
            read = columns_read(schema, self._columns, more)
            return list(dict.fromkeys([*read, *self._levels]))

        try:
            table = self._read(part.payload["path"], wanted, part.payload["groups"] or [])
        except FileNotFoundError as error:
            raise InvalidInput("the file disappeared while being read.") from error
        except LabelnextError:
            raise
        except BROKEN as error:
            raise InvalidInput(
                f"it must be a whole Parquet file; {' '.join(str(error).split()).rstrip('.')}.",
                hint="set source.broken: skip to leave out and count such files.",
            ) from error
        if not (ids_only and features_in(table.schema)):
            return table
        table, columns = with_ids(plain_table(table), self._columns, [], part.payload["first"])
        return table.select([columns["item_id"]])
