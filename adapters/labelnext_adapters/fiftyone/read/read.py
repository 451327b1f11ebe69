"""A FiftyOne dataset or view to a Pool, by one query for all fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool
from labelnext_adapters.fiftyone.database.connection import field_of, talking
from labelnext_adapters.fiftyone.database.fields import field_path
from labelnext_adapters.fiftyone.database.values import (
    Columns,
    fetch,
    flat,
    keyed,
    offsets,
    positions,
)
from labelnext_adapters.fiftyone.read.class_vectors import held_vectors, name_vectors
from labelnext_adapters.fiftyone.read.embeddings import check_embeddings, embeddings_of
from labelnext_adapters.fiftyone.read.fetched import fetched_ids
from labelnext_adapters.fiftyone.read.groups import (
    check_groups,
    check_metadata,
    group_paths,
    groups_of,
    note_slice,
)
from labelnext_adapters.fiftyone.read.label_types import (
    TEXT,
    Kind,
    check_labels,
    kind_of,
    labels_of,
    map_means,
    mistyped_tags,
    number_path,
)
from labelnext_adapters.fiftyone.read.predictions import (
    Reading,
    class_vectors,
    note_unknown,
    objects_of,
    predicted,
)

if TYPE_CHECKING:
    from labelnext_adapters.fiftyone.options import FiftyOneSource

_LIVE = 100  # samples in memory that cost a write less than a second


def read_pool(
    collection: Any,
    options: FiftyOneSource,
    key: str | None,
    metadata: Sequence[str] = (),
    *,
    boxes: bool = True,
) -> Pool:
    """All samples of the collection, with their stored predictions.

    Args:
        collection: a dataset or view.
        options: which fields to read.
        key: the field that is an item's id; the sample's own id when None.
        metadata: further fields to read.
        boxes: whether somebody uses the boxes of predicted objects; those that are compared with
            labels or with other fields, or have embeddings, are read anyway.

    Raises:
        NotFound: if a field does not exist.
        InvalidInput: if a field is of a wrong type, its vectors do not fit the classes, or the
            key is not set and distinct on every sample.
    """
    check_labels(options)
    truth = labels_of(collection, options.gt_field) if options.gt_field else None
    numbers = number_path(collection, options.gt_field) if options.gt_field else None
    fields = _fields(collection, options, truth, boxes=boxes)
    _check(collection, options, fields, key, metadata)
    held = {name: held_vectors(collection, name, kind, options.vectors) for name, kind in fields}
    with talking():
        paths = _paths(collection, options, fields, truth, key, held, numbers)
        columns = fetch(collection, [*paths, *metadata])
    for name, of in (*fields, (str(options.gt_field), truth)):
        if of is not None and of.single:
            _as_lists(columns, name)
    ids = keyed(columns["id"], columns[key] if key else None, key)
    reading = Reading(options, columns, ids, _declared(collection, options))
    for name, kind in fields:
        if kind.name == "Heatmap":
            _read_maps(reading, collection, name)
        name_vectors(reading, name, kind, held[name], options.vectors)
    vectors = [
        class_vectors(reading, name, kind) if kind.has_vectors else None for name, kind in fields
    ]
    classes = _classes(reading, fields, truth, vectors)
    parts = predicted(reading, fields, classes, vectors)
    parts |= _labels(reading, collection, truth, classes, numbers)
    if options.embeddings:
        parts["embeddings"] = embeddings_of(reading, collection)
    if options.groups is not None or options.frames:
        parts["groups"] = groups_of(reading)
    parts["metadata"] = {path: columns[path] for path in metadata} or None
    _note_state(reading, collection)
    return Pool(
        ids,
        classes=classes or None,
        versions=[name for name, _ in fields] or None,
        notices=reading.notices,
        **parts,
    )


def _fields(
    collection: Any, options: FiftyOneSource, truth: Kind | None, *, boxes: bool
) -> list[tuple[str, Kind]]:
    """The fields with predictions; with boxes where asked, or where these are compared."""
    fields = [(name, kind_of(collection, "pred_field", name)) for name in options.pred_fields]
    compared = len(fields) > 1 or (truth is not None and truth.of_objects)
    if boxes or compared or options.object_embeddings:
        return fields
    return [(name, kind.without_box()) for name, kind in fields]


def _check(
    collection: Any,
    options: FiftyOneSource,
    fields: Sequence[tuple[str, Kind]],
    key: str | None,
    metadata: Sequence[str],
) -> None:
    if options.embeddings:
        check_embeddings(collection, options.embeddings)
    check_groups(collection, options.groups)
    check_metadata(collection, metadata)
    if key is not None:
        field_of(collection, "source.key", key)
    labels = [name for name, kind in fields if not kind.scalar]
    if labels and options.pred_values == "uncertainty":
        raise InvalidInput(
            f"pred_values must be confidence where predictions are labels, as in {labels[0]}; "
            "got 'uncertainty'.",
            hint="it says what heatmaps and numbers hold; store the uncertainty as a number.",
        )


def _paths(
    collection: Any,
    options: FiftyOneSource,
    fields: Sequence[tuple[str, Kind]],
    truth: Kind | None,
    key: str | None,
    held: Mapping[str, Sequence[str]],
    numbers: str | None,
) -> list[str]:
    paths = ["id", key] if key else ["id"]
    paths += group_paths(options)
    if options.label_tag:
        paths.append("tags")
    if options.gt_field and truth is None:
        paths.append(numbers or _mark(collection, options.gt_field))
    standard = ("label", "confidence")
    wanted: list[tuple[str, Kind, tuple[str, ...]]] = []
    for name, kind in fields:
        vectors = options.object_embeddings if kind.of_objects else None
        wanted.append((name, kind, (*standard, vectors) if vectors else standard))
    if options.gt_field and truth and truth.name == TEXT.name:
        paths.append(options.gt_field)
    elif options.gt_field and truth:
        wanted.append((options.gt_field, truth, ("label",)))
    for name, kind, attributes in wanted:
        if kind.scalar and kind.name != "Heatmap":
            paths.append(kind.number(name))
        elif not kind.scalar:
            shape = (kind.shape,) if kind.shape else ()
            paths += [f"{kind.path(name)}.{part}" for part in (*attributes, *shape)]
        if kind.single:
            paths.append(f"{name}._cls")
    return paths + [path for name, _ in fields for path in held[name]]


def _mark(collection: Any, field: str) -> str:
    """What of a field tells that it has a value: of a document, its class alone."""
    of_documents = hasattr(collection.get_field(field), "document_type")
    return f"{field}._cls" if of_documents else field


def _as_lists(columns: Columns, name: str) -> None:
    """The attributes of one label as lists of one, and None where there is no label."""
    present = [mark is not None for mark in columns.pop(f"{name}._cls")]
    for path, values in columns.items():
        if path.startswith(f"{name}."):
            columns[path] = [[v] if here else None for v, here in zip(values, present, strict=True)]


def _read_maps(reading: Reading, collection: Any, name: str) -> None:
    """A column with the mean of each heatmap."""
    with talking():
        means, unreadable = map_means(collection, name)
    samples = reading.columns["id"]
    reading.columns[name] = [means.get(sample) for sample in samples]
    if unreadable:
        rows = [row for row, sample in enumerate(samples) if sample in unreadable]
        reading.note("unreadable_map", f"items have a heatmap in {name} that can't be read.", rows)


def _declared(collection: Any, options: FiftyOneSource) -> tuple[str, ...] | None:
    dataset = collection._root_dataset
    for path in (*options.pred_fields, options.gt_field):
        if path and dataset.classes.get(field_path(path, options.frames)):
            return tuple(dataset.classes[field_path(path, options.frames)])
    return tuple(dataset.default_classes) or None


def _classes(
    reading: Reading,
    fields: Sequence[tuple[str, Kind]],
    truth: Kind | None,
    vectors: Sequence[NDArray[np.floating] | None],
) -> tuple[str, ...]:
    """The declared classes, else those that the labels show."""
    with_vectors = [
        (f"{name}.label", rows)
        for (name, kind), rows in zip(fields, vectors, strict=True)
        if rows is not None and not kind.listed
    ]
    widths = [rows.shape[1] for rows in vectors if rows is not None]
    if reading.declared:
        for path, rows in with_vectors:
            _check_order(reading, path, reading.declared, rows)
        return reading.declared
    used = [label for name, kind in fields for label in _labels_in(reading, name, kind)]
    if reading.options.gt_field and truth:
        used += _labels_in(reading, reading.options.gt_field, truth)
    names: tuple[str, ...] = tuple(sorted({str(label) for label in used if label}))
    if with_vectors:
        path, rows = with_vectors[0]
        names = _names_of_columns(reading.columns[path], rows)
    elif widths:  # which label belongs to which of several high columns, nothing says
        names = tuple(f"class {column}" for column in range(widths[0]))
    if not names and not fields and truth is None and len(reading.options.label_tags) > 1:
        return reading.options.label_tags  # nothing else names a class
    if names:
        counts = f"those of its labels count ({len(names)})"
        if widths and not with_vectors:
            counts = f"its {len(names)} classes are numbered"
        reading.note(
            "derived_classes",
            f"the dataset declares no classes, so {counts}; set dataset.classes or "
            "dataset.default_classes to fix their number and order.",
        )
    return names


def _labels_in(reading: Reading, name: str, kind: Kind) -> list[Any]:
    if kind.scalar:
        return []
    labels = reading.columns[kind.label(name)]
    return flat(labels) if kind.of_objects else labels


def _best(vectors: NDArray[np.floating]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows without NaN, and their likeliest columns."""
    rows = np.flatnonzero(~np.isnan(vectors).any(axis=1))
    return rows, vectors[rows].argmax(axis=1)


