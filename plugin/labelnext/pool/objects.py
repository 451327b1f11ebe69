"""Objects: detections as columns; and Notice: a remark on the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labelnext.errors import InvalidInput, listed, shown
from labelnext.pool.checks import (
    checked_labels,
    column_of,
    float_array,
    named,
    rows_of,
    unit_interval,
)
from labelnext.pool.masks import boxes_of_masks, checked_masks
from labelnext.support.words import counted

#: Codes of notices on predictions.
_ON_PREDICTIONS = (
    "accepted_predictions", "in_sample_predictions", "least_sure", "live_predictions",
    "maybe_logits", "missing_members", "mixed_model_versions", "mixed_scales", "nan",
    "no_predictions", "no_score", "no_vector", "old_predictions", "renormalised", "spread",
    "zero_scores",
)  # fmt: skip


@dataclass(frozen=True)
class Notice:
    """Something adjusted, left out or suspicious in the data, with the items affected.

    Attributes:
        code: a stable name, such as ``"renormalised"``.
        message: one readable sentence.
        item_ids: the items affected; empty if it isn't about particular items.
        stand_for: items of the batch, and how many of those affected each stands for.
        column: of which the items' values were left out; empty if it isn't about one.
    """

    code: str
    message: str
    item_ids: tuple[str, ...] = ()
    stand_for: tuple[tuple[str, int], ...] = ()
    column: str = ""

    @property
    def on_predictions(self) -> bool:
        """Whether it says nothing any more once other predictions take the place of these."""
        return self.code in _ON_PREDICTIONS or self.column == "probabilities"


def fill(target: object, **columns: object) -> None:
    """Set the fields of a frozen dataclass from its constructor."""
    for name, value in columns.items():
        object.__setattr__(target, name, value)


_KINDS = ("whole_items", "spans", "answers")  # of objects: one for all of them


@dataclass(frozen=True, eq=False, init=False)
class Objects:
    """Detected objects of all items, as columns; item i has rows offsets[i] to offsets[i+1].

    Args:
        offsets: shape (n_items + 1,), from 0 to n_objects, non-decreasing.
        confidences: shape (n_objects,), the probability of each object's predicted class, in
            [0, 1]; NaN makes the item unscored.
        class_ids: shape (n_objects,), the predicted class, −1 for unknown.
        boxes: shape (n_objects, 4), x1 y1 x2 y2 as fractions of the image, in [0, 1]; four NaN for
            an object whose box is unknown, which is then matched with nothing.
        probabilities: shape (n_objects, n_classes), in [0, 1]; rows need not sum to 1.
        embeddings: shape (n_objects, n_dimensions).
        weights: shape (n_objects,), the weight of each in a weighted sum.
        masks: shape (n_objects,), COCO run lengths (`labelnext.pool.masks.mask_of` converts
            polygons), all masks of an item the same size; without `boxes`, the masks' bounding
            boxes are used.
        missing: shape (n_items,), items without a prediction, such as those a model version never
            saw; a prediction with no objects is not missing.
        whole_items: each item has at most one object, the item itself: its confidence is that of
            the item's answer, its class the item's class. Items without one are missing.
        spans: the objects are spans of a text, or segments of a sound; long items have more.
        answers: each object is an answer about a part that is there, such as the kind of a marked
            cell: a low confidence is doubt, and doesn't mean that there may be nothing.

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
    whole_items: bool
    spans: bool
    answers: bool

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
        whole_items: bool = False,
        spans: bool = False,
        answers: bool = False,
    ) -> None:
        scores = float_array("confidences", confidences)
        if scores.ndim != 1:
            raise InvalidInput(
                f"confidences must be of shape (n_objects,); got shape {scores.shape}."
            )
        n = len(scores)
        try:
            bounds = np.asarray(offsets, dtype=np.int64)
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidInput(f"offsets must be whole numbers; got {shown(offsets)}.") from error
        if bounds.ndim != 1 or bounds.size == 0 or bounds[0] != 0 or bounds[-1] != n:
            raise InvalidInput(
                f"offsets must start at 0 and end at the number of objects, {n}; got {bounds!r}."
            )
        if (np.diff(bounds) < 0).any():
            raise InvalidInput("offsets must be non-decreasing.")
        if whole_items:
            missing = _without_answer(bounds)
            given = {"boxes": boxes, "masks": masks, "probabilities": probabilities}
            _refuse_parts({**given, "embeddings": embeddings})
        vectors = rows_of("objects.probabilities", probabilities, n)
        shapes = None if masks is None else _checked_masks(masks, bounds)
        if shapes is not None and boxes is None:
            boxes = boxes_of_masks(shapes)
        fill(
            self,
            offsets=bounds,
            confidences=unit_interval("confidences", scores),
            class_ids=None
            if class_ids is None
            else checked_labels(class_ids, n, None, what="class_ids"),
            boxes=rows_of("objects.boxes", boxes, n, width=4),
            probabilities=None
            if vectors is None
            else unit_interval("objects.probabilities", vectors),
            embeddings=rows_of("objects.embeddings", embeddings, n),
            weights=None if weights is None else column_of("weights", weights, n, np.float64),
            masks=shapes,
            missing=None if missing is None else _checked_missing(missing, bounds),
            whole_items=whole_items,
            spans=spans,
            answers=answers,
        )

    def __repr__(self) -> str:
        return (
            f"<Objects: {counted(len(self.confidences), 'object')} in {counted(len(self), 'item')}>"
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
        """The class of each item's most confident object, the last in a tie.

        Shape (n_items,), −1 if unknown or without objects; None without class ids.
        """
        if self.class_ids is None:
            return None
        classes: NDArray[np.int64] = np.full(len(self), -1, dtype=np.int64)
        by_confidence = np.argsort(self.confidences, kind="stable")
        classes[self.item_positions[by_confidence]] = self.class_ids[by_confidence]
        return classes

    def where(self, keep: NDArray[np.bool_]) -> Objects:
        """Keep the objects where `keep`, shape (n_objects,), is true; all items stay."""
        if keep.all():
            return self
        offsets = np.concatenate([[0], np.cumsum(keep)])[self.offsets]
        return self._select(offsets, np.flatnonzero(keep), self.missing)

    def take(self, items: NDArray[np.intp]) -> Objects:
        """The objects of the items at the given positions, in that order."""
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
            if f.name not in ("offsets", "missing", *_KINDS)
        }
        kinds = {name: getattr(self, name) for name in _KINDS}
        return Objects(offsets, missing=missing, **kinds, **columns)


