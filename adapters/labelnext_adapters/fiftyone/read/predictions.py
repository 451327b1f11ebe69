"""Stored predictions to columns: classes to vectors or a confidence, lists to objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice, Objects
from labelnext.support.words import counted
from labelnext_adapters.fiftyone.database.values import (
    Columns,
    corners,
    flat,
    floats,
    offsets,
    positions,
    sigmoid,
    softmax,
    stack,
)
from labelnext_adapters.fiftyone.read.class_vectors import rule_of_vectors
from labelnext_adapters.fiftyone.read.classifications import (
    answers_together,
    independent,
    one_distribution,
)
from labelnext_adapters.fiftyone.read.label_types import Kind, extent, one_confidence

if TYPE_CHECKING:
    from labelnext_adapters.fiftyone.options import FiftyOneSource

_PREDICTED = ("confidence", "logits", "probabilities")


@dataclass
class Reading:
    """What is known while a pool is put together."""

    options: FiftyOneSource
    columns: Columns
    item_ids: list[str]
    declared: tuple[str, ...] | None
    notices: list[Notice] = field(default_factory=list)

    def note(self, code: str, message: str, rows: Any = ()) -> None:
        """Count something, with the items it concerns; `message` follows their number."""
        ids = tuple(self.item_ids[i] for i in dict.fromkeys(int(r) for r in rows))
        if len(ids) == 1:
            message = message.replace("items have", "item has", 1).replace(" their ", " its ", 1)
        self.notices.append(Notice(code, f"{len(ids):,} {message}" if ids else message, ids))


def class_vectors(reading: Reading, name: str, kind: Kind) -> NDArray[np.floating] | None:
    """Probabilities of all classes, from a label's logits or else its attribute probabilities.

    Args:
        reading: what is known; a dataset with one class gets its opposite, too, where a
            Classification has a single logit.
        name: of the field.
        kind: Classification has one class; the classes of Classifications are independent.
    """
    exclusive = kind.name == "Classification"
    if exclusive and (pairs := _of_two_classes(reading, name)) is not None:
        return pairs
    width = len(reading.declared) if reading.declared else None
    result: NDArray[np.floating] | None = None
    for attribute in ("logits", "probabilities"):
        vectors = stack(reading.columns[f"{name}.{attribute}"], width)
        if vectors is None:
            continue
        matrix, odd = vectors
        _check_widths(reading, f"{name}.{attribute}", matrix, odd)
        if attribute == "logits" and exclusive:
            _doubt_logits(reading, name, matrix)
            matrix = softmax(matrix)
        elif attribute == "logits":
            matrix = sigmoid(matrix)
        if result is None:
            result = matrix
        elif result.shape == matrix.shape:
            result = np.where(np.isnan(result).all(axis=1, keepdims=True), matrix, result)
    return result


def _of_two_classes(reading: Reading, name: str) -> NDArray[np.floating] | None:
    """Probabilities of two classes, where each label has one number, for the second of them."""
    declared = reading.declared
    if declared is not None and len(declared) > 2:
        return None
    for attribute in ("logits", "probabilities"):
        numbers = stack(reading.columns[f"{name}.{attribute}"], 1)
        if numbers is None or numbers[1]:
            continue
        second = sigmoid(numbers[0]) if attribute == "logits" else numbers[0]
        if declared is not None and len(declared) == 1:
            reading.declared = (f"not {declared[0]}", *declared)
        return np.hstack([1 - second, second])
    return None


def _check_widths(
    reading: Reading, path: str, matrix: NDArray[np.floating], odd: list[int]
) -> None:
    width = matrix.shape[1]
    present = sum(v is not None for v in reading.columns[path])
    if width == 0 or len(odd) == present:
        names = listed(reading.item_ids[i] for i in odd)
        raise InvalidInput(
            f"{path} must {rule_of_vectors(reading.declared)}; not so on {len(odd)} samples: "
            f"{names}.",
            hint="set dataset.classes[field] to the classes of the model, in its order; numbers by "
            "name must name each of them, also with 0.",
        )
    if odd:
        reading.note("ragged", f"items have {path} that are not {width} long, so no score.", odd)


def _doubt_logits(reading: Reading, name: str, logits: NDArray[np.floating]) -> None:
    """Say so where stored "logits" are distributions already: softmax would flatten them."""
    rows = logits[~np.isnan(logits).any(axis=1)]
    if len(rows) and rows.shape[1] > 1 and rows.min() >= 0:
        sums = rows.sum(axis=1)
        if np.abs(sums - 1).max() < 1e-3:
            reading.note(
                "logits_are_probabilities",
                f"{name}.logits sum to 1 on every sample, so they look like "
                "probabilities; softmax was applied all the same. Keep probabilities in an "
                "attribute named probabilities.",
            )


def predicted(
    reading: Reading,
    fields: Sequence[tuple[str, Kind]],
    classes: tuple[str, ...],
    vectors: Sequence[NDArray[np.floating] | None],
) -> dict[str, Any]:
    """Columns of a Pool for the prediction fields; several of them are a committee.

    Raises:
        InvalidInput: if the fields of a committee hold different things.
    """
    answers = [
        _of_field(reading, name, kind, classes, rows)
        for (name, kind), rows in zip(fields, vectors, strict=True)
    ]
    if len(answers) < 2:
        return answers[0] if answers else {}
    answers = answers_together(answers)
    missing = np.logical_and.reduce([part["missing"] for part in answers])
    alike = {part["objects"].whole_items for part in answers if "objects" in part}
    if all("probabilities" not in part for part in answers) and len(alike) == 1:
        versions = tuple(replace(part["objects"], missing=part["missing"]) for part in answers)
        return {"objects": versions, "missing": missing}
    rows = [part["probabilities"] for part in answers if "probabilities" in part]
    if len(rows) < len(answers) or len({part.shape for part in rows}) > 1:
        names = listed(name for name, _ in fields)
        raise InvalidInput(
            "the fields of a committee must all hold objects, or all probabilities of the same "
            f"classes; got {names}, which do not."
        )
    multilabel = {part.get("multilabel", False) for part in answers} == {True}
    return {"probabilities": np.stack(rows), "multilabel": multilabel, "missing": missing}


def _of_field(
    reading: Reading,
    name: str,
    kind: Kind,
    classes: tuple[str, ...],
    vectors: NDArray[np.floating] | None,
) -> dict[str, Any]:
    """Columns of a Pool for one field."""
    if kind.name == "Classification":
        return classified(reading, name, classes, vectors)
    if kind.scalar:
        return _scalar(reading, name, kind)
    if kind.name == "Classifications":
        if vectors is not None:
            return independent(reading, name, vectors, detected(reading, name, kind, classes))
        if (whole := one_distribution(reading, name, kind, classes)) is not None:
            return whole
    return detected(reading, name, kind, classes)


def classified(
    reading: Reading,
    name: str,
    classes: tuple[str, ...],
    vectors: NDArray[np.floating] | None,
) -> dict[str, Any]:
    """Columns of a Pool for Classification: distributions, or a confidence where none are."""
    columns = reading.columns
    labels, confidences = columns[f"{name}.label"], floats(columns[f"{name}.confidence"])
    given = zip(labels, *(columns[f"{name}.{a}"] for a in _PREDICTED), strict=True)
    missing = np.array([all(v is None for v in row) for row in given], dtype=bool)
    ids = positions(labels, classes)
    note_unknown(reading, labels, ids, np.arange(len(labels)))
    if reading.declared and len(classes) == 2:
        pairs = _pairs(confidences, ids)
        vectors = pairs if vectors is None else _filled(vectors, pairs)
    if vectors is None and not missing.all():
        return {"objects": _one_each(reading, name, confidences, ids, missing), "missing": missing}
    if vectors is None:  # nothing is predicted yet: every item is missing, which is no error
        vectors = np.full((len(labels), max(len(classes), 1)), np.nan)
    empty = np.isnan(vectors).all(axis=1) & ~missing
    if empty.any():
        reading.note("no_vector", "items have no class probabilities.", np.flatnonzero(empty))
    return {"probabilities": vectors, "missing": missing}


def _filled(vectors: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    return np.where(np.isnan(vectors).all(axis=1, keepdims=True), others, vectors)


def _pairs(confidences: NDArray[np.float64], ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of two classes the named one has s, and the other 1 − s."""
    rows = np.full((len(ids), 2), np.nan)
    known = np.flatnonzero(ids >= 0)
    rows[known, ids[known]] = confidences[known]
    rows[known, 1 - ids[known]] = 1 - confidences[known]
    return rows


