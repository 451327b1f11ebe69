"""Objects: what was detected in items, as columns; and Notice, what is told of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.checks import column_of, float_array, named, rows_of, unit_interval
from labelnext.pool.masks import boxes_of_masks, checked_masks


@dataclass(frozen=True)
class Notice:
    """Something that was adjusted, left out or looks wrong, with the items it concerns.

    Attributes:
        code: a stable name, such as ``"renormalised"``.
        message: one sentence for people.
        item_ids: the items concerned; empty when it is not about items.
    """

    code: str
    message: str
    item_ids: tuple[str, ...] = ()


def fill(target: object, **columns: object) -> None:
    """Fill a frozen dataclass, once, from its constructor."""
    for name, value in columns.items():
        object.__setattr__(target, name, value)


@dataclass(frozen=True, eq=False, init=False)
class Objects:
    """The detected objects of all items, as columns; item i owns rows offsets[i] to offsets[i+1].

    Args:
        offsets: shape (n_items + 1,), from 0 to n_objects, never falling.
        confidences: shape (n_objects,), the probability of each object's predicted class, in
            [0, 1]; NaN makes the item unscored.
        class_ids: shape (n_objects,), the predicted class, −1 for unknown.
        boxes: shape (n_objects, 4), x1 y1 x2 y2 as fractions of the image, in [0, 1].
        probabilities: shape (n_objects, n_classes), in [0, 1]; rows need not sum to 1.
        embeddings: shape (n_objects, n_dimensions).
        weights: shape (n_objects,), what each counts in a weighted sum.
        masks: shape (n_objects,), COCO run lengths (`labelnext.pool.masks.mask_of` makes them of
            polygons), all masks of an item of one size; boxes are drawn around them where none
            are given.
        missing: shape (n_items,), items of which there is no prediction, as of a model version
            that did not see them; a prediction without objects is not missing.

    Raises:
        InvalidInput: if shapes disagree or a value is out of range.

    Example:
        >>> Objects(offsets=[0, 2, 2], confidences=[0.9, 0.4]).counts
        array([2, 0])
    """

    offsets: NDArray[np.int64]
    confidences: NDArray[np.floating]
    class_ids: NDArray[np.int64] | None
    boxes: NDArray[np.floating] | None
    probabilities: NDArray[np.floating] | None
    embeddings: NDArray[np.floating] | None
    weights: NDArray[np.float64] | None
    masks: NDArray[np.object_] | None
    missing: NDArray[np.bool_] | None

    def __init__(
        self,
        offsets: ArrayLike,
        confidences: ArrayLike,
        *,
        class_ids: ArrayLike | None = None,
        boxes: ArrayLike | None = None,
        probabilities: ArrayLike | None = None,
        embeddings: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        masks: Sequence[Mapping[str, Any]] | NDArray[np.object_] | None = None,
        missing: ArrayLike | None = None,
    ) -> None:
        scores = float_array("confidences", confidences)
        if scores.ndim != 1:
            raise InvalidInput(
                f"confidences must be of shape (n_objects,); got shape {scores.shape}."
            )
        n = len(scores)
        bounds = np.asarray(offsets, dtype=np.int64)
        if bounds.ndim != 1 or bounds.size == 0 or bounds[0] != 0 or bounds[-1] != n:
            raise InvalidInput(
                f"offsets must start at 0 and end at the number of objects, {n}; got {bounds!r}."
            )
        if (np.diff(bounds) < 0).any():
            raise InvalidInput("offsets must never fall.")
        vectors = rows_of("objects.probabilities", probabilities, n)
        shapes = None if masks is None else _checked_masks(masks, bounds)
        if shapes is not None and boxes is None:
            boxes = boxes_of_masks(shapes)
        fill(
            self,
            offsets=bounds,
            confidences=unit_interval("confidences", scores),
            class_ids=None if class_ids is None else column_of("class_ids", class_ids, n, np.int64),
            boxes=rows_of("objects.boxes", boxes, n, width=4),
            probabilities=None
            if vectors is None
            else unit_interval("objects.probabilities", vectors),
            embeddings=rows_of("objects.embeddings", embeddings, n),
            weights=None if weights is None else column_of("weights", weights, n, np.float64),
            masks=shapes,
            missing=None if missing is None else _checked_missing(missing, bounds),
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of objects of each item, shape (n_items,)."""
        return np.diff(self.offsets)

    @cached_property
    def item_positions(self) -> NDArray[np.intp]:
        """The item of each object, shape (n_objects,)."""
        return np.repeat(np.arange(len(self)), self.counts)

    @cached_property
    def top_classes(self) -> NDArray[np.int64] | None:
        """The class of each item's most confident object, the last of equal ones.

        Shape (n_items,), −1 where it is unknown or there is no object; None without classes.
        """
        if self.class_ids is None:
            return None
        classes: NDArray[np.int64] = np.full(len(self), -1, dtype=np.int64)
        by_confidence = np.argsort(self.confidences, kind="stable")
        classes[self.item_positions[by_confidence]] = self.class_ids[by_confidence]
        return classes

    def where(self, keep: NDArray[np.bool_]) -> Objects:
        """The objects where `keep`, shape (n_objects,), is true; items stay as they are."""
        if keep.all():
            return self
        offsets = np.concatenate([[0], np.cumsum(keep)])[self.offsets]
        return self._select(offsets, np.flatnonzero(keep), self.missing)

    def take(self, items: NDArray[np.intp]) -> Objects:
        """The objects of the given items, in that order."""
        counts = self.counts[items]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[:-1][items] - offsets[:-1], counts)
        return self._select(offsets, rows, None if self.missing is None else self.missing[items])

    def _select(
        self,
        offsets: NDArray[np.int64],
        rows: NDArray[np.intp],
        missing: NDArray[np.bool_] | None,
    ) -> Objects:
        columns: dict[str, Any] = {
            f.name: None if getattr(self, f.name) is None else getattr(self, f.name)[rows]
            for f in fields(self)
            if f.name not in ("offsets", "missing")
        }
        return Objects(offsets, missing=missing, **columns)


