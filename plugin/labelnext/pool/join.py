"""Predictions from a side file, joined to the items of a platform by id."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice, Objects
from labelnext.pool.pool import Pool


def join_predictions(pool: Pool, side: Pool) -> Pool:
    """The pool with the predictions of another one; its embeddings too, where it has them.

    Args:
        pool: the items; its own predictions are given up.
        side: probabilities, objects or embeddings under the same ids. If both name their
            classes, the side's columns follow the order of the pool's.

    Raises:
        InvalidInput: if no id is in both, or the side names a class that the pool does not have.
    """
    places = {name: row for row, name in enumerate(side.item_ids.tolist())}
    rows = np.array([places.get(name, -1) for name in pool.item_ids.tolist()], dtype=np.intp)
    found = rows >= 0
    if len(pool) and len(side) and not found.any():
        raise InvalidInput(
            "source.predictions must share ids with the items; got none in both: "
            f"{listed(side.item_ids[:3])} in the file, {listed(pool.item_ids[:3])} in the source.",
            hint="set source.key, or source.predictions.key, so that both mean the same.",
        )
    notices = [*pool.notices, *side.notices]
    strange = np.setdiff1d(side.item_ids, pool.item_ids)
    if strange.size:
        message = f"{strange.size} predictions of the side file belong to no item."
        notices.append(Notice("side_file_extra", message, tuple(strange.tolist())))
    classes, columns = _class_order(pool, side)
    changes: dict[str, object] = {"classes": classes, "notices": notices}
    if side.embeddings is not None:
        changes["embeddings"] = _rows(side.embeddings, rows)
    if side.probabilities is not None or side.objects is not None:
        probabilities = side.probabilities
        if probabilities is not None:
            if columns is not None:
                probabilities = _spread(probabilities, columns, len(classes or ()))
            probabilities = _rows(probabilities, rows)
        changes["probabilities"] = probabilities
        changes["multilabel"] = side.multilabel
        changes["versions"] = side.versions
        changes["objects"] = (
            None if side.objects is None else _objects(side, rows, columns, classes)
        )
        missing = ~found
        missing[found] = side.missing[rows[found]]
        changes["missing"] = missing
    return replace(pool, **changes)  # type: ignore[arg-type]  # by name, of Pool's columns


def _class_order(pool: Pool, side: Pool) -> tuple[tuple[str, ...] | None, NDArray[np.intp] | None]:
    """The classes, and where each of the side's stands among them (None: where it stood)."""
    if pool.classes is None or side.classes is None:
        return pool.classes or side.classes, None
    places = {name: i for i, name in enumerate(pool.classes)}
    strange = [name for name in side.classes if name not in places]
    if strange:
        raise InvalidInput(
            f"classes of source.predictions must be among {listed(pool.classes, 20)}; "
            f"got {listed(strange)}."
        )
    return pool.classes, np.array([places[name] for name in side.classes], dtype=np.intp)


def _rows(values: NDArray[np.floating], rows: NDArray[np.intp]) -> NDArray[np.floating]:
    """Rows by position along the items' axis, NaN for −1."""
    if values.shape[-2] == 0:
        return np.full((*values.shape[:-2], len(rows), values.shape[-1]), np.nan)
    taken: NDArray[np.floating] = np.array(values[..., rows, :])
    taken[..., rows < 0, :] = np.nan
    return taken


def _spread(
    values: NDArray[np.floating], columns: NDArray[np.intp], n_classes: int
) -> NDArray[np.floating]:
    """Columns put where their classes stand; 0 for classes that the values do not know."""
    out = np.zeros((*values.shape[:-1], n_classes), dtype=values.dtype)
    out[..., columns] = values
    return out


def _objects(
    side: Pool,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp] | None,
    classes: tuple[str, ...] | None,
) -> Objects | tuple[Objects, ...]:
    def joined(objects: Objects) -> Objects:
        counts = np.where(rows >= 0, objects.counts[rows], 0) if len(objects) else 0 * rows
        taken = objects.take(rows[rows >= 0])
        changes: dict[str, object] = {"offsets": np.concatenate([[0], np.cumsum(counts)])}
        if columns is not None and taken.class_ids is not None:
            known = taken.class_ids >= 0
            changes["class_ids"] = np.where(known, columns[taken.class_ids], -1)
        if columns is not None and taken.probabilities is not None:
            changes["probabilities"] = _spread(taken.probabilities, columns, len(classes or ()))
        return replace(taken, **changes)  # type: ignore[arg-type]  # by name, of Objects' columns

    sets = tuple(map(joined, side.object_sets))
    return sets if len(sets) > 1 else sets[0]
