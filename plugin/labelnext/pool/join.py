"""Join predictions from a side file to a platform's items by id."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice, Objects
from labelnext.pool.pool import Pool
from labelnext.support.words import counted


def join_predictions(pool: Pool, side: Pool) -> Pool:
    """Replace a pool's predictions, and its embeddings if there are any, with those of another.

    Args:
        pool: the items; its own predictions are dropped.
        side: probabilities, objects or embeddings under the same ids. If both name their
            classes, the side's columns are reordered to match the pool's.

    Raises:
        InvalidInput: if they share no id, or the side names a class that the pool doesn't have.
    """
    row_of_id = {name: row for row, name in enumerate(side.item_ids.tolist())}
    rows = np.array([row_of_id.get(name, -1) for name in pool.item_ids.tolist()], dtype=np.intp)
    matched = rows >= 0
    if len(pool) and len(side) and not matched.any():
        raise InvalidInput(
            "source.predictions must share ids with the items; got no common id: "
            f"{listed(side.item_ids[:3])} in the file, {listed(pool.item_ids[:3])} in the source.",
            hint="set source.key or source.predictions.key so that both use the same ids.",
        )
    replaces = side.probabilities is not None or side.objects is not None
    notices = [n for n in pool.notices if not (replaces and n.on_predictions)] + [*side.notices]
    strange = sorted(row_of_id.keys() - set(pool.item_ids.tolist()))
    if strange:
        message = (
            f"Ignored {counted(len(strange), 'side-file prediction')} with no matching item: only "
            "items of the source are ranked."
        )
        notices.append(Notice("side_file_extra", message, tuple(strange)))
    classes, columns = _class_order(pool, side)
    changes: dict[str, object] = {"classes": classes, "notices": notices}
    if side.embeddings is not None:
        changes["embeddings"] = _rows(side.embeddings, rows)
    if replaces:
        probabilities = side.probabilities
        if probabilities is not None:
            if columns is not None:
                probabilities = _spread(probabilities, columns, len(classes or ()))
            probabilities = _rows(probabilities, rows)
        changes["probabilities"] = probabilities
        changes["estimates"] = None
        if side.estimates is not None:
            changes["estimates"] = _rows(side.estimates[:, None], rows)[:, 0]
        changes["multilabel"] = side.multilabel
        changes["versions"] = side.versions
        changes["objects"] = (
            None if side.objects is None else _objects(side, rows, columns, classes)
        )
        missing = ~matched
        missing[matched] = side.missing[rows[matched]]
        changes["missing"] = missing
    return replace(pool, **changes)  # type: ignore[arg-type]  # by name, of Pool's columns


def _class_order(pool: Pool, side: Pool) -> tuple[tuple[str, ...] | None, NDArray[np.intp] | None]:
    """The joined classes, and the new position of each side class (None: unchanged)."""
    if pool.classes is None or side.classes is None:
        return pool.classes or side.classes, None
    positions = {name: i for i, name in enumerate(pool.classes)}
    strange = [name for name in side.classes if name not in positions]
    if strange:
        raise InvalidInput(
            f"classes of source.predictions must be among {listed(pool.classes, 20)}; "
            f"got {listed(strange)}."
        )
    return pool.classes, np.array([positions[name] for name in side.classes], dtype=np.intp)


def _rows(values: NDArray[np.floating], rows: NDArray[np.intp]) -> NDArray[np.floating]:
    """Rows at the given positions along the item axis, NaN for −1."""
    if values.shape[-2] == 0:
        return np.full((*values.shape[:-2], len(rows), values.shape[-1]), np.nan)
    taken: NDArray[np.floating] = np.array(values[..., rows, :])
    taken[..., rows < 0, :] = np.nan
    return taken


def _spread(
    values: NDArray[np.floating], columns: NDArray[np.intp], n_classes: int
) -> NDArray[np.floating]:
    """Move columns to their class positions; 0 for classes without a column."""
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

    sets = tuple(map(joined, side.object_sets or side.answers))
    return sets if len(sets) > 1 else sets[0]
