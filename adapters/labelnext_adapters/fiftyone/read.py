"""A FiftyOne dataset or view to a Pool, by one query for all fields."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool import Pool
from labelnext_adapters.fiftyone.columns import (
    fetch,
    flat,
    offsets,
    positions,
    stream,
)
from labelnext_adapters.fiftyone.connection import field_of, talking
from labelnext_adapters.fiftyone.labels import fetched_ids
from labelnext_adapters.fiftyone.predictions import (
    Reading,
    class_vectors,
    classified,
    detected,
    note_unknown,
    objects_of,
)

if TYPE_CHECKING:
    from labelnext_adapters.fiftyone import FiftyOneSource

Kind = str  # "Classification" or "Detections"
_LIVE = 100  # samples in memory that cost a write less than a second
SUPPORTED = ("Classification", "Detections")


def label_kind(collection: Any, option: str, path: str) -> Kind:
    """Which kind of labels a field holds.

    Raises:
        NotFound: if there is no such field.
        InvalidInput: if it holds neither Classification nor Detections.
    """
    found = field_of(collection, option, path)
    document = getattr(found, "document_type", None)
    name = type(found).__name__ if document is None else document.__name__
    if name not in SUPPORTED:
        raise InvalidInput(
            f"{option} must be a field of {' or '.join(SUPPORTED)}; got {path!r} of {name}."
        )
    return str(name)


def check_vector_field(collection: Any, path: str) -> None:
    """Raise InvalidInput unless the field can hold vectors."""
    name = type(field_of(collection, "embeddings", path)).__name__
    if name not in ("VectorField", "ArrayField", "ListField"):
        raise InvalidInput(f"embeddings must be a vector field; got {path!r} of {name}.")


def read_pool(collection: Any, options: FiftyOneSource, key: str | None) -> Pool:
    """All samples of the collection, with their stored predictions.

    Raises:
        NotFound: if a field does not exist.
        InvalidInput: if a field is of a wrong type, its vectors do not fit the classes, or the
            key is not set and distinct on every sample.
    """
    pred = options.pred_field and label_kind(collection, "pred_field", options.pred_field)
    truth = options.gt_field and label_kind(collection, "gt_field", options.gt_field)
    if options.embeddings:
        check_vector_field(collection, options.embeddings)
    if key is not None:
        field_of(collection, "source.key", key)
    with talking():
        columns = fetch(collection, _paths(options, pred, truth, key))
    ids = keyed(columns["id"], columns[key] if key else None, key)
    reading = Reading(options, columns, ids, _declared(collection, options))
    vectors = class_vectors(reading) if pred == "Classification" else None
    classes = _classes(reading, pred, truth, vectors)
    parts: dict[str, Any] = {}
    if pred == "Classification":
        parts |= classified(reading, classes, vectors)
    elif pred == "Detections":
        parts |= detected(reading, classes)
    parts |= _labels(reading, collection, truth, classes)
    if options.embeddings:
        parts["embeddings"] = _embeddings(reading, collection)
    _note_live_samples(reading, collection)
    return Pool(ids, classes=classes or None, notices=reading.notices, **parts)


def _paths(
    options: FiftyOneSource, pred: Kind | None, truth: Kind | None, key: str | None
) -> list[str]:
    paths = ["id", key] if key else ["id"]
    if options.label_tag:
        paths.append("tags")
    for kind, name, attributes in (
        (pred, options.pred_field, ("label", "confidence", "logits", "probabilities")),
        (truth, options.gt_field, ("label",)),
    ):
        inner = f"{name}.detections" if kind == "Detections" else name
        if kind:
            paths += [f"{inner}.{attribute}" for attribute in attributes]
        if kind == "Detections":
            paths.append(f"{inner}.bounding_box")
    return paths


def keyed(sample_ids: list[str], values: list[Any] | None, key: str | None) -> list[str]:
    """The ids of the items: the samples' own, or the values of the key field.

    Raises:
        InvalidInput: if a value is missing or repeated.
    """
    if values is None:
        return list(sample_ids)
    empty = [i for i, v in zip(sample_ids, values, strict=True) if v is None or v == ""]
    if empty:
        raise InvalidInput(
            f"source.key {key!r} must be set on every sample; got none on {len(empty)}: "
            f"{listed(empty)}."
        )
    names = [str(v) for v in values]
    twice = sorted(name for name, n in Counter(names).items() if n > 1)
    if twice:
        raise InvalidInput(
            f"source.key {key!r} must be distinct; got {len(twice)} values more than once: "
            f"{listed(twice)}."
        )
    return names


def _declared(collection: Any, options: FiftyOneSource) -> tuple[str, ...] | None:
    dataset = collection._root_dataset
    for path in (options.pred_field, options.gt_field):
        if path and dataset.classes.get(path):
            return tuple(dataset.classes[path])
    return tuple(dataset.default_classes) or None


def _classes(
    reading: Reading,
    pred: Kind | None,
    truth: Kind | None,
    vectors: NDArray[np.floating] | None,
) -> tuple[str, ...]:
    """The declared classes, else those that the labels show."""
    used = _labels_in(reading, reading.options.pred_field, pred)
    if reading.declared:
        if vectors is not None:
            _check_order(reading, reading.declared, vectors)
        return reading.declared
    seen = {str(x) for x in used + _labels_in(reading, reading.options.gt_field, truth) if x}
    names: tuple[str, ...] = tuple(sorted(seen))
    if vectors is not None:
        names = _names_of_columns(used, vectors)
    if names:
        reading.note(
            "derived_classes",
            f"the dataset declares no classes, so {len(names)} were taken from its labels; "
            "set dataset.classes or dataset.default_classes to fix their number and order.",
        )
    return names


def _labels_in(reading: Reading, name: str | None, kind: Kind | None) -> list[Any]:
    if kind == "Detections":
        return flat(reading.columns[f"{name}.detections.label"])
    return reading.columns[f"{name}.label"] if kind else []


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


def _check_order(reading: Reading, classes: tuple[str, ...], vectors: NDArray[np.floating]) -> None:
    labels = reading.columns[f"{reading.options.pred_field}.label"]
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
    reading: Reading, collection: Any, truth: Kind | None, classes: tuple[str, ...]
) -> dict[str, Any]:
    n = len(reading.item_ids)
    labelled = np.zeros(n, dtype=bool)
    parts: dict[str, Any] = {}
    name = reading.options.gt_field
    if truth == "Classification":
        labels = reading.columns[f"{name}.label"]
        parts["labels"] = positions(labels, classes)
        note_unknown(reading, labels, parts["labels"], np.arange(n))
        labelled |= np.array([bool(label) for label in labels], dtype=bool)
    elif truth == "Detections":
        inner = f"{name}.detections"
        lists = reading.columns[f"{inner}.label"]
        starts = offsets(lists)
        parts["truth"] = objects_of(reading, inner, starts, classes, np.ones(int(starts[-1])))
        labelled |= np.array([part is not None for part in lists], dtype=bool)
    tag = reading.options.label_tag
    if tag:
        labelled |= np.array([tag in (tags or ()) for tags in reading.columns["tags"]], dtype=bool)
    fetched = fetched_ids(collection)
    labelled |= np.array([i in fetched for i in reading.columns["id"]], dtype=bool)
    return {**parts, "labelled": labelled}


def _embeddings(reading: Reading, collection: Any) -> NDArray[np.floating] | None:
    path = str(reading.options.embeddings)
    with talking():
        found = stream(collection, path, reading.columns["id"])
    if found is None:
        reading.note("no_embedding", "items have no embedding.", range(len(reading.item_ids)))
        return None
    matrix, odd = found
    if odd or matrix.shape[1] == 0:
        raise InvalidInput(
            f"embeddings must be vectors of one length, {matrix.shape[1]}; "
            f"got others on {len(odd)} samples: {listed(reading.item_ids[i] for i in odd)}."
        )
    without = np.flatnonzero(np.isnan(matrix).any(axis=1))
    if len(without):
        reading.note("no_embedding", "items have no embedding.", without)
    return matrix


def _note_live_samples(reading: Reading, collection: Any) -> None:
    """FiftyOne reloads every `fo.Sample` that is in memory after a write, one query each."""
    import fiftyone as fo

    instances = getattr(fo.Sample, "_instances", {})
    n = len(instances.get(collection._root_dataset._sample_collection_name, ()))
    if n > _LIVE:
        reading.note(
            "live_samples",
            f"{n} fo.Sample objects of this dataset are in memory, and FiftyOne reloads each after "
            "a write, which can take 75 times as long; delete them and call gc.collect(), and "
            "iterate over dataset.view() instead of the dataset.",
        )
