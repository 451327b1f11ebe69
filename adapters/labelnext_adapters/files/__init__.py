"""Plain files: JSONL, CSV, NPZ, Parquet, COCO and Label Studio in; JSONL, CSV or Parquet out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from labelnext.adapter.capabilities import Capability
from labelnext.adapter.options import Options, WriteOptions
from labelnext.adapter.protocol import Adapter, Context, Finding, Part
from labelnext.errors import InvalidInput, LabelnextError
from labelnext.journal.carry_out import Performer
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan
from labelnext.support.words import a_format, counted
from labelnext_adapters.files.content.unpacked import allowing
from labelnext_adapters.files.options import (
    FilesSource,
    FilesWrite,
    given_model,
    place_of,
    source_model,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from labelnext.adapter.batch import Batch, Origin
    from labelnext.adapter.preview import Preview
    from labelnext.pool.pool import Pool
    from labelnext.ranking.ranking import Ranking
    from labelnext_adapters.files.read import Input


class _OfAllFormats:
    """The options of all formats, loaded on first use."""

    def __get__(self, adapter: object, kind: type) -> type[Options]:
        return source_model(None)


class FilesAdapter(Adapter):
    """Reads predictions in any installed format and writes the ranking as another file.

    Args:
        source: keys of `source`.
        write: keys of `write`.
        context: folder of relative paths, key and progress.
    """

    name: ClassVar[str] = "files"
    requires: ClassVar[tuple[str, ...]] = ("pyarrow",)
    install: ClassVar[str] = "pip install labelnext"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {
            Capability.READS,
            Capability.WRITES,
            Capability.STREAMS,
            Capability.GIVES_BATCHES,
            Capability.SHOWS_ITEMS,
        }
    )
    SourceOptions: ClassVar[type[Options]] = cast("type[Options]", _OfAllFormats())
    WriteOptions: ClassVar[type[WriteOptions]] = FilesWrite

    def __init__(self, source: FilesSource, write: FilesWrite, context: Context) -> None:
        self._source, self._write, self._context = source, write, context

    @classmethod
    def source_options(cls, data: Mapping[str, Any], directory: Path) -> type[Options]:
        """The options of the format of these data; those of all formats, if none is recognised.

        Args:
            data: our keys of `source`, as they were given.
            directory: where relative paths begin.
        """
        return given_model(data, directory)

    @cached_property
    def _input(self) -> Input:
        from labelnext_adapters.files.read import find_input

        return find_input(self._source, self._context)

    def parts(self) -> list[Part] | None:
        """The parts of a folder of files; None for what is read whole."""
        in_parts = self._input.in_parts
        return None if in_parts is None else in_parts.parts()

    def read_part(self, part: Part, more: Sequence[str] = ()) -> tuple[Pool, pa.Array]:
        """The items of a part, numbered from 0, and their ids; `more`: embedding, group.

        Raises:
            InvalidInput: if the source is one file, or the part is broken.
        """
        in_parts = self._input.in_parts
        if in_parts is None:
            raise InvalidInput(
                "path must be a folder, glob or URL to be read in parts; got a single file."
            )
        with allowing(self._source.max_unpacked):
            return in_parts.read_part(part, more)

    def check(self) -> list[Finding]:
        """Whether the file exists and what it is."""
        from labelnext_adapters.files.content.shards import shards_in
        from labelnext_adapters.files.globs import is_of_tables
        from labelnext_adapters.files.read import absent, nearby

        path = place_of(self._source.path, self._context)
        gone = Finding(
            "error", f"{str(path)!r} does not exist.", nearby(path) or "set source.path."
        )
        try:
            shards = shards_in(Path(path)) if is_of_tables(path) else []
        except LabelnextError as error:
            return [Finding("error", error.message, error.hint)]
        try:
            kind, in_parts = self._input.format, self._input.in_parts
        except LabelnextError:
            if absent(path):
                return [gone]
            raise
        if in_parts is not None:
            try:
                parts = in_parts.parts()
            except LabelnextError as error:
                return [Finding("error", error.message, error.hint)]
            rows = sum(part.rows for part in parts)
            items = "1 item" if rows == 1 else f"{rows:,} items"
            where = counted(len(parts), "part")
            message = (
                f"{str(self._source.path)!r} contains {items} in {where}, read as {kind.name}: "
                f"{self._input.why}."
            )
            return [Finding("ok", message), *self._broken(parts)]
        if absent(path):
            return [gone]
        what = "file"
        if isinstance(path, Path):
            if shards:
                what = f"glob of {counted(len(shards), 'file')}"
            else:
                what = "folder" if path.is_dir() else f"file of {path.stat().st_size:,} bytes"
        message = f"{str(path)!r} is {a_format(kind.name)} {what}: {self._input.why}."
        return [Finding("ok", message)]

    def _broken(self, parts: Sequence[Part]) -> list[Finding]:
        """Which parts can't be read, of those that seem to have no rows."""
        skipped = getattr(self._input.options, "broken", "stop") == "skip"
        findings = []
        for part in parts:
            if not part.rows:
                try:
                    self.read_part(part)
                except InvalidInput as error:
                    message = f"{part.name}: {error.message}"
                    said = (f"left out {message}", None) if skipped else (message, error.hint)
                    findings.append(Finding("warning" if skipped else "error", *said))
        return findings

    def seen(self) -> Mapping[str, Any]:
        """Whether the file's numbers are percentages or logits."""
        from labelnext_adapters.files.seen import settings_seen

        return settings_seen(self._input)

    def read(self) -> Pool:
        """All items."""
        from labelnext_adapters.files.read import read_pool

        return read_pool(self._input)

    def plan(self, ranking: Ranking) -> Plan:
        """One step: the ranking file."""
        from labelnext_adapters.files.write import make_plan

        return make_plan(ranking, self._input, self._write)

    def performer(self, journal: Journal) -> Performer:
        """Writes the ranking file, and restores the earlier one on undo."""
        from labelnext_adapters.files.write import FilePerformer

        return FilePerformer(journal, self._context, self._write.output, self._source.path)

    def previews(self, item_ids: Sequence[str]) -> Mapping[str, Preview]:
        """The images and texts of these items, as far as there are some."""
        from labelnext_adapters.files.previews import previews_of

        return previews_of(self._input, item_ids)

    def item_of(self, own_id: str) -> str | None:
        """The id of the item with this file name, where ids are others."""
        from labelnext_adapters.files.pictures import item_names

        ids = [item for item, known in item_names(self._input).items() if known == own_id]
        return ids[0] if len(ids) == 1 else None

    def address(self) -> None:
        """None: files have no page."""

    def origin(self) -> Origin:
        """The files, as the origin of a batch."""
        from labelnext_adapters.files.batch import origin_of

        return origin_of(self._source, self._context)

    def batch(self, run: str) -> Batch:
        """The batch of a written ranking, with images if a column names them.

        Raises:
            NotFound: if no ranking of that run was written.
            InvalidInput: if it or the files are broken, or have no images of the batch.
        """
        from labelnext_adapters.files.batch import read_batch

        return read_batch(self._input, self._write, run)
