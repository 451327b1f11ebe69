"""LabelRecord: one label of an item, with its author and time, as far as the platform tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelnext.adapter.batch import Mark
from labelnext.pool.objects import Notice, Objects
from labelnext.pool.pool import Pool


@dataclass(frozen=True)
class LabelRecord:
    """One label of an item.

    Attributes:
        item_id: the item's id in the pool.
        label: its class; None where it isn't exactly one, or the class isn't known.
        classes: all classes of the whole item; None where parts of it are labelled.
        objects: the labelled parts, each with its class and box; None where the whole item is
            labelled. An empty tuple: somebody said that there are none.
        person: who labelled; None if unknown.
        at: when, in seconds since 1970; None if unknown.
        counts: whether labelnext takes this label as the item's, of several.
        stored: the label as the platform stores it, JSON; None if the rest says it all.
        number: the number that the item is labelled with; None for another label.
    """

    item_id: str
    label: str | None = None
    classes: tuple[str, ...] | None = None
    objects: tuple[Mark, ...] | None = None
    person: str | None = None
    at: float | None = None
    counts: bool = True
    stored: str | None = None
    number: float | None = None


@dataclass(frozen=True)
class LabelRecords:
    """Every label of a source, and what could not be read."""

    records: tuple[LabelRecord, ...]
    notices: tuple[Notice, ...] = ()


def records_of(pool: Pool, item_ids: Sequence[str] | None = None) -> Iterator[LabelRecord]:
    """The labels that a pool holds; nobody knows by whom or when.

    Args:
        pool: the items.
        item_ids: shape (n_items,), their ids where the pool has numbers instead.

    Example:
        >>> pool = Pool(["a", "b"], labels=[1, -1], classes=["cat", "dog"])
        >>> [(record.item_id, record.label) for record in records_of(pool)]
        [('a', 'dog')]
    """
    ids = pool.item_ids.tolist() if item_ids is None else item_ids
    unseen = None if pool.truth is None else pool.truth.missing
    for row in np.flatnonzero(pool.labelled).tolist():
        item = str(ids[row])
        if pool.truth is not None and not (unseen is not None and unseen[row]):
            objects = tuple(_marks(pool.truth, row, pool.classes))
            yield LabelRecord(item, objects=objects)
            continue
        said = -1 if pool.labels is None else int(pool.labels[row])
        votes = [] if pool.votes is None else _given(pool.votes[row])
        names = [(_name(vote, pool.classes), vote == said) for vote in votes]
        if said >= 0 and said not in votes:
            names.append((_name(said, pool.classes), True))
        for name, counts in names:
            yield LabelRecord(item, name, (name,), counts=counts)
        number = None if pool.numbers is None else float(pool.numbers[row])
        if number is not None and number != number:
            number = None
        if number is not None or not names:
            yield LabelRecord(item, number=number)


def _given(votes: NDArray[np.int64]) -> list[int]:
    return [int(vote) for vote in votes if vote >= 0]


def _name(position: int, classes: Sequence[str] | None) -> str:
    return str(position) if classes is None else classes[position]


def _marks(truth: Objects, row: int, classes: Sequence[str] | None) -> Iterable[Mark]:
    """The labelled objects of one item; the class of one that has none is empty."""
    for position in range(int(truth.offsets[row]), int(truth.offsets[row + 1])):
        number = -1 if truth.class_ids is None else int(truth.class_ids[position])
        box = None if truth.boxes is None else truth.boxes[position].tolist()
        known = box is not None and not any(side != side for side in box)
        sides = (box[0], box[1], box[2], box[3]) if known and box is not None else None
        yield Mark("" if number < 0 else _name(number, classes), sides)


__all__ = ["LabelRecord", "LabelRecords", "records_of"]
