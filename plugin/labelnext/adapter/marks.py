"""What a model says of items, as the marks that people see where they label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from labelnext.acquisition import Unit
from labelnext.adapter.batch import Batch, Mark
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool
from labelnext.ranking.ranking import Ranking


def with_predictions(batch: Batch, pool: Pool) -> Batch:
    """A batch whose items show what is predicted in a pool.

    Args:
        batch: its unit and marks are replaced, and its classes come before the pool's.
        pool: predictions under the items' ids; without any, the batch stays as it is.
    """
    if pool.probabilities is None and pool.objects is None:
        return batch
    unit = unit_to_label(batch.ranking, pool)
    marks = marks_of(pool, unit)
    items = tuple(replace(item, marks=marks.get(item.item_id)) for item in batch.items)
    classes = tuple(dict.fromkeys((*batch.classes, *(pool.classes or ()))))
    return replace(batch, unit=unit, classes=classes, items=items, shape="box")


def unit_to_label(ranking: Ranking | None, pool: Pool) -> Unit:
    """What people label: what was scored; where nothing was, what the predictions are of."""
    of = None if ranking is None else ranking.of
    return of or ("objects" if pool.object_sets else "items")


def marks_of(pool: Pool, unit: Unit) -> dict[str, tuple[Mark, ...]]:
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
