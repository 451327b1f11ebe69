"""Files to a Pool: find the format, read, and say in one way what is wrong."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from labelnext.adapter.foreign import refuse_foreign
from labelnext.adapter.formats import Format, InParts, recognition
from labelnext.adapter.options import Options
from labelnext.adapter.protocol import Context
from labelnext.errors import ConfigError, InvalidInput, NotFound
from labelnext.pool.pool import Pool
from labelnext.support.words import a_format
from labelnext_adapters.files.content.content import check_file, check_kind, guarded
from labelnext_adapters.files.content.shards import shards_in
from labelnext_adapters.files.content.unpacked import allowing
from labelnext_adapters.files.globs import WILD, is_of_tables
from labelnext_adapters.files.options import FilesSource, place_of
from labelnext_adapters.files.tables.table_options import TableOptions, named_columns

if TYPE_CHECKING:
    import pyarrow as pa

_VARIABLE = re.compile(r"\$[A-Za-z_]\w*|%[A-Za-z_]\w*%")  # as shells write one
_TEXTS = (".csv", ".tsv", ".tab", ".json", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class Input:
    """What is read.

    Attributes:
        path: on this machine, or the text of a URL.
        format: how it is read.
        options: of the format.
        context: folder of relative paths, key and progress.
        source: as in the configuration.
        why: what shows the format, as the end of a sentence.
    """

    path: Path | str
    format: Format
    options: Options
    context: Context
    source: FilesSource
    why: str = ""

    @cached_property
    def in_parts(self) -> InParts | None:
        """The pool, to be read part by part; None where it is read whole.

        Made once: a store may be asked where it is.
        """
        opened = self.format.open_parts
        return None if opened is None else opened(self.path, self.options, self.context)

    @property
    def files(self) -> list[Path]:
        """All that is read on this machine."""
        others = self.format.files(self.options, self.context)
        if is_of_tables(self.path):
            return [*shards_in(Path(self.path)), *others]
        return [*([self.path] if isinstance(self.path, Path) else []), *others]

    def rows(self, item_ids: Sequence[str], more: Sequence[str]) -> pa.Table | None:
        """The rows of some items; None where there are none, or rows can't be read so.

        Args:
            item_ids: few enough for memory.
            more: columns beside those that scores are made from, of what is read in parts.

        Raises:
            InvalidInput: if a file is broken.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        if self.in_parts is not None:
            return self.in_parts.rows(list(item_ids), tuple(more))
        if self.format.table is None:
            return None
        table = self.format.table(self.path, self.options, self.context)
        return table.filter(pc.is_in(self.ids(table), pa.array(item_ids, pa.string())))

    def ids(self, table: pa.Table) -> pa.Array:
        """The ids of rows, as texts."""
        from labelnext_adapters.files.tables.column_names import id_column
        from labelnext_adapters.files.tables.ids import id_texts

        assert isinstance(self.options, TableOptions)  # as of all whose rows can be read
        columns = named_columns(self.options, self.context)
        return id_texts(table.column(id_column(table.column_names, columns)))

    def image_path(self, written: str) -> Path:
        """The image that a cell names: from the configuration's folder, else from the file's."""
        path = self.context.path(written)
        if isinstance(self.path, Path) and not os.path.isfile(path):
            folder = self.path if self.path.is_dir() else self.path.parent
            if os.path.isfile(beside := folder / Path(written).expanduser()):
                return beside
        return path


def nearby(path: Path | str) -> str | None:
    """The hint for a path that isn't there: a name like it, or where it was looked for."""
    if not isinstance(path, Path):
        return None
    if not str(path).isprintable():
        return "in double quotes a backslash starts an escape; use single quotes, or / in paths."
    if (variable := _VARIABLE.search(str(path))) is not None:
        return f"write an environment variable as ${{{variable[0].strip('$%')}}}."
    if not path.parent.is_dir():
        return None if path.is_absolute() else f"it is looked for in {str(Path.cwd())!r}."
    try:
        names = os.listdir(path.parent)
    except OSError:
        return None
    if path.is_symlink():
        return "it is a link to something that isn't there."
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.75)
    if near:
        return f"did you mean {str(path.with_name(near[0]))!r}?"
    return f"it is looked for in {str(path.parent.absolute())!r}."


def find_input(source: FilesSource, context: Context) -> Input:
    """The format of a source, with its options.

    Raises:
        ConfigError: if no format recognises the path, or several do, or an option is wrong.
        NotFound: if nothing is there.
    """
    path = place_of(source.path, context)
    values = {name: getattr(source, name) for name in type(source).model_fields}
    given = [name for name, value in values.items() if value is not None]
    if absent(path) and not any(sign in str(path) for sign in WILD):
        raise NotFound(
            f"path must be a file or folder; got {str(path)!r}, which does not exist.",
            hint=nearby(path),
        )
    known = recognition(path, source.format, given)
    chosen = known.format
    options_given = {name: values.get(name) for name in chosen.Options.model_fields}
    try:
        options = chosen.Options.model_validate(options_given)
    except ValidationError as error:  # the path was something else when the source was checked
        raise ConfigError(f"can't read {str(path)!r} as {chosen.name}: {error}.") from error
    return Input(path, chosen, options, context, source, known.why)


def absent(path: Path | str) -> bool:
    """Whether a path is of this machine, and nothing is there."""
    return isinstance(path, Path) and not path.exists() and not is_of_tables(path)


def read_pool(files: Input) -> Pool:
    """All items.

    Raises:
        NotFound: if the file does not exist.
        InvalidInput: if it is broken, or a value breaks its rule.
    """
    if files.in_parts is not None:
        with allowing(files.source.max_unpacked):
            return files.in_parts.read()
    path, kind = files.path, files.format
    if isinstance(path, str) and kind.recognises is None:
        raise ConfigError(
            f"path must be a file on this machine to be read as {a_format(kind.name)} file; "
            f"got {path!r}."
        )
    name = Path(path).name
    files.context.report("read", 0, None)
    read = partial(kind.read, path, files.options, files.context)
    inputs = files.files
    others = [other.name for other in inputs]
    for one in dict.fromkeys((Path(path), *inputs)):
        if not (one.is_dir() or is_of_tables(one)):
            check_file(one)
            check_kind(one)
    before = _versions((Path(path), *inputs))
    try:
        with allowing(files.source.max_unpacked):
            pool: Pool = guarded(name, kind.name, read, others)
    except InvalidInput:
        _check_unchanged(before)
        taken_for_text = Path(path).suffix.lower() in _TEXTS and not is_of_tables(path)
        if taken_for_text or Path(path).is_dir():
            refuse_foreign(Path(path))
        raise
    _check_unchanged(before)
    files.context.report("read", len(pool), len(pool))
    return pool


def _versions(paths: Iterable[Path]) -> dict[Path, tuple[int, int, int]]:
    """What tells a file from what it is once somebody wrote it: inode, size and time."""
    found = {}
    for path in paths:
        if path.is_file():
            stat = path.stat()
            found[path] = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
    return found


def _check_unchanged(before: Mapping[Path, tuple[int, int, int]]) -> None:
    """Refuse what may be half of one version of a file and half of another.

    Raises:
        InvalidInput: if a file was written or replaced since.
    """
    now = _versions(before)
    for path, version in before.items():
        if now.get(path) != version:
            raise InvalidInput(
                f"{path.name} was changed while it was read.",
                hint="run again; let what writes it write another file, then rename that.",
            )