def _checked_masks(
    masks: Sequence[Mapping[str, Any]] | NDArray[np.object_], offsets: NDArray[np.int64]
) -> NDArray[np.object_]:
    checked = checked_masks(masks)
    if len(checked) != offsets[-1]:
        raise InvalidInput(f"masks must be of shape ({offsets[-1]},); got shape ({len(checked)},).")
    return checked


def _checked_missing(missing: ArrayLike, offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
    column: NDArray[np.bool_] = column_of("objects.missing", missing, len(offsets) - 1, np.bool_)
    wrong = np.flatnonzero(column & (np.diff(offsets) > 0))
    if wrong.size:
        raise InvalidInput(
            f"items in objects.missing must have no objects; got some for row {listed(wrong)}."
        )
    return column


def _without_answer(offsets: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    """Whole items without an object, shape (n_items,); None if there are none."""
    counts = np.diff(offsets)
    if (counts > 1).any():
        row = int(np.flatnonzero(counts > 1)[0])
        raise InvalidInput(
            f"objects of whole items must be one per item at most; got {counts[row]} for row {row}."
        )
    return counts == 0 if len(counts) > offsets[-1] else None


def _refuse_parts(columns: Mapping[str, object]) -> None:
    for name, column in columns.items():
        if column is not None:
            raise InvalidInput(
                f"{name} must be left out for objects of whole items; got some.",
                hint="give an item's probabilities and embeddings to the Pool itself.",
            )


def checked_whole_items(sets: Sequence[Objects], *, alone: bool) -> None:
    """Check that whole items aren't mixed with detected objects or class probabilities.

    Raises:
        InvalidInput: if they are.
    """
    whole = [objects.whole_items for objects in sets]
    if any(whole) and not (all(whole) and alone):
        beside = "class probabilities" if all(whole) else "detected objects"
        raise InvalidInput(
            f"one confidence per item must be the only prediction; got {beside} beside it.",
            hint="give each kind of prediction a pool of its own.",
        )


def _note_gaps(objects: Objects, ids: NDArray[np.str_], notices: list[Notice]) -> None:
    """Name the items that get no score, or not every one, because a number is missing."""
    bare = np.isnan(objects.confidences)
    owner = "" if objects.whole_items else "with an object "
    gaps = {f"No score for {{}} {owner}without a confidence": bare}
    if objects.probabilities is not None:
        broken = np.isnan(objects.probabilities).any(axis=1)
        gaps = {
            "No score for {} with an object without a confidence": bare & broken,
            "No score for {} with an object without all probabilities": broken & ~bare,
            "Only the class probabilities count for {} with an object without a confidence": (
                bare & ~broken
            ),
        }
    for what, rows in gaps.items():
        items = tuple(ids[np.unique(objects.item_positions[rows])].tolist())
        if items:
            message = f"{what.format(counted(len(items), 'item'))}: {listed(items)}."
            notices.append(Notice("nan", message, items))


def checked_objects(
    what: str, objects: Objects, ids: NDArray[np.str_], notices: list[Notice]
) -> Objects:
    """Check objects against the items and clip their boxes to the image; adds to `notices`.

    Raises:
        InvalidInput: if the number of items differs, or a box is invalid.
    """
    if not isinstance(objects, Objects):
        raise InvalidInput(f"{what} must be Objects; got {type(objects).__name__}.")
    if len(objects) != len(ids):
        raise InvalidInput(
            f"{what} must hold one entry for each of the {len(ids)} items; got {len(objects)}."
        )
    _note_gaps(objects, ids, notices)
    boxes = objects.boxes
    if boxes is None or not len(boxes):
        return objects
    turned = (boxes[:, 0] > boxes[:, 2]) | (boxes[:, 1] > boxes[:, 3])
    turned |= np.isnan(boxes).any(axis=1) & ~np.isnan(boxes).all(axis=1)
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
            hint="divide pixel coordinates by the image's width and height.",
        )
    if outside.any():
        items = np.unique(objects.item_positions[outside])
        notices.append(
            Notice(
                "clipped_boxes",
                f"Clipped {counted(outside.sum(), 'box', 'boxes')} of "
                f"{counted(len(items), 'item')} to the image.",
                tuple(ids[items].tolist()),
            )
        )
        return replace(objects, boxes=np.clip(boxes, 0, 1))
    return objects


def absent_in_all(sets: Sequence[Objects]) -> NDArray[np.bool_]:
    """Items without a prediction in any set, shape (n_items,)."""
    by_set = [np.zeros(len(o), dtype=bool) if o.missing is None else o.missing for o in sets]
    absent: NDArray[np.bool_] = np.all(by_set, axis=0)
    return absent


def note_missing_versions(
    sets: Sequence[Objects],
    absent: NDArray[np.bool_],
    ids: NDArray[np.str_],
    notices: list[Notice],
) -> None:
    """Add a notice of the items, other than absent ones, that some versions didn't predict."""
    lacking = np.zeros(len(ids), dtype=bool)
    for objects in sets:
        if objects.missing is not None:
            lacking |= objects.missing & ~absent
    if len(sets) > 1 and lacking.any():
        notices.append(missing_versions(ids[lacking], len(sets)))


def missing_versions(ids: NDArray[np.str_], n_versions: int, n_alone: int = 0) -> Notice:
    """A notice of items that only some of the model versions predicted, `n_alone` of them one."""
    message = (
        f"Scored {counted(len(ids), 'item')} with only some of the {n_versions} model versions; "
        "the others have no prediction."
    )
    if n_alone:
        verb = "has" if n_alone == 1 else "have"
        message += f" {n_alone:,} {verb} only one, whose own doubt gives the place in the ranking."
    return Notice("missing_members", message, tuple(ids.tolist()))
