"""Collects stored predictions as flat columns, the newest of each task."""

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
from labelnext.support.words import counted
from labelnext_adapters.label_studio_format.answers import SUM_ERROR, spread_list
from labelnext_adapters.label_studio_format.faults import BrokenRegion, OutOfRange, UnknownLabel
from labelnext_adapters.label_studio_format.one_confidence import objects_of, whole_items
from labelnext_adapters.label_studio_format.pages import side_by_side
from labelnext_adapters.label_studio_format.region import Remarks
from labelnext_adapters.label_studio_format.regions import Found, Setup, parse_result, tags_of
from labelnext_adapters.label_studio_format.remarks import (
    Problem,
    items_of,
    least_sure,
    no_sums,
    notices_of,
    settled_notices,
    suspicious,
)
from labelnext_adapters.label_studio_format.taken import CLEAN, Said, Taken, age, counting

_NO_BOX = (math.nan,) * 4
_GRACE = 60.0  # seconds: what was imported together has no order
_LOGIT = 10  # where no number reaches it, they are logits rather than percentages
_FEW = 0.1  # of the predictions; of more, numbers that are out of range are no slip of a few


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


class Columns:
    """Collects predictions, the newest of each task.

    Numbers go into flat arrays as they come, so that memory grows with them and not with the JSON.
    A prediction that comes twice, because its list was sent again, counts once.

    Args:
        setup: the control tag that is read.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._taken: dict[int, Taken] = {}  # by task: its newest prediction
        self._older: dict[int, list[Taken]] = {}  # by task: those before it
        self._before: dict[int, Taken] = {}  # by task: what counts in place of the newest
        self._repeated: set[int] = set()
        self._settled: dict[str, list[int]] = {}  # by notice: tasks whose label tells which counts
        self._of_tag: set[str | None] = set()  # versions with regions of the tag that is read
        self._of_others: set[str | None] = set()  # versions with regions of other tags only
        self._confidences, self._class_ids = array("d"), array("q")
        self._boxes = array("d")  # four an object, NaN where it has none
        self._masks: dict[int, Mask] = {}  # of the objects that have one
        self._pages = array("q")
        self._places = array("q")  # of each object's vector in the next column, −1 without one
        self._class_vectors = array("d")

    def take(
        self,
        task: int,
        number: int,
        score: object,
        result: bytes | msgspec.Raw,
        *,
        version: str | None = None,
        made: float = -math.inf,
    ) -> None:
        """Take a prediction of a task; its newest one counts, unless `settle` finds another.

        Args:
            task: its number.
            number: of the prediction; of two that were made at the same time, the larger is newer.
            score: the prediction's own.
            result: its regions, as JSON.
            version: the model version that made it.
            made: when, as of `moment`.
        """
        taken = Taken(made, number, version, hash(bytes(result)))
        known = self._taken.setdefault(task, taken)
        if known is not taken:
            older = self._older.setdefault(task, [])
            if any(age(t) == (made, number) for t in (known, *older)):
                return
            if known.version == version:
                self._repeated.add(task)
            newer = (made, number) > age(known)
            older.append(known if newer else taken)
            self._taken[task] = taken if newer else known
        remarks = Remarks()
        try:
            parsed = parse_result(result, score, self.setup, remarks)
        except UnknownLabel as unknown:
            taken.problem = Problem("unknown_labels", unknown.label)
        except BrokenRegion as broken:
            taken.problem = Problem("broken_regions", str(broken))
        except OutOfRange as beyond:
            taken.beyond = beyond.value
        else:
            if parsed is None:
                taken.problem = Problem("other_control", tags_of(result))
            elif parsed.vector is not None:
                taken.vector = array("d", parsed.vector)
            elif parsed.objects is not None:
                taken.place = self._place(parsed.objects)
            else:
                taken.problem = Problem("no_score")
            taken.whole = None if parsed is None else parsed.whole
            taken.remarks = CLEAN if remarks == CLEAN else remarks
            if parsed is None:
                self._of_others.add(version)
            elif not taken.is_empty:
                self._of_tag.add(version)

    def forget(self, task: int) -> None:
        """Let go of a task's predictions; what they hold in the columns is no longer used."""
        self._taken.pop(task, None)
        self._older.pop(task, None)
        self._repeated.discard(task)

    def tally(self) -> dict[str | None, tuple[int, float]]:
        """How many predictions each model version has, and when the newest of them was made."""
        tally: dict[str | None, tuple[int, float]] = {}
        for task, newest in self._taken.items():
            for each in (newest, *self._older.get(task, ())):
                n, made = tally.get(each.version, (0, -math.inf))
                tally[each.version] = (n + 1, max(made, each.made))
        return tally

    def versions(self, tasks: Iterable[int]) -> dict[str | None, list[int]]:
        """The tasks of each model version whose prediction is used."""
        by_version: dict[str | None, list[int]] = {}
        for task, taken in self._used(tasks).items():
            by_version.setdefault(taken.version, []).append(task)
        return by_version

    def _used(self, tasks: Iterable[int]) -> dict[int, Taken]:
        """The prediction of each task that counts."""
        known, before = self._taken, self._before
        if not self._of_others:
            return {task: before.get(task) or known[task] for task in tasks if task in known}
        rows = {task: self._of(task) for task in tasks if task in known}
        return {t: before.get(t) or max(row, key=age) for t, row in rows.items()}

    @property
    def others(self) -> set[str | None]:
        """The versions that have regions of other control tags only."""
        return self._of_others - self._of_tag

    def _of(self, task: int) -> Sequence[Taken]:
        """The predictions of a task among which the newest counts."""
        return counting([self._taken[task], *self._older.get(task, ())], self.others)

    def settle(self, labels: Mapping[int, Said]) -> None:
        """Let the predictions count that were there when labels were made.

        A model that was trained on a label agrees with it; what was predicted before tells more.

        Args:
            labels: by task, how and when its label was made.
        """
        settled: dict[str, list[int]] = {"earlier": [], "late": [], "accepted": []}
        self._before.clear()
        for task, said in labels.items():
            if task not in self._taken:
                continue
            known = self._of(task)
            there = [each for each in known if each.made <= said.made]
            there = there or [each for each in known if each.made <= said.made + _GRACE]
            if said.made > -math.inf and there:
                last = max(there, key=age)
                if last is not max(known, key=age):
                    self._before[task] = last
                    settled["earlier"].append(task)
            elif said.made > -math.inf:
                settled["late"].append(task)
            same = any(t.number == said.parent and t.digest == said.digest for t in known)
            if said.parent is not None and (said.untouched or same):
                settled["accepted"].append(task)
        self._settled = {kind: tasks for kind, tasks in settled.items() if tasks}

    def _place(self, objects: Sequence[Found]) -> tuple[int, int]:
        """Add objects to the columns; returns where they begin and end."""
        begin = len(self._confidences)
        for region in objects:
            self._confidences.append(region.confidence)
            self._class_ids.append(region.class_id)
            self._boxes.extend(region.box or _NO_BOX)
            self._pages.append(region.page)
            if region.mask is not None:
                self._masks[len(self._confidences) - 1] = region.mask
            if not region.probabilities:
                self._places.append(-1)
            else:
                self._places.append(len(self._class_vectors) // len(self.setup.classes))
                self._class_vectors.extend(region.probabilities)
        return begin, len(self._confidences)

    def content(
        self, task_ids: Sequence[int], names: Mapping[int, str], notices: list[Notice]
    ) -> Content:
        """What was read of these tasks; adds to the notices.

        Raises:
            InvalidInput: if more than a tenth of the numbers are out of range, or if no label is
                known.
        """
        taken = self._used(task_ids)
        problems = {t: row.problem for t, row in taken.items() if row.problem is not None}
        problems |= self._beyond(taken, names)
        vectors, multilabel = self._vectors(taken, problems, names)
        placed = [t for t, row in taken.items() if row.place is not None and t not in vectors]
        known = {t: self._confidences[slice(*(taken[t].place or (0, 0)))] for t in placed}
        whole = whole_items({t: taken[t].whole for t in placed}, known, self.setup.unit)
        probabilities = objects = None
        if vectors:
            # What has no distribution cannot be compared with what has one.
            problems |= dict.fromkeys(placed, Problem("no_distribution"))
            probabilities = np.full((len(task_ids), len(self.setup.classes)), np.nan)
            for row, task in enumerate(task_ids):
                if task in vectors:
                    probabilities[row] = vectors[task]
        elif whole:
            lowered = [t for t in whole if taken[t].whole is None]
            notices += [least_sure(lowered, names)] if lowered else []
            problems |= {t: Problem("no_answer") for t in placed if t not in whole}
            placed = [*whole]
            objects = objects_of(task_ids, whole)
        elif placed:
            objects = self._all_objects(task_ids, taken, names, notices)
        elif problems:
            self._refuse_unknown(problems, names)
        read = vectors or dict.fromkeys(placed)
        remarks = {t: row.remarks for t, row in taken.items() if t in read}
        single = (t for t in vectors if taken[t].vector is None)
        remarks |= {t: replace(taken[t].remarks, spread=True) for t in single}
        repeated = sorted(self._repeated & taken.keys())
        notices += notices_of(remarks, problems, repeated, names, self.setup)
        notices += settled_notices(self._settled, names)
        notices += suspicious(objects, multilabel)
        present = np.array([t in read for t in task_ids], dtype=bool)
        return Content(probabilities, objects, present, multilabel)

    def _vectors(
        self, taken: Mapping[int, Taken], problems: dict[int, Problem], names: Mapping[int, str]
    ) -> tuple[dict[int, Sequence[float]], bool]:
        """Class probabilities, and whether classes are independent; adds to the problems."""
        vectors: dict[int, Sequence[float]]
        vectors = {t: row.vector for t, row in taken.items() if row.vector is not None}
        odd = {t: s for t, v in vectors.items() if abs((s := math.fsum(v)) - 1) > SUM_ERROR}
        if odd and self.setup.multiple:
            return vectors, True
        if len(odd) > _FEW * len(taken):
            raise no_sums(odd, names, self.setup)
        problems |= {t: Problem("no_sum", f"{s:.6g}") for t, s in odd.items()}
        vectors = {t: vector for t, vector in vectors.items() if t not in odd}
        n_classes = 0 if self.setup.multiple else len(self.setup.classes)
        if vectors and n_classes > 1:  # a single class is a list of the likeliest, too
            for task, row in taken.items():
                if (one := row.whole) is not None and one.class_id >= 0:
                    vectors[task] = spread_list({one.class_id: one.confidence}, n_classes) or []
        return {t: vector for t, vector in vectors.items() if vector}, False

    def _beyond(self, taken: Mapping[int, Taken], names: Mapping[int, str]) -> dict[int, Problem]:
        """Predictions with numbers that are out of range.

        Raises:
            InvalidInput: if these are more than a few.
        """
        beyond = {t: row.beyond for t, row in taken.items() if row.beyond is not None}
        if len(beyond) > _FEW * len(taken):
            value = next(iter(beyond.values()))
            hint = "divide percentages by 100 before importing predictions."
            if value < 0 or max(beyond.values()) < _LOGIT:
                hint = "pass log-probabilities or logits through exp, a sigmoid or a softmax."
            raise InvalidInput(
                f"scores must be in [0, 1]; got {value:.6g} for {items_of(beyond, names)}.",
                hint=hint,
            )
        return {t: Problem("out_of_range", f"{value:.6g}") for t, value in beyond.items()}

    def _refuse_unknown(self, problems: Mapping[int, Problem], names: Mapping[int, str]) -> None:
        unknown: dict[str, list[int]] = {}
        for task, problem in problems.items():
            if problem.code == "unknown_labels":
                unknown.setdefault(problem.detail, []).append(task)
        if unknown:
            label, tasks = next(iter(unknown.items()))
            more = f", and {counted(len(unknown) - 1, 'other label')}" if len(unknown) > 1 else ""
            raise InvalidInput(
                f"predicted labels must be among those of control tag {self.setup.from_name!r}: "
                f"{listed(self.setup.classes)}; got {label!r} for {items_of(tasks, names)}{more}.",
                hint="add the label to the labelling setup, or import predictions with its labels.",
            )

    def _all_objects(
        self,
        task_ids: Sequence[int],
        taken: Mapping[int, Taken],
        names: Mapping[int, str],
        notices: list[Notice],
    ) -> Objects:
        places = [taken[t].place if t in taken else None for t in task_ids]
        spans = np.array([span or (0, 0) for span in places], dtype=np.int64)
        counts = spans[:, 1] - spans[:, 0]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        rows = np.repeat(spans[:, 0] - offsets[:-1], counts) + np.arange(offsets[-1])
        confidences = np.array(self._confidences)[rows]
        class_ids = np.array(self._class_ids, dtype=np.int64)[rows]
        boxes = np.array(self._boxes).reshape(-1, 4)[rows]
        pages = np.array(self._pages, dtype=np.int64)[rows]
        at = np.array(self._places, dtype=np.int64)[rows]
        lacking = at < 0
        if lacking.any() and not lacking.all():
            part = np.unique(np.repeat(np.arange(len(task_ids)), counts)[lacking])
            notices.append(
                Notice(
                    "partial_vectors",
                    f"Ignored all class probabilities, because {lacking.sum()} of "
                    f"{counted(len(rows), 'object')} have none.",
                    tuple(names[task_ids[row]] for row in part),
                )
            )
        masks = [self._masks[row] for row in rows.tolist() if row in self._masks]
        if masks and len(self.setup.pages) > 1:
            masks = []
            message = "Ignored all masks, because the tasks have several pages or images."
            notices.append(Notice("masks_of_pages", message))
        vectors = np.array(self._class_vectors).reshape(-1, len(self.setup.classes) or 1)
        return Objects(
            offsets,
            confidences,
            class_ids=class_ids,
            spans=self.setup.spans,
            answers=self.setup.of_parts,
            boxes=None
            if not len(rows) or np.isnan(boxes).any()
            else side_by_side(boxes, pages, self.setup),
            probabilities=None if not len(rows) or lacking.any() else vectors[at],
            masks=np.array(masks, dtype=object) if masks and len(masks) == len(rows) else None,
        )