def _one_each(
    reading: Reading,
    name: str,
    confidences: NDArray[np.float64],
    ids: NDArray[np.int64],
    missing: NDArray[np.bool_],
) -> Objects:
    """A Classification with a confidence alone, as one confidence per item."""
    if np.isfinite(confidences).any():
        reading.note(
            "confidence_only",
            f"field {name} holds one confidence per item without class probabilities, so items "
            "are ranked by least_confidence; margin, entropy and variance need logits.",
        )
    _check_range(reading, f"{name}.confidence", confidences, np.arange(len(missing)))
    starts = np.concatenate([[0], np.cumsum(~missing)])
    return Objects(starts, confidences[~missing], class_ids=ids[~missing], whole_items=True)


def detected(reading: Reading, name: str, kind: Kind, classes: tuple[str, ...]) -> dict[str, Any]:
    """Columns of a Pool for lists of labels."""
    inner = kind.path(name)
    lists = reading.columns[f"{inner}.confidence"]
    starts = offsets(lists)
    missing = np.array([part is None for part in lists], dtype=bool)
    owners = np.repeat(np.arange(len(lists)), np.diff(starts))
    width = len(reading.declared) if reading.declared else None
    vectors: NDArray[np.floating] | None = None
    for attribute in ("logits", "probabilities"):
        stacked = stack(flat(reading.columns[f"{inner}.{attribute}"]), width)
        if stacked is None or vectors is not None:
            continue
        vectors, odd = stacked
        if len(odd) == len(vectors) or vectors.shape[1] == 0:
            names = listed(dict.fromkeys(reading.item_ids[owners[i]] for i in odd))
            rule = rule_of_vectors(reading.declared)
            raise InvalidInput(f"{inner}.{attribute} must {rule}; not so on {names}.")
        if odd:
            reading.note("ragged", f"items have {inner}.{attribute} of odd length.", owners[odd])
        vectors = softmax(vectors) if attribute == "logits" else vectors
    values = flat(lists)
    if kind.shape == "points":  # a keypoint has a confidence for each of its own
        values = [one_confidence(value) for value in values]
    confidences = floats(values)
    _check_range(reading, f"{inner}.confidence", confidences, owners)
    if vectors is not None:
        lacking = np.isnan(confidences) & ~np.isnan(vectors).any(axis=1)
        confidences[lacking] = vectors[lacking].max(axis=1)
        if lacking.any():
            reading.note(
                "confidence_of_vectors",
                f"items have {inner} without a confidence; their highest probability counts as it.",
                owners[lacking],
            )
    objects = objects_of(reading, name, kind, starts, classes, confidences, vectors)
    looks = _object_embeddings(reading, inner, owners)
    return {"objects": replace(objects, embeddings=looks), "missing": missing}