def _names_of_columns(labels: list[Any], vectors: NDArray[np.floating]) -> tuple[str, ...]:
    """A name for each column: the commonest label of the items where it is the likeliest one."""
    votes: list[Counter[str]] = [Counter() for _ in range(vectors.shape[1])]
    for row, column in zip(*_best(vectors), strict=True):
        if labels[row]:
            votes[column][str(labels[row])] += 1
    names: list[str] = []
    for column, count in enumerate(votes):
        free = [name for name, _ in count.most_common() if name not in names]
        names.append(free[0] if free else f"class {column}")
    return tuple(names)


def _check_order(
    reading: Reading, path: str, classes: tuple[str, ...], vectors: NDArray[np.floating]
) -> None:
    labels = reading.columns[path]
    rows, best = _best(vectors)
    wrong = [r for r, b in zip(rows, best, strict=True) if labels[r] and labels[r] != classes[b]]
    if wrong:
        reading.note(
            "label_mismatch",
            "items have a predicted label that is not the likeliest class of their vector; the "
            "dataset's classes may be in another order than the model's.",
            wrong,
        )


def _labels(
    reading: Reading,
    collection: Any,
    truth: Kind | None,
    classes: tuple[str, ...],
    numbers: str | None,
) -> dict[str, Any]:
    n = len(reading.item_ids)
    labelled = np.zeros(n, dtype=bool)
    parts: dict[str, Any] = {}
    name = reading.options.gt_field
    if numbers is not None:
        said = np.array(reading.columns[numbers], dtype=np.float64)
        parts["numbers"] = np.where(np.isfinite(said), said, np.nan)
        labelled |= np.isfinite(said)
    elif name and truth is None:
        marks = reading.columns[_mark(collection, name)]
        labelled |= np.array([mark is not None and mark != [] for mark in marks], dtype=bool)
    elif name and truth and not truth.of_objects:
        labels = reading.columns[truth.label(name)]
        parts["labels"] = positions(labels, classes)
        note_unknown(reading, labels, parts["labels"], np.arange(n))
        labelled |= np.array([bool(label) for label in labels], dtype=bool)
    elif name and truth:
        lists = reading.columns[truth.label(name)]
        starts = offsets(lists)
        sure = np.ones(int(starts[-1]))
        made = objects_of(reading, name, truth, starts, classes, sure)
        if truth.shape is None:  # whole samples: an empty list says that they have none
            unseen = [part is None for part in lists]
            made = Objects(starts, sure, class_ids=made.class_ids, missing=unseen)
        parts["truth"] = made
        labelled |= np.array([part is not None for part in lists], dtype=bool)
    fetched = fetched_ids(collection)
    labelled |= np.array([i in fetched for i in reading.columns["id"]], dtype=bool)
    return _tagged(reading, classes, {**parts, "labelled": labelled})


