"""An Arrow table to a Pool: one item a row, predictions in flat or nested columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.checks import COUNTED_FROM_1, likeliest_classes, mean_of_members
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.pool.texts import LONGEST, checked_ids
from labelnext_adapters.files.tables.objects import ObjectColumn
from labelnext_adapters.files.tables.table import TableReader
from labelnext_adapters.files.tables.table_options import (
    METADATA,
    NAMES,
    PREFIXES,
    flat_columns,
)

_LABELS = ("label", "votes", "label_number")
_TELLING = 2  # items; one may be labelled as predicted by chance


def pool_of_reader(reader: TableReader, classes: Sequence[str] | None) -> Pool:
    """The items of a table; nothing is left in the reader.

    Args:
        reader: of a table with a column item_id, and any of probabilities (a list, or a struct from
            class to probability; or flat columns p_<class>), confidence or uncertainty (a number
            for each item) and prediction (the class that it is of), objects (a list of structs with
            confidence, class, box, mask, probabilities, embedding), embedding (a list; or flat
            columns e_0, e_1, …), label, votes (a list with the class that each person said, null
            for none), truth (labelled objects, as objects but without confidence), labelled, group
            and cost. Several model versions have a column each, or stand in one as a list.
        classes: names of the classes; from the table when None.

    Raises:
        InvalidInput: if a column is missing, ragged or of a wrong type.
    """
    return _pool(reader, reader.ids(), classes, None)


def part_of_table(
    reader: TableReader, classes: Sequence[str] | None = None, single: bool | None = None
) -> tuple[Pool, pa.Array]:
    """The items of a table numbered from 0, and their ids as strings.

    For millions of rows: ids stay Arrow's, which Python has not to look at one by one.

    Args:
        reader: as for `pool_of_reader`.
        classes: names of the classes.
        single: mappings name one class each in all parts; what these rows say when None.

    Raises:
        InvalidInput: as for `pool_of_reader`.
    """
    texts = reader.id_texts()
    if (pc.max(pc.utf8_length(texts)).as_py() or 0) > LONGEST:
        checked_ids(texts.to_pylist())  # says which
    return _pool(reader, range(len(texts)), classes, single), texts


def columns_read(
    schema: pa.Schema, columns: Mapping[str, str | Sequence[str]], more: Sequence[str] = ()
) -> list[str]:
    """The columns of a file that are read: all of ours; embeddings, groups, media if asked for."""
    left_out = {"embedding", "group", "media"}.difference(more)
    wanted = set(columns.get(METADATA, ()))
    for name in NAMES:
        if name in left_out:
            continue
        stated = columns.get(name, name)
        wanted.update([stated] if isinstance(stated, str) else stated)
        if name in PREFIXES and name not in columns and name not in schema.names:
            wanted.update(flat_columns(name, schema.names))
    return [n for n in schema.names if n in wanted]


def _wrong_number(classes: Sequence[str], wanted: int, *, named: bool) -> InvalidInput:
    """The error where there are not as many classes as probabilities; whether these have names."""
    if named:
        return InvalidInput(
            f"classes must have one name for each of the {wanted} probabilities; "
            f"got {len(classes)}."
        )
    return InvalidInput(
        "classes must be set if labels are names and probabilities are plain lists.",
        hint="set source.classes to the class names, in the order of the probabilities.",
    )


def _labels(
    reader: TableReader, classes: Sequence[str] | None, n_classes: int | None
) -> tuple[NDArray[np.int64] | None, NDArray[np.int64] | None]:
    """The labels and the votes, which are positions where classes have no names.

    Raises:
        InvalidInput: if too many are no classes.
    """
    if classes is not None or n_classes is None:
        return reader.labels(classes), reader.votes(classes)
    positions = [str(position) for position in range(n_classes)]
    try:
        return reader.labels(positions), reader.votes(positions)
    except InvalidInput as error:
        if error.hint != COUNTED_FROM_1:
            error.hint = (
                "labels are positions where classes have no names: set source.classes to the "
                "class names, in the order of the probabilities."
            )
        raise


def _labelled(
    reader: TableReader,
    truth: ObjectColumn | None,
    labels: NDArray[np.int64] | None,
    votes: NDArray[np.int64] | None,
    label_numbers: list[float] | None,
) -> Any:
    """Whether items are labelled; None where their labels alone tell.

    Where no column says so, these are the items with labelled objects, or with a label, also one
    that was left out: somebody has labelled them.
    """
    stated = reader.plain("labelled")
    if stated is not None:
        return stated
    if truth is not None:
        return ~truth.absent
    odd = [row for name in _LABELS for row in reader.odd.get(name, ())]
    labelled = _left_out(reader)
    labelled[odd] = True
    if not labelled.any():
        return None
    if labels is not None:
        labelled |= labels >= 0
    if votes is not None:
        labelled |= (votes >= 0).any(axis=1)
    if label_numbers is not None:
        labelled |= ~np.isnan(label_numbers)
    return labelled


def _left_out(reader: TableReader) -> NDArray[np.bool_]:
    """The items whose label was of no use in the file already."""
    theirs = {reader.name_of(name) for name in _LABELS} - {None}
    told = [one for one in reader.notices if one.code == "left_out" and one.column in theirs]
    if not told:
        return np.zeros(len(reader.id_texts()), dtype=bool)
    ids = pa.array([item for one in told for item in one.item_ids], pa.string())
    rows: NDArray[np.bool_] = pc.is_in(reader.id_texts(), ids).to_numpy(zero_copy_only=False)
    return np.array(rows)


def _predicted_labels(
    rows: NDArray[np.floating] | None, labels: NDArray[np.int64] | None
) -> list[Notice]:
    """A notice if every item is labelled with its likeliest class, as a model's own answers are.

    Args:
        rows: shape (n_items, n_classes), or with the members before; None without probabilities.
        labels: shape (n_items,), −1 for none; None without labels.
    """
    if rows is None or labels is None or len(labels) < _TELLING or (labels < 0).any():
        return []
    mean = mean_of_members(rows.reshape(-1, *rows.shape[-2:]))
    if (likeliest_classes(mean) != labels).any():
        return []
    message = (
        "Every item is labelled with the class that is predicted as the likeliest. If label is "
        "what the model said, set source.columns: {prediction: label}."
    )
    return [Notice("labels_predicted", message)]


def _pool(
    reader: TableReader, ids: Sequence[Any], classes: Sequence[str] | None, decided: bool | None
) -> Pool:
    single = reader.single_classes(ids, decided)
    rows, names = (None, None) if single else reader.probabilities(ids, classes)
    classes = list(classes or names or []) or None
    sets = [
        ObjectColumn("objects", column, ids, meaning=reader.meaning)
        for column in reader.versions("objects", ids)
    ]
    answers = [] if sets or rows is not None else single or reader.answers(ids)
    truth = reader.truth(ids)
    label_names = reader.label_names()
    drawn = [name for part in (*sets, *answers, truth) if part for name in part.names]
    if classes is None and (label_names or drawn) and not (rows is not None and names is None):
        classes = sorted({*label_names, *drawn})
        message = f"The classes come from the data: {listed(classes)}."
        reader.notices.append(Notice("derived_classes", message))
    if rows is not None and classes is not None and len(classes) != rows.shape[-1]:
        raise _wrong_number(classes, rows.shape[-1], named=bool(names) or not label_names)
    absent = np.ones(len(ids), dtype=bool)
    if rows is not None:
        lacking = np.isnan(rows[..., 0])
        lacking[lacking] = np.isnan(rows[lacking]).all(axis=-1)
        absent &= np.atleast_2d(lacking).all(axis=0) & reader.nulls("probabilities", ids)
    for objects in sets:
        absent &= objects.absent
    n_classes = rows.shape[-1] if rows is not None and rows.shape[-1] > 1 else None
    labels, votes = _labels(reader, classes, n_classes)
    label_numbers = reader.plain("label_number")
    reader.notices += [] if reader.states("label") else _predicted_labels(rows, labels)
    several = len(sets) > 1 or len(answers) > 1
    kind = reader.answer_kind if answers else "objects"
    kind = "probabilities" if single or rows is not None else kind
    labelled_objects = None if truth is None else truth.build(classes)
    built = tuple(objects.build(classes, of_several=several) for objects in sets)
    built += tuple(one.build(classes) for one in answers)
    reader.notices += [one for part in (*sets, *answers, truth) if part for one in part.notices]
    pool = partial(
        Pool,
        ids,
        probabilities=rows,
        classes=classes,
        embeddings=reader.embeddings(ids),
        labels=labels,
        votes=votes,
        numbers=label_numbers,
        truth=labelled_objects,
        labelled=_labelled(reader, truth, labels, votes, label_numbers),
        groups=reader.plain("group"),
        metadata=reader.metadata(),
        costs=reader.plain("cost"),
        multilabel=reader.meaning.multilabel,
        objects=built if several else (built[0] if built else None),
        versions=reader.version_names(kind),
        missing=None if rows is None and not sets else absent,
        notices=reader.notices,
    )
    reader.free(at_once=not isinstance(ids, range))
    return pool()
