"""What the predictions of a pool say of a batch, as the labels that people are shown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from labelnext.acquisition import Unit
from labelnext.adapter.batch import Batch, Mark, Shape
from labelnext.pool.objects import Notice, Objects
from labelnext.pool.pool import Pool
from labelnext.support.words import counted

_NOT_SHOWN = "not_shown"  # the code of the notice of objects without a box
_LIKELY = 0.5  # an independent class from here on is shown as predicted


def with_predictions(batch: Batch, pool: Pool) -> Batch:
    """A batch with what a pool predicts of its items, the classes, and what people then label.

    Objects that were scored, or are all that is predicted, are labelled as boxes; independent
    classes as several, numbers as a number, everything else as one class. A batch whose classes
    include the pool's keeps them. Without predictions in the pool, only the classes change.

    Args:
        batch: of items that the pool holds by the same ids.
        pool: the items with their predictions.

    Example:
        >>> from labelnext.adapter.batch import Item, Origin
        >>> pool = Pool(["a"], probabilities=[[0.25, 0.75]], classes=["cat", "dog"])
        >>> bare = Batch(Origin("files", "pool", "1"), "r", "items", (), "r", (Item("a", "a.png"),))
        >>> shown = with_predictions(bare, pool)
        >>> shown.classes, shown.items[0].marks[0].label, shown.items[0].marks[0].confidence
        (('cat', 'dog'), 'dog', 0.75)
    """
    names = pool.classes or ()
    classes = batch.classes if {*names} <= {*batch.classes} else names
    predicted = pool.mean_probabilities is not None or pool.object_sets or pool.answers
    if not (predicted or pool.estimates is not None):
        return replace(batch, classes=classes)
    ids = pool.item_ids
    there = np.flatnonzero(
        np.isin(ids, np.array([item.item_id for item in batch.items], dtype=np.str_))
    )
    row_of_id = dict(zip(ids[there].tolist(), there.tolist(), strict=True))
    rows = [row_of_id[item.item_id] for item in batch.items if item.item_id in row_of_id]
    if batch.items and not rows:
        message = (
            "No item of the batch is in the pool by its own id (see source.key), so nothing that "
            "is predicted there is sent."
        )
        return replace(batch, notices=(*batch.notices, Notice("not_sent", message)))
    unit, shape = _kind(batch, pool)
    marks = _marks(pool, unit, [row for row in rows if not pool.missing[row]])
    items = tuple(
        replace(item, marks=marks.get(row_of_id.get(item.item_id, -1))) for item in batch.items
    )
    told = (notice for notice in batch.notices if notice.code != _NOT_SHOWN)  # of other predictions
    notices = (*told, *(_not_shown(pool, rows) if unit == "objects" else ()))
    changes = {"classes": () if shape == "number" else classes, "items": items}
    return replace(batch, unit=unit, shape=shape, notices=notices, **changes)  # type: ignore[arg-type]  # by name, of Batch


def _kind(batch: Batch, pool: Pool) -> tuple[Unit, Shape]:
    """What people label: what was scored; where that isn't known, what the predictions are of."""
    scored = None if batch.ranking is None else batch.ranking.of
    if pool.object_sets and (scored == "objects" or pool.mean_probabilities is None):
        return "objects", "box"
    if pool.estimates is not None:
        return "items", "number"
    return "items", "classes" if pool.multilabel else "box"


def _marks(pool: Pool, unit: Unit, rows: Sequence[int]) -> Mapping[int, tuple[Mark, ...]]:
    """What is predicted of the items at these rows; nothing of those whose prediction is another's.

    Classes without names can't be shown.
    """
    names, probabilities = pool.classes, pool.mean_probabilities
    if unit == "items" and pool.estimates is not None:
        numbers = {row: float(pool.estimates[row]) for row in rows}
        return {row: (Mark("", number=n),) for row, n in numbers.items() if not math.isnan(n)}
    if names is None:
        return {}
    if unit == "objects" and pool.shown_objects is not None:
        seen = [row for row in rows if pool.newest_versions[row] >= 0]
        return {row: _boxes(pool.shown_objects, row, names) for row in seen}
    if probabilities is not None and pool.multilabel:
        likely = {row: np.flatnonzero(probabilities[row] >= _LIKELY).tolist() for row in rows}
        return {
            row: tuple(Mark(names[k], None, float(probabilities[row, k])) for k in several)
            for row, several in likely.items()
        }
    classes = pool.predicted_classes
    known = [row for row in rows if classes[row] >= 0]
    sure = _confidences(pool, known)
    return {row: (Mark(names[classes[row]], None, sure.get(row)),) for row in known}


def _confidences(pool: Pool, rows: Sequence[int]) -> dict[int, float]:
    """Of the predicted class of items, by row: of these rows, or of all that were answered."""
    if pool.mean_probabilities is not None:
        best = pool.mean_probabilities[list(rows)].max(axis=1)
        return dict(zip(rows, best.tolist(), strict=True))
    if pool.answer is not None:
        rows = pool.answer.item_positions.tolist()
        return dict(zip(rows, pool.answer.confidences.tolist(), strict=True))
    return {}


def _boxes(objects: Objects, row: int, names: Sequence[str]) -> tuple[Mark, ...]:
    """The boxes of one item; what has no class or no box cannot be shown."""
    if objects.class_ids is None or objects.boxes is None:
        return ()
    span = slice(int(objects.offsets[row]), int(objects.offsets[row + 1]))
    columns = (objects.class_ids, objects.boxes, objects.confidences)
    each = zip(*(column[span].tolist() for column in columns), strict=True)
    return tuple(
        Mark(names[kind], (x1, y1, x2, y2), sure)
        for kind, (x1, y1, x2, y2), sure in each
        if kind >= 0 and not math.isnan(x1)
    )


def _not_shown(pool: Pool, rows: Sequence[int]) -> list[Notice]:
    """How many objects of these items have no box in fractions of the image."""
    objects, bare = pool.shown_objects, 0
    if objects is not None:
        shown = objects.take(np.array(rows, dtype=np.intp))
        unknown = shown.boxes is None or np.isnan(shown.boxes[:, 0])
        bare = int(np.broadcast_to(unknown, len(shown.confidences)).sum())
    if not bare:
        return []
    return [
        Notice(
            _NOT_SHOWN,
            f"{counted(bare, 'object')} of the batch without a box in fractions of the image "
            "can't be shown; where the files don't say how large images are, set "
            "source.image_size.",
        )
    ]


__all__ = ["with_predictions"]
