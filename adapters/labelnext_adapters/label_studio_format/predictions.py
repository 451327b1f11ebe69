"""From parsed predictions to the columns of a pool, counting all that is left out."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.masks import Mask
from labelnext.pool.objects import Notice, Objects
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.label_studio_format.regions import (
    BrokenRegion,
    Found,
    Setup,
    UnknownLabel,
    parse_result,
)

_NO_BOX = (math.nan,) * 4
_SUM_ERROR = 1e-3  # as the pool's: rows further from 1 are no distributions

# Why a prediction can't be used: the notice's code, and what follows "3 items".
_PROBLEMS = {
    "broken_regions": "with a prediction that doesn't match the control tag's format",
    "other_control": "with predictions of other control tags only",
    "no_score": "with a prediction without any score",
    "no_distribution": "with a prediction without class probabilities, which others have",
}


@dataclass(frozen=True)
class Content:
    """The predictions of one model version.

    Attributes:
        probabilities: shape (n_items, n_classes), NaN where there are none; None without any.
        objects: None without any.
        present: shape (n_items,), items that have a prediction.
        multilabel: classes are independent.
    """

    probabilities: NDArray[np.float64] | None
    objects: Objects | None
    present: NDArray[np.bool_]
    multilabel: bool


def make_pool(
    members: Mapping[str | None, Columns],
    task_ids: Sequence[int],
    item_ids: Sequence[str],
    labelled: Sequence[bool],
    notices: Sequence[Notice],
    *,
    labels: Sequence[int] | None = None,
    votes: NDArray[np.int64] | None = None,
    truth: Objects | None = None,
    open: Sequence[bool] | None = None,
    deferred: Sequence[bool] | None = None,
) -> Pool:
    """The pool of these tasks.

    Args:
        members: what was read, by model version; several are a committee.
        task_ids: shape (n_items,).
        item_ids: shape (n_items,).
        labelled: shape (n_items,).
        notices: what was found so far.
        labels: shape (n_items,), class positions of what people said.
        votes: shape (n_items, n_people), what each of several people said.
        truth: the objects that people marked.
        open: shape (n_items,), tasks that somebody would be handed; None for those not labelled.
        deferred: shape (n_items,), tasks that come after all others.

    Raises:
        InvalidInput: if labels are unknown, numbers out of range, or if the members cannot be
            compared.
    """
    # Long: it fills every column of Pool once.
    names = dict(zip(task_ids, item_ids, strict=True))
    found = list(notices)
    contents: dict[str | None, Content] = {}
    for version, columns in members.items():
        own: list[Notice] = []
        contents[version] = columns.content(task_ids, names, own)
        if len(members) > 1:
            own = [replace(notice, message=f"{version}: {notice.message}") for notice in own]
        found += own
    vectors = [c.probabilities for c in contents.values() if c.probabilities is not None]
    objects = [
        replace(c.objects, missing=~c.present) for c in contents.values() if c.objects is not None
    ]
    if vectors and objects:
        kinds = ", ".join(
            f"{v} has {'objects' if c.probabilities is None else 'class probabilities'}"
            for v, c in contents.items()
        )
        raise InvalidInput(
            f"a committee's model versions must all have the same kind of prediction; {kinds}."
        )
    several = len(members) > 1
    setup = next(iter(members.values())).setup
    present = np.any([c.present for c in contents.values()], axis=0)
    return Pool(
        item_ids,
        probabilities=(np.stack(vectors) if several else vectors[0]) if vectors else None,
        classes=tuple(setup.classes) or None,
        objects=(tuple(objects) if several else objects[0]) if objects else None,
        labels=labels,
        votes=votes,
        truth=truth,
        versions=None if None in members else members,
        labelled=labelled,
        open=open,
        deferred=deferred,
        missing=~present,
        multilabel=any(c.multilabel for c in contents.values()),
        notices=found,
    )


class Columns:
    """Collects the predictions of one model version, the newest of each task.

    Numbers go into flat arrays as they come, so that memory grows with them and not with the JSON.
    A prediction that comes twice, because its list was sent again, counts once.

    Args:
        setup: the control tag that is read.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._newest: dict[int, int] = {}  # by task: the number of its newest prediction
        self._repeated: set[int] = set()
        self._vectors: dict[int, array[float]] = {}
        self._objects: dict[int, tuple[int, int]] = {}  # by task: where its objects begin and end
        self._problems: dict[int, str] = {}
        self._unknown: dict[int, str] = {}
        self._out_of_range: dict[int, float] = {}
        self._confidences, self._class_ids = array("d"), array("q")
        self._boxes = array("d")  # four an object, NaN where it has none
        self._masks: dict[int, Mask] = {}  # of the objects that have one
        self._places = array("q")  # of each object's vector in the next column, −1 without one
        self._class_vectors = array("d")

    def take(self, task: int, number: int, score: float | None, result: msgspec.Raw) -> None:
        """Take a prediction of a task, unless a newer one of it was taken before.

        Args:
            task: its number.
            number: of the prediction; a larger one is newer.
            score: the prediction's own.
            result: its regions, as JSON.
        """
        known = self._newest.get(task)
        if known is not None:
            if known != number:
                self._repeated.add(task)
            if known >= number:
                return
            for column in (self._vectors, self._objects, self._problems):
                column.pop(task, None)
            self._unknown.pop(task, None)
            self._out_of_range.pop(task, None)
        self._newest[task] = number
        try:
            parsed = parse_result(result, score, self.setup)
        except UnknownLabel as unknown:
            self._unknown[task] = unknown.label
            return
        except BrokenRegion:
            self._problems[task] = "broken_regions"
            return
        if parsed is None:
            self._problems[task] = "other_control"
        elif parsed.vector is not None:
            self._vectors[task] = array("d", parsed.vector)
        elif parsed.objects is not None:
            self._take_objects(task, parsed.objects)
        else:
            self._problems[task] = "no_score"

    def _take_objects(self, task: int, objects: Sequence[Found]) -> None:
        begin = len(self._confidences)
        for found in objects:
            self._confidences.append(found.confidence)
            self._class_ids.append(found.class_id)
            self._boxes.extend(found.box or _NO_BOX)
            if found.mask is not None:
                self._masks[len(self._confidences) - 1] = found.mask
            if not found.probabilities:
                self._places.append(-1)
            else:
                self._places.append(len(self._class_vectors) // len(self.setup.classes))
                self._class_vectors.extend(found.probabilities)
            if not 0 <= found.confidence <= 1:
                self._out_of_range[task] = found.confidence
        self._objects[task] = begin, len(self._confidences)

    def content(
        self, task_ids: Sequence[int], names: Mapping[int, str], notices: list[Notice]
    ) -> Content:
        """What was read of these tasks; adds to the notices.

        Raises:
            InvalidInput: if labels are unknown, or numbers out of range.
        """
        self._check(names)
        probabilities = objects = None
        multilabel = False
        problems = {t: code for t, code in self._problems.items() if t in names}
        vectors = {t: v for t, v in self._vectors.items() if t in names}
        if vectors:
            # What has no distribution cannot be compared with what has one.
            problems |= dict.fromkeys((t for t in self._objects if t in names), "no_distribution")
            probabilities = np.full((len(task_ids), len(self.setup.classes)), np.nan)
            for row, task in enumerate(task_ids):
                if task in vectors:
                    probabilities[row] = vectors[task]
            sums = (math.fsum(v) for v in vectors.values())
            multilabel = self.setup.multiple and any(abs(s - 1) > _SUM_ERROR for s in sums)
            present = [t in vectors for t in task_ids]
        else:
            present = [t in self._objects for t in task_ids]
            if any(present):
                objects = self._all_objects(task_ids, names, notices)
        notices += self._notices(problems, names)
        if objects is not None and len(objects.confidences) and not objects.confidences.any():
            notices.append(
                Notice(
                    "zero_scores", "All scores are 0.0, which often means that they were never set."
                )
            )
        if multilabel:
            notices.append(
                Notice(
                    "multilabel",
                    "The setup allows several choices and the probabilities don't sum to 1, so "
                    "classes are treated as independent.",
                )
            )
        return Content(probabilities, objects, np.array(present, dtype=bool), multilabel)

    def _check(self, names: Mapping[int, str]) -> None:
        unknown: dict[str, list[int]] = {}
        for task, label in self._unknown.items():
            if task in names:
                unknown.setdefault(label, []).append(task)
        if unknown:
            label, tasks = next(iter(unknown.items()))
            more = f", and {counted(len(unknown) - 1, 'other label')}" if len(unknown) > 1 else ""
            raise InvalidInput(
                f"predicted labels must be among those of control tag {self.setup.from_name!r}: "
                f"{listed(self.setup.classes)}; got {label!r} for item "
                f"{listed(_named(tasks, names))}{more}.",
                hint="add the label to the labelling setup, or import predictions with its labels.",
            )
        beyond = {t: value for t, value in self._out_of_range.items() if t in names}
        if beyond:
            value = next(iter(beyond.values()))
            raise InvalidInput(
                f"scores must be in [0, 1]; got {value:.6g} for item "
                f"{listed(_named(beyond, names))}.",
                hint="divide percentages by 100 before importing predictions.",
            )

    def _all_objects(
        self, task_ids: Sequence[int], names: Mapping[int, str], notices: list[Notice]
    ) -> Objects:
        spans = np.array([self._objects.get(t, (0, 0)) for t in task_ids], dtype=np.int64)
        counts = spans[:, 1] - spans[:, 0]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        rows = np.repeat(spans[:, 0] - offsets[:-1], counts) + np.arange(offsets[-1])
        boxes = np.array(self._boxes).reshape(-1, 4)[rows]
        places = np.array(self._places, dtype=np.int64)[rows]
        lacking = places < 0
        if lacking.any() and not lacking.all():
            part = np.unique(np.repeat(np.arange(len(task_ids)), counts)[lacking])
            notices.append(
                Notice(
                    "partial_vectors",
                    f"Ignored all class probabilities, because {lacking.sum()} of "
                    f"{counted(len(rows), 'object')} have none.",
                    tuple(_named((task_ids[row] for row in part), names)),
                )
            )
        masks = [self._masks[row] for row in rows.tolist() if row in self._masks]
        vectors = np.array(self._class_vectors).reshape(-1, len(self.setup.classes) or 1)
        return Objects(
            offsets,
            np.array(self._confidences)[rows],
            class_ids=np.array(self._class_ids, dtype=np.int64)[rows],
            boxes=None if not len(rows) or np.isnan(boxes).any() else boxes,
            probabilities=None if not len(rows) or lacking.any() else vectors[places],
            masks=np.array(masks, dtype=object) if masks and len(masks) == len(rows) else None,
        )

    def _notices(self, problems: Mapping[int, str], names: Mapping[int, str]) -> list[Notice]:
        by_code: dict[str, list[int]] = {code: [] for code in _PROBLEMS}
        for task, code in problems.items():
            by_code[code].append(task)
        notices = [
            Notice(code, f"{counted(len(ids), 'item')} {_PROBLEMS[code]}; treated as missing.", ids)
            for code, tasks in by_code.items()
            if (ids := tuple(_named(tasks, names)))
        ]
        repeated = tuple(_named(sorted(self._repeated), names))
        if repeated:
            notices.append(
                Notice(
                    "repeated_predictions",
                    f"{counted(len(repeated), 'item')} with several predictions of the model "
                    "version; using the newest.",
                    repeated,
                )
            )
        return notices


def _named(tasks: Iterable[int], names: Mapping[int, str]) -> list[str]:
    """Item ids of the tasks that are read; there are predictions of others, too."""
    return [names[t] for t in tasks if t in names]
