"""Predictions that a user pushes, as columns of a journal's payload, and as FiftyOne's labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import listed
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool
from labelnext.support.words import counted

_LIKELY = 0.5  # of independent classes, those that are named
_SMALLEST = float(np.finfo(np.float64).tiny)  # a probability whose logarithm is still finite


def kind_of(pool: Pool) -> str:
    """The type of the labels that hold the predictions of a pool."""
    if pool.estimates is not None:
        return "Regression"
    if pool.object_sets:
        return "Detections"
    return "Classifications" if pool.multilabel else "Classification"


def content_of(
    pool: Pool, rows: NDArray[np.intp], kind: str, names: Sequence[str], classes: Sequence[str]
) -> tuple[dict[str, Any], list[str]]:
    """The columns of the payload, and what has no form in FiftyOne, one sentence each."""
    if pool.object_sets:
        return _of_objects(pool, pool.object_sets[0], rows, names, classes)
    if pool.answer is not None:
        return _of_answers(pool, pool.answer, rows, names)
    probabilities = pool.mean_probabilities
    assert probabilities is not None
    whole = ~np.isnan(probabilities[rows]).any(axis=1)
    lost = pool.item_ids[rows[~whole]].tolist()
    kept = rows[whole]
    table = _ordered(probabilities[kept].astype(np.float64), names, classes)
    counts, labels, confidences = [], [], []
    for numbers in table:
        likely: list[int] = np.flatnonzero(numbers >= _LIKELY).tolist()
        if kind == "Classification" or not likely:
            likely = [int(numbers.argmax())]
        counts.append(len(likely))
        labels += [classes[c] for c in likely]
        confidences += [float(numbers[c]) for c in likely]
    columns = {"rows": kept.tolist(), "counts": counts, "labels": labels}
    columns |= {"confidences": confidences, "boxes": None, "vectors": table.tolist()}
    return columns, _named(lost, "prediction", "that isn't a number for each class")


def content_of_numbers(
    pool: Pool, estimates: NDArray[np.float64], rows: NDArray[np.intp]
) -> dict[str, Any]:
    """The same of numbers, which have no classes."""
    assert pool.answer is not None
    confidences = pool.answer.confidences[pool.answer.offsets[rows]]
    columns: dict[str, Any] = {"rows": rows.tolist(), "counts": [1] * len(rows)}
    columns |= {"labels": estimates[rows].tolist(), "confidences": confidences.tolist()}
    return {**columns, "boxes": None, "vectors": None}


def _of_answers(
    pool: Pool, answer: Objects, rows: NDArray[np.intp], names: Sequence[str]
) -> tuple[dict[str, Any], list[str]]:
    kept, labels, confidences, lost = [], [], [], []
    for row in rows.tolist():
        position = int(answer.offsets[row])
        number = -1 if answer.class_ids is None else int(answer.class_ids[position])
        confidence = float(answer.confidences[position])
        if number < 0 or confidence != confidence:
            lost.append(str(pool.item_ids[row]))
            continue
        kept.append(row)
        labels.append(names[number])
        confidences.append(confidence)
    columns: dict[str, Any] = {"rows": kept, "counts": [1] * len(kept), "labels": labels}
    columns |= {"confidences": confidences, "boxes": None, "vectors": None}
    return columns, _named(lost, "prediction", "without a class")


def _of_objects(
    pool: Pool,
    objects: Objects,
    rows: NDArray[np.intp],
    names: Sequence[str],
    classes: Sequence[str],
) -> tuple[dict[str, Any], list[str]]:
    unknown = np.full(len(objects.confidences), -1, dtype=np.int64)
    class_ids = unknown if objects.class_ids is None else objects.class_ids
    usable = (class_ids >= 0) & ~np.isnan(objects.confidences)
    usable &= False if objects.boxes is None else ~np.isnan(objects.boxes).any(axis=1)
    kept, counts, chosen, lost = [], [], [], []
    for row in rows.tolist():
        span = np.arange(int(objects.offsets[row]), int(objects.offsets[row + 1]))
        good = span[usable[span]]
        lost += [str(pool.item_ids[row])] * (len(span) - len(good))
        if len(good) or not len(span):  # to say that there is nothing would be wrong
            kept.append(row)
            counts.append(len(good))
            chosen += good.tolist()
    boxes = [] if objects.boxes is None else objects.boxes[chosen].astype(np.float64).tolist()
    columns: dict[str, Any] = {"rows": kept, "counts": counts}
    columns["labels"] = [names[int(class_ids[at])] for at in chosen]
    columns["confidences"] = objects.confidences[chosen].astype(np.float64).tolist()
    columns["boxes"] = [[x1, y1, x2 - x1, y2 - y1] for x1, y1, x2, y2 in boxes]
    columns["vectors"] = None
    if objects.probabilities is not None:
        vectors = objects.probabilities[chosen].astype(np.float64)
        columns["vectors"] = _ordered(vectors, names, classes).tolist()
    return columns, _named(lost, "object", "without a class, box or confidence")


def _ordered(
    table: NDArray[np.float64], names: Sequence[str], classes: Sequence[str]
) -> NDArray[np.float64]:
    """The columns in the order of the dataset's classes; 0 for a class that the file lacks."""
    places = {name: number for number, name in enumerate(classes)}
    out = np.zeros((len(table), len(classes)))
    out[:, [places[name] for name in names]] = table
    return out


def _named(item_ids: Sequence[str], noun: str, what: str) -> list[str]:
    if not item_ids:
        return []
    named = listed(dict.fromkeys(item_ids))
    return [f"{counted(len(item_ids), noun)} {what}: {named}."]


def labels_of(payload: Mapping[str, Any]) -> Iterator[Any]:
    """The labels of the samples, in their order."""
    import fiftyone as fo

    kind, vectors = payload["kind"], payload["vectors"]
    for number, (start, end) in enumerate(pairwise(accumulate(payload["counts"], initial=0))):
        named = [*zip(payload["labels"][start:end], payload["confidences"][start:end], strict=True)]
        if kind == "Detections":
            yield fo.Detections(detections=[*_detections(payload, start, named)])
            continue
        if kind == "Regression":
            yield fo.Regression(value=named[0][0], confidence=named[0][1])
            continue
        parts = [fo.Classification(label=label, confidence=p) for label, p in named]
        if kind == "Classifications":
            logits = _logits(vectors[number], exclusive=False)
            yield fo.Classifications(classifications=parts, logits=logits)
        else:
            if vectors is not None:
                parts[0].logits = _logits(vectors[number], exclusive=True)
            yield parts[0]


def _detections(
    payload: Mapping[str, Any], start: int, named: Sequence[tuple[str, float]]
) -> Iterator[Any]:
    import fiftyone as fo

    for at, (label, confidence) in enumerate(named, start):
        vector = None if payload["vectors"] is None else {"probabilities": payload["vectors"][at]}
        yield fo.Detection(
            label=label,
            confidence=confidence,
            bounding_box=payload["boxes"][at],
            **(vector or {}),
        )


def _logits(probabilities: Sequence[float], *, exclusive: bool) -> NDArray[np.float64]:
    """Numbers whose softmax, or sigmoid if not `exclusive`, are these probabilities.

    Example:
        >>> bool(np.allclose(np.exp(_logits([0.25, 0.75], exclusive=True)), [0.25, 0.75]))
        True
    """
    p = np.maximum(np.asarray(probabilities, dtype=np.float64), _SMALLEST)
    rest = 0.0 if exclusive else np.log(np.maximum(1 - p, _SMALLEST))
    return np.asarray(np.log(p) - rest)