def _checked_masks(
    masks: Sequence[Mapping[str, Any]] | NDArray[np.object_], offsets: NDArray[np.int64]
) -> NDArray[np.object_]:
    found = checked_masks(masks)
    if len(found) != offsets[-1]:
        raise InvalidInput(f"masks must be of shape ({offsets[-1]},); got shape ({len(found)},).")
    return found


def _checked_missing(missing: ArrayLike, offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
    column: NDArray[np.bool_] = column_of("objects.missing", missing, len(offsets) - 1, np.bool_)
    wrong = np.flatnonzero(column & (np.diff(offsets) > 0))
    if wrong.size:
        raise InvalidInput(
            f"an item of objects.missing must have no objects; got some for row {listed(wrong)}."
        )
    return column


def checked_objects(
    what: str, objects: Objects, ids: NDArray[np.str_], found: list[Notice]
) -> Objects:
    """Objects of these items, their boxes clipped to the image; adds to the notices.

    Raises:
        InvalidInput: if they are of other items, or a box is none.
    """
    if not isinstance(objects, Objects):
        raise InvalidInput(f"{what} must be Objects; got {type(objects).__name__}.")
    if len(objects) != len(ids):
        raise InvalidInput(
            f"{what} must hold one entry for each of the {len(ids)} items; got {len(objects)}."
        )
    nan = np.isnan(objects.confidences)
    if objects.probabilities is not None:
        nan |= np.isnan(objects.probabilities).any(axis=1)
    if nan.any():
        items = np.unique(objects.item_positions[nan])
        found.append(
            Notice(
                "nan",
                f"{len(items)} items have {what} with NaN and get no score.",
                tuple(ids[items].tolist()),
            )
        )
    boxes = objects.boxes
    if boxes is None or not len(boxes):
        return objects
    turned = ~((boxes[:, 0] <= boxes[:, 2]) & (boxes[:, 1] <= boxes[:, 3]))
    if turned.any():
        row = int(np.flatnonzero(turned)[0])
        names = named(np.unique(objects.item_positions[turned]), ids)
        raise InvalidInput(
            f"boxes of {what} must be x1 y1 x2 y2 with x1 <= x2 and y1 <= y2; "
            f"got {boxes[row].tolist()} for {names}."
        )
    outside = ((boxes < 0) | (boxes > 1)).any(axis=1)
    gone = (boxes[:, 0] >= 1) | (boxes[:, 1] >= 1) | (boxes[:, 2] <= 0) | (boxes[:, 3] <= 0)
    if (gone & outside).any():
        row = int(np.flatnonzero(gone & outside)[0])
        names = named(np.unique(objects.item_positions[gone & outside]), ids)
        raise InvalidInput(
            f"boxes of {what} must overlap the image, in fractions of its width and height; "
            f"got {boxes[row].tolist()} for {names}.",
            hint="divide pixels by the width and height of the image.",
        )
    if outside.any():
        items = np.unique(objects.item_positions[outside])
        found.append(
            Notice(
                "clipped_boxes",
                f"{outside.sum()} boxes of {len(items)} items stuck out of the image; "
                "they were clipped to it.",
                tuple(ids[items].tolist()),
            )
        )
        return replace(objects, boxes=np.clip(boxes, 0, 1))
    return objects


def absent_in_all(sets: Sequence[Objects]) -> NDArray[np.bool_]:
    """Items of which no set has a prediction, shape (n_items,)."""
    absent = [np.zeros(len(o), dtype=bool) if o.missing is None else o.missing for o in sets]
    found: NDArray[np.bool_] = np.all(absent, axis=0)
    return found


def note_missing_versions(
    sets: Sequence[Objects],
    absent: NDArray[np.bool_],
    ids: NDArray[np.str_],
    found: list[Notice],
) -> None:
    """Count the items, but for those that are absent, of which some versions have no prediction."""
    lacking = np.zeros(len(ids), dtype=bool)
    for objects in sets:
        if objects.missing is not None:
            lacking |= objects.missing & ~absent
    if len(sets) > 1 and lacking.any():
        message = (
            f"{lacking.sum()} items lack some of the {len(sets)} model versions; "
            "the others score them."
        )
        found.append(Notice("missing_members", message, tuple(ids[lacking].tolist())))
