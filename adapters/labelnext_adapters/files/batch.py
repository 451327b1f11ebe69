"""The batch of a ranking that was written, with images and predictions for people who label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from labelnext.adapter.batch import Batch, Item, Origin
from labelnext.adapter.marks import with_predictions
from labelnext.adapter.options import output_place
from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput, NotFound, listed
from labelnext.pool.pool import Pool
from labelnext.ranking.dataset import published_batch
from labelnext.ranking.files import ranking_format, text_of_cell
from labelnext.ranking.ranking import Ranking, batch_ranking
from labelnext.support.started import CONFIG, how
from labelnext.support.store import is_url
from labelnext.support.words import counted
from labelnext_adapters.files.content.content import guarded
from labelnext_adapters.files.pictures import image_paths, named_folder
from labelnext_adapters.files.read import read_pool
from labelnext_adapters.files.tables.parquet import read_columns
from labelnext_adapters.files.tables.rows import Rows, read_jsonl, texts_of
from labelnext_adapters.files.tables.table_format import pool_of
from labelnext_adapters.files.tables.table_options import TableOptions

if TYPE_CHECKING:
    import pyarrow as pa

    from labelnext_adapters.files.options import FilesSource, FilesWrite
    from labelnext_adapters.files.read import Input


def origin_of(source: FilesSource, context: Context) -> Origin:
    """The files as the place where items come from: told apart by where they lie."""
    place = str(source.path if is_url(source.path) else context.path(source.path).absolute())
    path = urlsplit(place).path if is_url(place) else place
    name = PurePosixPath(path).name or "files"
    return Origin("files", name, sha256(place.encode()).hexdigest()[:16])


def read_batch(files: Input, write: FilesWrite, run: str) -> Batch:
    """The batch of the ranking that stands where `write.output` says.

    Raises:
        NotFound: if there is none of that run.
        InvalidInput: if it is broken, or the column of images holds none for the batch.
    """
    ranking = _ranking(files, write, run)
    ids = ranking.item_ids.tolist()
    media, table = _media(files, ids)
    items = tuple(Item(item, media.get(item)) for item in ids)
    origin = origin_of(files.source, files.context)
    batch = Batch(origin, run, ranking.of or "items", (), run, items, ranking)
    batch = replace(batch, images_named=bool(_column(files) or named_folder(files)))
    if ids and not any(media.values()):
        return batch  # for a place that holds the items already
    return with_predictions(batch, _pool(files, ids, table))


def _media(files: Input, ids: list[str]) -> tuple[Mapping[str, str | None], pa.Table | None]:
    """Where the images of some items are, and their rows where a column says so."""
    column, folder = _column(files), named_folder(files)
    if not ids:
        return {}, None
    if column is not None:
        table = _rows(files, column, ids)
        media = _places(files, column, table)
        if not any(media.values()):
            raise InvalidInput(
                f"columns.media must be a column with images; got {column!r}, "
                f"empty for {counted(len(ids), 'item')} of the batch."
            )
        return media, table
    found = image_paths(files, ids)
    if folder is not None and not found:
        raise InvalidInput(
            f"{str(folder)!r} must hold images named as the items; it has none for "
            f"{counted(len(ids), 'item')} of the batch: {listed(ids)}.",
            hint="set source.pictures to the folder of the images.",
        )
    return found, None


def _column(files: Input) -> str | None:
    """The column of images that the configuration names."""
    options = files.options
    named = options.columns.get("media") if isinstance(options, TableOptions) else None
    return None if named is None else str(named)


def _ranking(files: Input, write: FilesWrite, run: str) -> Ranking:
    """The batch alone, from the folder or the file that the run wrote."""
    if files.in_parts is not None:
        return published_batch(output_place(write, files.context.directory), run)
    assert write.output is not None  # a run refuses it
    path = files.context.path(write.output)
    kind = ranking_format(path)
    if not path.is_file():
        raise NotFound(
            f"write.output must be a run's ranking; {str(path)!r} does not exist.",
            hint=f"run {how('run', CONFIG)} first.",
        )
    rows = guarded(path.name, "a ranking", lambda: _written(path, kind).to_pylist())
    batch = [row for row in rows if row["batch"]]
    if kind == ".csv" and write.excel_safe:
        batch = [{**row, "item_id": text_of_cell(row["item_id"])} for row in batch]
    return batch_ranking(batch)


def _written(path: Path, kind: str) -> pa.Table:
    """A ranking file as a table; its ids are text, whatever they look like."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    if kind == ".csv":
        texts = pa.csv.ConvertOptions(column_types={"item_id": pa.string()})
        lines = pa.csv.ParseOptions(newlines_in_values=True)
        return pa.csv.read_csv(path, convert_options=texts, parse_options=lines)
    if kind == ".jsonl":
        return read_jsonl(path).table
    return read_columns(pa.parquet.ParquetFile(path), path)


def _pool(files: Input, ids: list[str], table: pa.Table | None) -> Pool:
    """What the files predict of some items, with all classes that they know."""
    if files.in_parts is None:
        return read_pool(files)
    found = files.rows(ids, ()) if table is None else table
    assert isinstance(files.options, TableOptions)  # as for all that is read in parts
    if found is None:
        return Pool(ids, classes=files.options.classes)
    return pool_of(Rows(found), files.options, files.context)


def _rows(files: Input, column: str, item_ids: list[str]) -> pa.Table:
    """The rows of some items, with the column of their images."""
    if files.in_parts is None and files.format.table is None:
        raise InvalidInput(
            "columns.media must be left out for this file; rows of a "
            f"{files.format.name} file can't be read individually.",
            hint="set source.pictures to the folder of the images, named as the items.",
        )
    table = files.rows(item_ids, ("media",))
    if table is None:
        raise InvalidInput(
            f"the files contain none of the batch's {counted(len(item_ids), 'item')}."
        )
    if column not in table.column_names:
        raise InvalidInput(
            f"columns.media must be one of {listed(table.column_names, 20)}; got {column!r}."
        )
    return table


def _places(files: Input, column: str, table: pa.Table) -> dict[str, str | None]:
    """Where the images of these rows are."""
    ids, places = files.ids(table), texts_of(table.column(column))
    return {
        i: row if not row or "://" in row else str(files.image_path(row).absolute())
        for i, row in zip(ids.to_pylist(), places, strict=True)
        if i is not None
    }