def _tagged(reading: Reading, classes: tuple[str, ...], parts: dict[str, Any]) -> dict[str, Any]:
    """Samples with one of the tags are labelled; a tag that names a class is the label."""
    wanted = reading.options.label_tags
    if not wanted:
        return parts
    known = chain.from_iterable(tags or () for tags in reading.columns["tags"])
    for line in mistyped_tags(wanted, known):
        reading.note("unknown_tag", line)
    where = {tag: classes.index(tag) if tag in classes else -1 for tag in wanted}
    tagged = [[t for t in tags or () if t in where] for tags in reading.columns["tags"]]
    named = [{where[t] for t in tags} - {-1} for tags in tagged]
    twice = [row for row, classes_of in enumerate(named) if len(classes_of) > 1]
    if twice:
        reading.note("several_labels", "items have tags of several classes, so none counts.", twice)
    parts["labelled"] |= np.array([bool(tags) for tags in tagged], dtype=bool)
    if any(named):
        labels = parts.setdefault("labels", np.full(len(tagged), -1, dtype=np.int64))
        for row, classes_of in enumerate(named):
            if labels[row] < 0 and len(classes_of) == 1:
                (labels[row],) = classes_of
    return parts


def _note_state(reading: Reading, collection: Any) -> None:
    """What of this process's FiftyOne matters: another slice is active, or samples are in memory.

    FiftyOne reloads every `fo.Sample` that is in memory after a write, one query each.
    """
    import fiftyone as fo

    note_slice(reading, collection)
    instances = getattr(fo.Sample, "_instances", {})
    n = len(instances.get(collection._root_dataset._sample_collection_name, ()))
    if n > _LIVE:
        reading.note(
            "live_samples",
            f"{n} fo.Sample objects of this dataset are in memory, and FiftyOne reloads each after "
            "a write, which can take 75 times as long; delete them and call gc.collect(), and "
            "iterate over dataset.view() instead of the dataset.",
        )
