"""What people said: the annotations of tasks, as classes and as objects."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice, Objects
from labelnext_adapters.label_studio_format.answers import number_in
from labelnext_adapters.label_studio_format.moments import moment
from labelnext_adapters.label_studio_format.pages import side_by_side
from labelnext_adapters.label_studio_format.region import Remarks, regions_of
from labelnext_adapters.label_studio_format.regions import (
    BrokenRegion,
    Found,
    OutOfRange,
    Setup,
    UnknownLabel,
    true_labels,
)
from labelnext_adapters.label_studio_format.taken import Said

Which = Literal["latest", "ground_truth", "majority"]


class Annotation(msgspec.Struct):
    """What a person submitted."""

    id: int
    result: msgspec.Raw = msgspec.Raw(b"[]")
    was_cancelled: bool = False
    ground_truth: bool = False
    created_at: str = ""
    updated_at: str = ""
    completed_by: int | dict[str, Any] | None = None
    parent_prediction: Any = None

    @property
    def person(self) -> int:
        """Number of the user who submitted it; −1 where the server does not say."""
        who = self.completed_by
        who = who.get("id") if isinstance(who, dict) else who
        return -1 if who is None else int(who)


@dataclass
class Truth:
    """The labels of the labelled tasks.

    Attributes:
        setup: the control tags that are read.
        which: the annotation that counts where a task has several: the latest; the one that is
            marked as ground truth; or the class that most of them say, the latest one's in a tie.
        found: for each task what was said of it.
        said: for each task the one class that each person last said, by the person's number.
        made: for each task how and when its label was made.
        numbers: for each task the number that it was labelled with, where the tag is Number.
        newest: the latest date of an annotation, as the server writes it; empty without any.

    Raises:
        InvalidInput: if a majority is asked of objects.
    """

    setup: Setup
    which: Which = "latest"
    found: dict[int, list[Found]] = field(default_factory=dict)
    said: dict[int, dict[int, int]] = field(default_factory=dict)
    made: dict[int, Said] = field(default_factory=dict)
    numbers: dict[int, float] = field(default_factory=dict)
    newest: str = ""
    _unread: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.which == "majority" and self.setup.unit == "objects":
            raise InvalidInput(
                "labels must be latest or ground_truth for labels of parts of items, such as "
                "boxes; got 'majority'.",
                hint="boxes from several people have no majority vote.",
            )

    def take(self, task: int, annotations: Sequence[Annotation]) -> bool:
        """Take what was submitted of a task; returns whether it is labelled.

        Skipped tasks and drafts are no labels.
        """
        dates = [a.created_at for a in annotations if not a.was_cancelled]
        self.newest = max([self.newest, *dates])
        valid = counted(annotations, self.which)
        if valid:
            self.made[task] = _how_made(valid[-1])
        try:
            results = [true_labels(annotation.result, self.setup) for annotation in valid]
            if said := _said(results, self.which):
                self.found[task] = said
            self.said[task] = {
                annotation.person: regions[0].class_id
                for annotation, regions in zip(valid, results, strict=True)
                if len(regions) == 1
            }
            if valid and self.setup.of_numbers:
                self.numbers[task] = number_in(valid[-1].result, self.setup)
        except (BrokenRegion, UnknownLabel, OutOfRange):
            self._unread.append(task)
        return bool(dates)

    def forget(self, task: int) -> None:
        """Let go of what was submitted of a task."""
        self.found.pop(task, None)
        self.said.pop(task, None)
        self.made.pop(task, None)
        self.numbers.pop(task, None)
        self._unread = [other for other in self._unread if other != task]

    def notices(self, names: Mapping[int, str]) -> list[Notice]:
        """What could not be read, of these tasks by their items' ids."""
        unread = [names[task] for task in self._unread if task in names]
        if not unread:
            return []
        return [
            Notice(
                "broken_labels",
                f"{len(unread)} {'item' if len(unread) == 1 else 'items'} with annotations "
                f"that don't fit the labelling setup; "
                f"treated as labelled, without a class: {listed(unread)}.",
                tuple(unread),
            )
        ]

    def labels(self, task_ids: Sequence[int]) -> list[int]:
        """The one class of each task, −1 where there is none or more than one."""
        rows = (self.found.get(task, ()) for task in task_ids)
        return [row[0].class_id if len(row) == 1 else -1 for row in rows]

    def votes(self, task_ids: Sequence[int]) -> NDArray[np.int64] | None:
        """What each person said of each task, −1 for nothing; None where no task has two people's.

        Returns:
            Shape (n_tasks, n_people), the people by their numbers.
        """
        if not any(len(row) > 1 for row in self.said.values()):
            return None
        people = sorted({person for row in self.said.values() for person in row})
        rows = [[self.said.get(t, {}).get(p, -1) for p in people] for t in task_ids]
        return np.array(rows, dtype=np.int64).reshape(len(task_ids), len(people))

    def columns(self, task_ids: Sequence[int]) -> dict[str, Any]:
        """The columns of a pool that say what people said of these tasks."""
        if self.setup.of_numbers:
            return {"numbers": [self.numbers.get(task, math.nan) for task in task_ids]}
        if self.setup.unit == "objects":
            return {"truth": self.objects(task_ids)}
        columns: dict[str, Any] = {"labels": self.labels(task_ids), "votes": self.votes(task_ids)}
        known = self.made.keys() - set(self._unread)
        if self.setup.multiple and any(len(self.found.get(task, ())) != 1 for task in known):
            columns["truth"] = self.objects(task_ids, known)
        return columns

    def older(self, dates: Mapping[str | None, str]) -> list[Notice]:
        """Of predictions that were made before people labelled more.

        Args:
            dates: of each model version's newest prediction.
        """
        old = [str(v) for v, date in dates.items() if date and date < self.newest]
        message = (
            f"The predictions of {', '.join(old)} are older than the newest annotation; "
            "retraining the model would improve the ranking."
        )
        return [Notice("old_predictions", message)] if old else []

    def objects(self, task_ids: Sequence[int], known: Set[int] | None = None) -> Objects:
        """The objects of each task.

        Args:
            task_ids: the tasks.
            known: of classes of whole tasks, those of which it is known what was said.
        """
        rows = [self.found.get(task, []) for task in task_ids]
        flat = [region for row in rows for region in row]
        boxes = np.array([f.box for f in flat if f.box is not None], dtype=np.float64)
        pages = np.array([f.page for f in flat], dtype=np.int64)
        masks = [region.mask for region in flat if region.mask is not None]
        if len(self.setup.pages) > 1:
            masks = []
        return Objects(
            np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)]),
            np.ones(len(flat)),
            class_ids=np.array([region.class_id for region in flat], dtype=np.int64),
            boxes=side_by_side(boxes, pages, self.setup)
            if flat and len(boxes) == len(flat)
            else None,
            masks=np.array(masks, dtype=object) if flat and len(masks) == len(flat) else None,
            missing=None if known is None else [task not in known for task in task_ids],
        )


