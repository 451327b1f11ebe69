"""Pool and Objects: item ids and prediction columns as arrays, validated once where data enters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labelnext.checks import (
    checked_classes,
    checked_costs,
    checked_ids,
    checked_labels,
    checked_votes,
    column_of,
    distributions,
    float_array,
    id_order,
    named,
    rows_of,
    unit_interval,
)
from labelnext.errors import InvalidInput


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


def _set(target: object, **columns: object) -> None:
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
        _set(
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

    def where(self, keep: NDArray[np.bool_]) -> Objects:
        """The objects where `keep`, shape (n_objects,), is true; items stay as they are."""
        if keep.all():
            return self
        offsets = np.concatenate([[0], np.cumsum(keep)])[self.offsets]
        return self._select(offsets, np.flatnonzero(keep))

    def take(self, items: NDArray[np.intp]) -> Objects:
        """The objects of the given items, in that order."""
        counts = self.counts[items]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[:-1][items] - offsets[:-1], counts)
        return self._select(offsets, rows)

    def _select(self, offsets: NDArray[np.int64], rows: NDArray[np.intp]) -> Objects:
        columns: dict[str, Any] = {
            f.name: None if getattr(self, f.name) is None else getattr(self, f.name)[rows]
            for f in fields(self)
            if f.name != "offsets"
        }
        return Objects(offsets, **columns)


@dataclass(frozen=True, eq=False, init=False)
class Pool:
    """The items that could be labelled, with what is known of them.

    Every column but `item_ids` is optional and given by keyword. Rows that are nearly
    distributions are renormalised, and boxes that stick out of the image are clipped; both are
    counted in `notices`.

    Args:
        item_ids: shape (n_items,), distinct and not empty; kept as strings.
        probabilities: shape (n_items, n_classes), rows sum to 1 (unless `multilabel`), or
            (n_members, n_items, n_classes) for a committee.
        classes: names of the classes, in the order of the probabilities' columns.
        embeddings: shape (n_items, n_dimensions).
        labels: shape (n_items,), class positions, −1 for none.
        votes: shape (n_items, n_people), the class that each person said, −1 for none.
        labelled: shape (n_items,), bool; those with a label or a vote when None.
        groups: shape (n_items,), such as a video's name.
        costs: shape (n_items,), what labelling the item costs, above 0.
        multilabel: the classes are independent, so rows need not sum to 1.
        objects: predicted objects, or a tuple of them, one for each model version.
        truth: labelled objects.
        missing: shape (n_items,), items without any prediction; a prediction with no objects is
            not missing.
        notices: what the reader of the data already found.

    Raises:
        InvalidInput: if shapes disagree, ids repeat, or a value breaks its rule.

    Example:
        >>> pool = Pool(["a", "b"], probabilities=[[0.9, 0.1], [0.6, 0.4]], labels=[0, -1])
        >>> pool.labelled
        array([ True, False])
    """

    item_ids: NDArray[np.str_]
    probabilities: NDArray[np.floating] | None
    classes: tuple[str, ...] | None
    embeddings: NDArray[np.floating] | None
    labels: NDArray[np.int64] | None
    votes: NDArray[np.int64] | None
    labelled: NDArray[np.bool_]
    groups: NDArray[np.str_] | None
    costs: NDArray[np.float64] | None
    multilabel: bool
    objects: Objects | tuple[Objects, ...] | None
    truth: Objects | None
    missing: NDArray[np.bool_]
    notices: tuple[Notice, ...]

    def __init__(
        self,
        item_ids: Iterable[object],
        *,
        probabilities: ArrayLike | None = None,
        classes: Iterable[object] | None = None,
        embeddings: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        votes: ArrayLike | None = None,
        labelled: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        costs: ArrayLike | None = None,
        multilabel: bool = False,
        objects: Objects | tuple[Objects, ...] | None = None,
        truth: Objects | None = None,
        missing: ArrayLike | None = None,
        notices: Iterable[Notice] = (),
    ) -> None:
        ids = checked_ids(item_ids)
        n = len(ids)
        found = list(notices)
        names = None if classes is None else checked_classes(classes)
        absent: NDArray[np.bool_] = np.full(n, probabilities is None and objects is None)
        if missing is not None:
            absent = column_of("missing", missing, n, np.bool_)
        rows = None
        if probabilities is not None:
            rows = _checked_probabilities(probabilities, ids, names, absent, multilabel, found)
        classed = None if labels is None else checked_labels(labels, n, names)
        said = None if votes is None else checked_votes(votes, n, names)
        done: NDArray[np.bool_] = np.zeros(n, dtype=bool) if classed is None else classed >= 0
        if said is not None:
            done = done | (said >= 0).any(axis=1)
        if labelled is not None:
            done = column_of("labelled", labelled, n, np.bool_)
        sets = objects if isinstance(objects, tuple) or objects is None else (objects,)
        if sets is not None:
            if not sets:
                raise InvalidInput("objects must hold at least one set; got an empty tuple.")
            sets = tuple(_checked_objects("objects", o, ids, found) for o in sets)
        _set(
            self,
            item_ids=ids,
            probabilities=rows,
            classes=names,
            embeddings=rows_of("embeddings", embeddings, n, half=True),
            labels=classed,
            votes=said,
            labelled=done,
            groups=None if groups is None else column_of("groups", groups, n, np.str_),
            costs=None if costs is None else checked_costs(costs, ids),
            multilabel=multilabel,
            objects=sets if isinstance(objects, tuple) or sets is None else sets[0],
            truth=None if truth is None else _checked_objects("truth", truth, ids, found),
            missing=absent,
            notices=tuple(found),
        )

    def __len__(self) -> int:
        return len(self.item_ids)

    @cached_property
    def tie_order(self) -> NDArray[np.intp]:
        """Positions of the items by id: by integer value if every id is one, else by code point."""
        return id_order(self.item_ids)

    @property
    def n_classes(self) -> int | None:
        """Number of classes, from the names, else from the probabilities, else None."""
        if self.classes is not None:
            return len(self.classes)
        if self.probabilities is not None:
            return int(self.probabilities.shape[-1])
        return None

    def fingerprint(self) -> str:
        """SHA-256 of all columns in the order of the ids, the same for any order of the rows."""
        digest = hashlib.sha256()
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name == "notices" or value is None:
                continue
            digest.update(f.name.encode())
            for part in value if isinstance(value, tuple) and f.name != "classes" else (value,):
                _update(digest, part, self.tie_order)
        return digest.hexdigest()


def _checked_probabilities(
    probabilities: ArrayLike,
    ids: NDArray[np.str_],
    classes: tuple[str, ...] | None,
    missing: NDArray[np.bool_],
    multilabel: bool,
    found: list[Notice],
) -> NDArray[np.floating]:
    array = float_array("probabilities", probabilities)
    n = len(ids)
    if array.ndim not in (2, 3) or array.shape[-2] != n:
        raise InvalidInput(
            f"probabilities must be of shape ({n}, n_classes) or (n_members, {n}, n_classes); "
            f"got shape {array.shape}."
        )
    if classes is not None and len(classes) != array.shape[-1]:
        raise InvalidInput(
            f"classes must have one name for each of the {array.shape[-1]} columns of "
            f"probabilities; got {len(classes)}."
        )
    if missing.any():
        array = np.array(array)
        array[..., missing, :] = np.nan
    members = array[None] if array.ndim == 2 else array
    out, adjusted = members, np.zeros(n, dtype=bool)
    for m, member in enumerate(members):
        if multilabel:
            rows = np.minimum(unit_interval("probabilities", member, ids), 1)
        else:
            rows, off = distributions(member, ids)
            adjusted |= off
        if rows is not member:
            out = np.array(out) if out is members else out
            out[m] = rows
    if adjusted.any():
        message = (
            f"{adjusted.sum()} items had probabilities that did not quite sum to 1; "
            "they were divided by their sum."
        )
        found.append(Notice("renormalised", message, tuple(ids[adjusted].tolist())))
    absent = np.isnan(out).any(axis=2) & ~missing
    bad, some = absent.all(axis=0), absent.any(axis=0)
    if bad.any():
        message = f"{bad.sum()} items have NaN among their probabilities and get no score."
        found.append(Notice("nan", message, tuple(ids[bad].tolist())))
    if (some & ~bad).any():
        fewer = ids[some & ~bad]
        message = f"{len(fewer)} items lack some of the {len(out)} members; the others score them."
        found.append(Notice("missing_members", message, tuple(fewer.tolist())))
    return out.reshape(array.shape)


def _checked_objects(
    what: str, objects: Objects, ids: NDArray[np.str_], found: list[Notice]
) -> Objects:
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


def _update(digest: Any, value: object, order: NDArray[np.intp]) -> None:
    if isinstance(value, Objects):
        value = value.take(order)
        for f in fields(value):
            part = getattr(value, f.name)
            if part is not None:
                digest.update(np.ascontiguousarray(part).tobytes())
    elif isinstance(value, np.ndarray):
        rows = value[:, order] if value.ndim == 3 else value[order]
        digest.update(str(rows.dtype.kind).encode() + str(rows.shape).encode())
        digest.update(
            "\0".join(rows.tolist()).encode()
            if rows.dtype.kind == "U"
            else np.ascontiguousarray(rows).tobytes()
        )
    else:
        digest.update(repr(value).encode())
