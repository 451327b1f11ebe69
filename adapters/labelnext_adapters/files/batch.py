"""The batch of a ranking that was written, with images and predictions for people who label."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np

from labelnext.acquisition import Unit
from labelnext.adapter import Context
from labelnext.batch import Batch, Item, Mark, Origin, batch_ranking
from labelnext.errors import InvalidInput, NotFound, listed
from labelnext.output import ranking_format
from labelnext.pool import Objects, Pool
from labelnext.ranking import Ranking
from labelnext.streamed.published import output_place, published_batch
from labelnext.streamed.store import is_url
from labelnext_adapters.files.columns import pool_of_table
from labelnext_adapters.files.dataset import Dataset, is_dataset
from labelnext_adapters.files.read import read_table, source_format

if TYPE_CHECKING:
    import pyarrow as pa

    from labelnext_adapters.files import FilesSource, FilesWrite


def origin_of(source: FilesSource, context: Context) -> Origin:
    """The files as the place where items come from: told apart by where they lie."""
    place = str(source.path if is_url(source.path) else context.path(source.path).absolute())
    path = urlsplit(place).path if is_url(place) else place
    name = PurePosixPath(path).name or "files"
    return Origin("files", name, sha256(place.encode()).hexdigest()[:16])


def read_batch(source: FilesSource, write: FilesWrite, context: Context, run: str) -> Batch:
    """The batch of the ranking that stands where `write.output` says.

    Raises:
        NotFound: if there is none of that run.
        InvalidInput: if it is broken, or the column of images holds none for the batch.
    """
    ranking = _ranking(source, write, context, run)
    ids = ranking.item_ids.tolist()
    unit, classes = ranking.of or "items", tuple(source.classes or ())
    items = tuple(Item(item, None) for item in ids)
    if "media" in source.columns and ids:
        pool, media = _rows(source, context, ids)
        unit, classes = _unit(ranking, pool), pool.classes or ()
        marks = _marks(pool, unit)
        items = tuple(Item(item, media.get(item), marks.get(item)) for item in ids)
        if not any(media.values()):
            raise InvalidInput(
                f"columns.media must name images; {source.columns['media']!r} holds none for the "
                f"{len(ids)} items of the batch."
            )
    return Batch(origin_of(source, context), run, unit, classes, run, items, ranking)


def _ranking(source: FilesSource, write: FilesWrite, context: Context, run: str) -> Ranking:
    """The batch alone, from the folder or the file that the run wrote."""
    if is_dataset(source.path, context):
        return published_batch(output_place(write, context.directory), run)
    assert write.output is not None  # a run refuses it
    path = context.path(write.output)
    kind = ranking_format(path)
    if not path.is_file():
        raise NotFound(
            f"write.output must be the ranking of a run; {str(path)!r} does not exist.",
            hint="run labelnext run first.",
        )
    rows = read_table(path, kind[1:], ["item_id"]).to_pylist()  # type: ignore[arg-type]  # one of them
    return batch_ranking([row for row in rows if row["batch"]])


def _rows(
    source: FilesSource, context: Context, item_ids: list[str]
) -> tuple[Pool, dict[str, str | None]]:
    """What the files hold of some items, and where their images are."""
    columns = dict(source.columns)
    if context.key is not None:
        columns.setdefault("item_id", context.key)
    name, own = str(columns["media"]), str(columns.get("item_id", "item_id"))
    if is_dataset(source.path, context):
        table = Dataset(source, context).rows(item_ids, ("media",))
    else:
        table = _chosen(source, context, own, item_ids)
    if table is None:
        raise InvalidInput(f"the files must hold the items of the batch; none of {len(item_ids)}.")
    if name not in table.column_names:
        raise InvalidInput(
            f"columns.media must be one of {listed(table.column_names, 20)}; got {name!r}."
        )
    ids, places = (_texts(table, column) for column in (own, name))
    # Relative paths begin where those of the configuration do.
    media = {
        i: place if not place or "://" in place else str(context.path(place).absolute())
        for i, place in zip(ids, places, strict=True)
        if i is not None
    }
    del columns["media"]
    pool = pool_of_table(table, columns, source.classes, multilabel=source.multilabel)
    return pool, media


def _chosen(source: FilesSource, context: Context, own: str, item_ids: list[str]) -> pa.Table:
    """The rows of some items of one file."""
    import pyarrow as pa
    import pyarrow.compute as pc

    path = context.path(source.path)
    kind = source_format(path, source)
    if kind not in ("csv", "jsonl", "parquet"):
        raise InvalidInput(
            f"columns.media must be left out unless path is a .csv, .jsonl or .parquet; got a "
            f"{kind} file."
        )
    table = read_table(path, kind)
    return table.filter(pc.is_in(table.column(own).cast(pa.string()), pa.array(item_ids)))


def _texts(table: pa.Table, column: str) -> list[str | None]:
    import pyarrow as pa

    return list(table.column(column).cast(pa.string()).to_pylist())


def _unit(ranking: Ranking, pool: Pool) -> Unit:
    """What people label: what was scored; where nothing was, what the predictions are of."""
    return ranking.of or ("items" if pool.objects is None else "objects")


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
    item_ids = pool.item_ids.tolist()
    return {item_ids[row]: told for row, told in marks.items() if not pool.missing[row]}


def _boxes(objects: Objects, row: int, names: Sequence[str]) -> tuple[Mark, ...]:
    """The boxes of one item; what has no class or no box cannot be shown."""
    if objects.class_ids is None or objects.boxes is None:
        return ()
    own = slice(int(objects.offsets[row]), int(objects.offsets[row + 1]))
    rows = zip(
        *(column[own].tolist() for column in (objects.class_ids, objects.boxes)),
        objects.confidences[own].tolist(),
        strict=True,
    )
    return tuple(
        Mark(names[kind], (x1, y1, x2, y2), sure)
        for kind, (x1, y1, x2, y2), sure in rows
        if kind >= 0
    )
