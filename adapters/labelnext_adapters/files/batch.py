"""The batch of a ranking that was written, with images and predictions for people who label."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np

from labelnext.acquisition import Unit
from labelnext.adapter.batch import Batch, Item, Mark, Origin
from labelnext.adapter.options import output_place
from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput, NotFound, listed
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool
from labelnext.ranking.dataset import published_batch
from labelnext.ranking.files import ranking_format, text_of_cell
from labelnext.ranking.ranking import Ranking, batch_ranking
from labelnext.support.started import CONFIG, how
from labelnext.support.store import is_url
from labelnext.support.words import counted
from labelnext_adapters.files.content.content import guarded
from labelnext_adapters.files.tables.column_names import id_column
from labelnext_adapters.files.tables.ids import id_texts
from labelnext_adapters.files.tables.parquet import read_columns
from labelnext_adapters.files.tables.rows import Rows, read_jsonl, texts_of
from labelnext_adapters.files.tables.table_format import pool_of
from labelnext_adapters.files.tables.table_options import TableOptions, named_columns

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
    unit, options = ranking.of or "items", files.options
    classes = tuple(getattr(options, "classes", None) or ())
    items = tuple(Item(item, None) for item in ids)
    if isinstance(options, TableOptions) and "media" in options.columns and ids:
        pool, media = _rows(files, options, ids)
        unit, classes = _unit(ranking, pool), pool.classes or ()
        marks = _marks(pool, unit)
        items = tuple(Item(item, media.get(item), marks.get(item)) for item in ids)
        if not any(media.values()):
            raise InvalidInput(
                f"columns.media must be a column with images; got {options.columns['media']!r}, "
                f"empty for {counted(len(ids), 'item')} of the batch."
            )
    origin = origin_of(files.source, files.context)
    return Batch(origin, run, unit, classes, run, items, ranking)


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


def _rows(
    files: Input, options: TableOptions, item_ids: list[str]
) -> tuple[Pool, dict[str, str | None]]:
    """What the files hold of some items, and where their images are."""
    columns = named_columns(options, files.context)
    name = str(columns["media"])
    if files.in_parts is not None:
        table = files.in_parts.rows(item_ids, ("media",))
    else:
        table = _chosen(files, columns, item_ids)
    if table is None:
        raise InvalidInput(
            f"the files contain none of the batch's {counted(len(item_ids), 'item')}."
        )
    if name not in table.column_names:
        raise InvalidInput(
            f"columns.media must be one of {listed(table.column_names, 20)}; got {name!r}."
        )
    id_name = id_column(table.column_names, columns)
    ids, places = id_texts(table.column(id_name)).to_pylist(), texts_of(table.column(name))
    media = {
        i: row if not row or "://" in row else str(files.image_path(row).absolute())
        for i, row in zip(ids, places, strict=True)
        if i is not None
    }
    return pool_of(Rows(table), options, files.context), media


def _chosen(files: Input, columns: Mapping[str, str], item_ids: list[str]) -> pa.Table:
    """The rows of some items of one file."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if files.format.table is None:
        raise InvalidInput(
            "columns.media must be left out for this file; rows of a "
            f"{files.format.name} file can't be read individually."
        )
    table = files.format.table(files.path, files.options, files.context)
    ids = id_texts(table.column(id_column(table.column_names, columns)))
    return table.filter(pc.is_in(ids, pa.array(item_ids)))


def _unit(ranking: Ranking, pool: Pool) -> Unit:
    """What people label: what was scored; where nothing was, what the predictions are of."""
    return ranking.of or ("objects" if pool.object_sets else "items")


def _marks(pool: Pool, unit: Unit) -> dict[str, tuple[Mark, ...]]:
    """What the model says of each item, by its id: one of the named classes, or boxes of them."""
    if pool.classes is None or pool.multilabel:
        return {}
    marks: dict[int, tuple[Mark, ...]] = {}  # by row
    if unit == "objects":
        newest = pool.newest_versions  # people see one prediction
        marks = {
            row: _boxes(pool.object_sets[newest[row]], row, pool.classes)
            for row in np.flatnonzero(newest >= 0).tolist()
        }
    elif pool.mean_probabilities is not None:
        classes, sure = pool.predicted_classes, pool.mean_probabilities
        marks = {
            row: (Mark(pool.classes[classes[row]], None, float(sure[row, classes[row]])),)
            for row in np.flatnonzero(classes >= 0).tolist()
        }
    elif pool.answer is not None:
        classes, answer = pool.predicted_classes, pool.answer
        marks = {
            row: (Mark(pool.classes[classes[row]], None, float(sure)),)
            for row, sure in zip(answer.item_positions.tolist(), answer.confidences, strict=True)
            if classes[row] >= 0
        }
    item_ids = pool.item_ids.tolist()
    return {item_ids[row]: told for row, told in marks.items() if not pool.missing[row]}


def _boxes(objects: Objects, row: int, names: Sequence[str]) -> tuple[Mark, ...]:
    """The boxes of one item; what has no class or no box cannot be shown."""
    if objects.class_ids is None or objects.boxes is None:
        return ()
    span = slice(int(objects.offsets[row]), int(objects.offsets[row + 1]))
    rows = zip(
        *(column[span].tolist() for column in (objects.class_ids, objects.boxes)),
        objects.confidences[span].tolist(),
        strict=True,
    )
    return tuple(
        Mark(names[kind], (x1, y1, x2, y2), sure)
        for kind, (x1, y1, x2, y2), sure in rows
        if kind >= 0 and not math.isnan(x1)
    )