def _object_embeddings(
    reading: Reading, inner: str, owners: NDArray[np.intp]
) -> NDArray[np.floating] | None:
    """The embedding of each object, NaN where it has none."""
    name = reading.options.object_embeddings
    if name is None or not len(owners):
        return None
    stacked = stack(flat(reading.columns[f"{inner}.{name}"]))
    if stacked is None or len(stacked[1]) == len(owners):
        raise InvalidInput(
            f"object_embeddings must be an attribute of {inner} that holds vectors; got {name!r}.",
            hint=f"view.compute_patch_embeddings(…, embeddings_field={name!r}) stores them.",
        )
    vectors, odd = stacked
    if odd:
        reading.note("ragged", f"items have {inner}.{name} of odd length.", owners[odd])
    without = np.isnan(vectors).all(axis=1)
    without[odd] = False
    if without.any():
        reading.note("no_object_embedding", "items have objects without one.", owners[without])
    return vectors


def _scalar(reading: Reading, name: str, kind: Kind) -> dict[str, Any]:
    """A number a sample, as one confidence per item."""
    values = floats(reading.columns[kind.number(name)])
    if reading.options.pred_values == "uncertainty":
        values = 1 - values
        said = f"{name} holds uncertainties: a confidence of it is 1 minus the number."
        reading.note("uncertainties", said)
    _check_range(reading, name, values, np.arange(len(values)))
    missing = np.isnan(values)
    starts = np.concatenate([[0], np.cumsum(~missing)])
    objects = Objects(starts, values[~missing], whole_items=True)
    return {"objects": objects, "missing": missing}


def _check_range(
    reading: Reading, path: str, values: NDArray[np.float64], owners: NDArray[np.intp]
) -> None:
    """Raise unless all numbers are in [0, 1]; `owners` are their items."""
    odd = np.unique(owners[(values < 0) | (values > 1)])
    if len(odd):
        raise InvalidInput(
            f"{path} must hold numbers in [0, 1]; it does not on {counted(len(odd), 'sample')}: "
            f"{listed(reading.item_ids[i] for i in odd)}.",
            hint="divide them by the largest that is possible."
            if np.isfinite(values[np.isin(owners, odd)]).all()
            else "store None where there is no number.",
        )


def objects_of(
    reading: Reading,
    name: str,
    kind: Kind,
    starts: NDArray[np.int64],
    classes: tuple[str, ...],
    confidences: NDArray[np.float64],
    vectors: NDArray[np.floating] | None = None,
) -> Objects:
    """The labels of a field as Objects."""
    inner = kind.path(name)
    owners = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    labels = flat(reading.columns[f"{inner}.label"])
    ids = positions(labels, classes)
    note_unknown(reading, labels, ids, owners)
    boxes: NDArray[np.float64] | None = None
    bad: list[int] = []
    if kind.shape is not None:
        shapes = flat(reading.columns[f"{inner}.{kind.shape}"])
        boxes, bad = corners([extent(s) for s in shapes] if kind.shape == "points" else shapes)
    if bad:
        reading.note(
            "no_boxes", f"items have objects without a box, so no {inner} boxes are used.",
            owners[bad],
        )  # fmt: skip
    return Objects(starts, confidences, class_ids=ids, boxes=boxes, probabilities=vectors)


def note_unknown(
    reading: Reading, labels: list[Any], ids: NDArray[np.int64], owners: NDArray[np.intp]
) -> None:
    """Count labels without a class; `owners` are the items of the labels."""
    odd = [i for i in np.flatnonzero(ids < 0) if labels[i]]
    if odd:
        names = listed(sorted({str(labels[i]) for i in odd}))
        what = "are not among the dataset's classes"
        if reading.declared is None:
            what = "belong to no column of the vectors, as the dataset declares no classes"
        reading.note("unknown_class", f"items have labels that {what}: {names}.", owners[odd])
