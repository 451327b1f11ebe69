"""From parsed predictions to the columns of a pool, counting all that is left out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool import Notice, Objects, Pool
from labelnext_adapters.label_studio_format.regions import (
    BrokenRegion,
    Found,
    Parsed,
    Setup,
    UnknownLabel,
    parse_result,
)

_SUM_ERROR = 1e-3  # as the pool's: rows further from 1 are no distributions

# Why a prediction cannot be used: code of the notice, and the end of its sentence.
_PROBLEMS = {
    "broken_regions": "have a prediction that is not what the control tag makes",
    "other_control": "have predictions of other control tags only",
    "no_score": "have a prediction without any score",
    "no_distribution": "have a prediction without class probabilities, while others have them",
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

    Raises:
        InvalidInput: if labels are unknown, numbers out of range, or if the members cannot be
            compared.
    """
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
            f"{v} holds {'objects' if c.probabilities is None else 'class probabilities'}"
            for v, c in contents.items()
        )
        raise InvalidInput(
            f"the model versions of a committee must hold the same kind of prediction; {kinds}."
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
        labelled=labelled,
        missing=~present,
        multilabel=any(c.multilabel for c in contents.values()),
        notices=found,
    )


class Columns:
    """Collects the predictions of one model version.

    Args:
        setup: the control tag that is read.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._vectors: dict[int, list[float]] = {}
        self._objects: dict[int, list[Found]] = {}
        self._problems: dict[str, list[int]] = {code: [] for code in _PROBLEMS}
        self._unknown: dict[str, list[int]] = {}
        self._out_of_range: dict[int, float] = {}
        self._counts: Counter[int] = Counter()

    def count(self, task: int) -> None:
        """A prediction of the wanted model version was seen on that task."""
        self._counts[task] += 1

    def add(self, task: int, score: float | None, result: msgspec.Raw) -> None:
        """Take the prediction of a task."""
        try:
            parsed = parse_result(result, score, self.setup)
        except UnknownLabel as unknown:
            self._unknown.setdefault(unknown.label, []).append(task)
            return
        except BrokenRegion:
            self._problems["broken_regions"].append(task)
            return
        if parsed is None:
            self._problems["other_control"].append(task)
        elif parsed.vector is not None:
            self._vectors[task] = parsed.vector
        elif parsed.objects is not None:
            self._take_objects(task, parsed)
        else:
            self._problems["no_score"].append(task)

    def _take_objects(self, task: int, parsed: Parsed) -> None:
        self._objects[task] = parsed.objects or []
        for found in self._objects[task]:
            if not 0 <= found.confidence <= 1:
                self._out_of_range[task] = found.confidence

    def content(
        self, task_ids: Sequence[int], names: dict[int, str], notices: list[Notice]
    ) -> Content:
        """What was read of these tasks; adds to the notices.

        Raises:
            InvalidInput: if labels are unknown, or numbers out of range.
        """
        self._check(names)
        probabilities = objects = None
        multilabel = False
        if self._vectors:
            # What has no distribution cannot be compared with what has one.
            self._problems["no_distribution"] += self._objects
            probabilities = np.full((len(task_ids), len(self.setup.classes)), np.nan)
            for row, task in enumerate(task_ids):
                if task in self._vectors:
                    probabilities[row] = self._vectors[task]
            multilabel = self._is_multilabel()
            present = [t in self._vectors for t in task_ids]
        else:
            present = [t in self._objects for t in task_ids]
            if self._objects:
                objects = self._all_objects(task_ids, names, notices)
        notices += self._notices(names, multilabel)
        return Content(probabilities, objects, np.array(present, dtype=bool), multilabel)

    def _check(self, names: dict[int, str]) -> None:
        if self._unknown:
            label, tasks = next(iter(self._unknown.items()))
            more = f", and {len(self._unknown) - 1} other labels" if len(self._unknown) > 1 else ""
            raise InvalidInput(
                f"predicted labels must be of control tag {self.setup.from_name!r}: "
                f"{listed(self.setup.classes)}; got {label!r} for item "
                f"{listed(_named(tasks, names))}{more}.",
                hint="add the label to the labelling setup, or import predictions with its labels.",
            )
        if self._out_of_range:
            value = next(iter(self._out_of_range.values()))
            raise InvalidInput(
                f"scores must be in [0, 1]; got {value:.6g} for item "
                f"{listed(_named(self._out_of_range, names))}.",
                hint="divide percentages by 100 before importing predictions.",
            )

    def _is_multilabel(self) -> bool:
        sums = [math.fsum(v) for v in self._vectors.values()]
        return self.setup.multiple and any(abs(s - 1) > _SUM_ERROR for s in sums)

    def _all_objects(
        self, task_ids: Sequence[int], names: dict[int, str], notices: list[Notice]
    ) -> Objects:
        rows = [self._objects.get(task, []) for task in task_ids]
        flat = [found for row in rows for found in row]
        with_vector = [f.probabilities for f in flat if f.probabilities is not None]
        if 0 < len(with_vector) < len(flat):
            part = [t for t, row in zip(task_ids, rows, strict=True) if _lacks_vector(row)]
            notices.append(
                Notice(
                    "partial_vectors",
                    f"{len(flat) - len(with_vector)} of {len(flat)} objects have no class "
                    "probabilities, so those of the others were left out.",
                    tuple(_named(part, names)),
                )
            )
        whole = bool(flat) and len(with_vector) == len(flat)
        boxes = [f.box for f in flat if f.box is not None]
        return Objects(
            np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)]),
            np.array([f.confidence for f in flat], dtype=np.float64),
            class_ids=np.array([f.class_id for f in flat], dtype=np.int64),
            boxes=np.array(boxes, dtype=np.float64) if flat and len(boxes) == len(flat) else None,
            probabilities=np.array(with_vector, dtype=np.float64) if whole else None,
        )

    def _notices(self, names: dict[int, str], multilabel: bool) -> list[Notice]:
        notices = [
            Notice(code, f"{len(ids)} items {_PROBLEMS[code]}; they count as missing.", ids)
            for code, tasks in self._problems.items()
            if (ids := tuple(_named(tasks, names)))
        ]
        repeated = tuple(_named((t for t, count in self._counts.items() if count > 1), names))
        if repeated:
            notices.append(
                Notice(
                    "repeated_predictions",
                    f"{len(repeated)} items have several predictions of the model version; "
                    "the newest of each was used.",
                    repeated,
                )
            )
        scores = [f.confidence for row in self._objects.values() for f in row]
        if scores and not self._vectors and not any(scores):
            notices.append(
                Notice("zero_scores", "All scores are 0.0, which often means they were never set.")
            )
        if multilabel:
            notices.append(
                Notice(
                    "multilabel",
                    "Several choices can be chosen and the probabilities do not sum to 1: "
                    "each class was read as independent.",
                )
            )
        return notices


def _lacks_vector(row: Sequence[Found]) -> bool:
    return any(found.probabilities is None for found in row)


def _named(tasks: Iterable[int], names: dict[int, str]) -> list[str]:
    """Item ids of tasks that were listed; a prediction may be of a task that came later."""
    return [names[t] for t in tasks if t in names]
