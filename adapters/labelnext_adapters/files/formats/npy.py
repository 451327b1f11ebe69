"""NPY: one array of probabilities or embeddings, with the ids in another file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.files.content.item_ids import check_no_key, listed_ids
from labelnext_adapters.files.formats.npz import texts
from labelnext_adapters.files.tables.numpy_files import read_array
from labelnext_adapters.files.tables.table_options import ScoreOptions
from labelnext_adapters.files.tables.vectors import Meaning, usable_members


class NpyOptions(ScoreOptions):
    """Keys of `source` for NPY files."""

    ids: Path | None = None
    """File with the item ids in the order of the rows: text with an id on each line, .npy, or a
    column of CSV or JSONL (source.key names it); null takes the row numbers from 0."""
    holds: Literal["probabilities", "embeddings"] = "probabilities"
    """What the rows of an .npy file are."""


def read(path: Path | str, options: NpyOptions, context: Context) -> Pool:
    """The items of an array, one a row.

    Raises:
        NotFound: if the file of ids does not exist.
        InvalidInput: if the array has no rows of numbers, or their number differs from the ids'.
    """
    array = read_array(Path(path))
    if array.dtype.names is not None:
        raise InvalidInput(
            f"the array must hold numbers alone; it is a table of {', '.join(array.dtype.names)}.",
            hint="write it as CSV: pandas.DataFrame(array).to_csv('table.csv', index=False).",
        )
    if not array.shape:
        raise InvalidInput("the array must have a row of numbers for each item; it is one number.")
    n_items, notices = array.shape[:-1][-1] if array.shape[:-1] else 0, list[Notice]()
    if options.ids is None:
        hint = "leave it out, or set source.ids to a file with such a column."
        check_no_key(context.key, "the rows of an array have no ids", hint)
        ids: Any = range(n_items)
        message = "Items are named by their row from 0; set source.ids to a file of ids."
        notices.append(Notice("numbered", message))
    else:
        ids = _ids(context.path(options.ids), context.key)
    if len(ids) != n_items:
        raise InvalidInput(
            f"ids must name each of the {counted(n_items, 'row')}; got {counted(len(ids), 'id')}."
        )
    if options.holds == "embeddings":
        return Pool(ids, embeddings=array, classes=options.classes, notices=notices)
    meaning = Meaning.of(options)
    return Pool(
        ids,
        probabilities=usable_members(array, ids, meaning, notices),
        classes=options.classes,
        multilabel=meaning.multilabel,
        notices=notices,
    )


def _ids(path: Path, key: str | None) -> list[Any]:
    if path.suffix.lower() == ".npy" and path.is_file():
        check_no_key(key, f"{path.name} lists ids alone")
        return list(texts(read_array(path).reshape(-1)).tolist())
    return listed_ids(path, key)


def files(options: NpyOptions, context: Context) -> list[Path]:
    """The file of ids."""
    return [] if options.ids is None else [context.path(options.ids)]


FORMAT = Format(
    "npy",
    "one NumPy array, a row for each item, with the ids in another file",
    (".npy",),
    NpyOptions,
    read,
    files,
)