def _how_made(annotation: Annotation) -> Said:
    """How and when an annotation was made."""
    parent = annotation.parent_prediction
    parent = parent if type(parent) is int else None
    origins: list[object] = []
    if parent is not None:
        with suppress(BrokenRegion):
            origins = [region.origin for region in regions_of(annotation.result, Remarks())]
    untouched = bool(origins) and set(map(str, origins)) == {"prediction"}
    digest = hash(bytes(annotation.result))
    return Said(moment(annotation.created_at), parent, digest, untouched)


def counted(annotations: Sequence[Annotation], which: Which) -> list[Annotation]:
    """The annotations of a task that count, the latest last; skipped ones do not.

    Args:
        annotations: of one task.
        which: as of `Truth`.
    """
    valid = [a for a in annotations if not a.was_cancelled]
    valid.sort(key=lambda a: (a.updated_at, a.id))
    return [a for a in valid if a.ground_truth] if which == "ground_truth" else valid


def _said(results: Sequence[list[Found]], which: Which) -> list[Found]:
    if not results:
        return []
    if which != "majority":
        return results[-1]
    votes = Counter(c for said in results for c in {region.class_id for region in said})
    most = max(votes.values(), default=0)
    # In a tie the latest word counts.
    for said in reversed(results):
        for region in said:
            if votes[region.class_id] == most:
                return [region]
    return []
