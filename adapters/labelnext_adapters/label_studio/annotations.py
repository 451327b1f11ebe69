"""What people said: the annotations of the labelled tasks, as classes and as objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labelnext.adapter import Context
from labelnext.errors import InvalidInput, listed
from labelnext.pool import Notice, Objects
from labelnext_adapters.label_studio.client import Client
from labelnext_adapters.label_studio.tasks import Annotation, Task, task_pages
from labelnext_adapters.label_studio_format.regions import (
    CONTROLS,
    BrokenRegion,
    Found,
    Setup,
    UnknownLabel,
    true_labels,
)

Which = Literal["latest", "ground_truth", "majority"]
_PAGE_SIZE = 500
# The names count for the annotations inside the tasks as well.
_FIELDS = "id,annotations,result,was_cancelled,ground_truth,created_at,updated_at,completed_by"
_LABELLED = {
    "filter": "filter:tasks:total_annotations",
    "operator": "greater",
    "type": "Number",
    "value": 0,
}


@dataclass
class Truth:
    """The labels of the labelled tasks.

    Attributes:
        found: for each task what was said of it.
        said: for each task the one class that each person last said, by the person's number.
        newest: the latest date of an annotation, as the server writes it; empty without any.
        notices: what could not be read.
    """

    found: dict[int, list[Found]] = field(default_factory=dict)
    said: dict[int, dict[int, int]] = field(default_factory=dict)
    newest: str = ""
    notices: list[Notice] = field(default_factory=list)

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

    def objects(self, task_ids: Sequence[int]) -> Objects:
        """The objects of each task."""
        rows = [self.found.get(task, []) for task in task_ids]
        flat = [found for row in rows for found in row]
        boxes = [found.box for found in flat if found.box is not None]
        return Objects(
            np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)]),
            np.ones(len(flat)),
            class_ids=np.array([found.class_id for found in flat], dtype=np.int64),
            boxes=np.array(boxes, dtype=np.float64) if flat and len(boxes) == len(flat) else None,
        )


def read_truth(client: Client, project: int, setup: Setup, which: Which, context: Context) -> Truth:
    """The labels of the labelled tasks; one small request where there are none.

    Skipped tasks and drafts are no labels.

    Args:
        client: the server.
        project: its number.
        setup: the control tags that are read.
        which: the annotation that counts where a task has several: the latest; the one that is
            marked as ground truth; or the class that most of them say, the latest one's in a tie.
        context: for progress.

    Raises:
        InvalidInput: if a majority is asked of objects.
    """
    if which == "majority" and CONTROLS[setup.tag].unit == "objects":
        raise InvalidInput(
            "labels must be latest or ground_truth where parts of items are labelled; "
            "got 'majority'.",
            hint="several people's boxes have no majority.",
        )
    truth, unread = Truth(), []
    for task in labelled_tasks(client, project, context, "read labels"):
        dates = (a.created_at for a in task.annotations if not a.was_cancelled)
        truth.newest = max([truth.newest, *dates])
        own = counted(task.annotations, which)
        try:
            results = [true_labels(annotation.result, setup) for annotation in own]
            if said := _said(results, which):
                truth.found[task.id] = said
            truth.said[task.id] = {
                annotation.person: found[0].class_id
                for annotation, found in zip(own, results, strict=True)
                if len(found) == 1
            }
        except (BrokenRegion, UnknownLabel):
            unread.append(str(task.id))
    if unread:
        truth.notices.append(
            Notice(
                "broken_labels",
                f"{len(unread)} tasks have annotations that do not fit the labelling setup; they "
                f"count as labelled, without a class: task {listed(unread)}.",
            )
        )
    return truth


def labelled_tasks(client: Client, project: int, context: Context, stage: str) -> Iterator[Task]:
    """The tasks of a project that have an annotation, with all their annotations.

    Args:
        client: the server.
        project: its number.
        context: for progress.
        stage: its name.
    """
    pages = task_pages(
        client,
        project,
        _FIELDS,
        page_size=_PAGE_SIZE,
        filters=(_LABELLED,),
        context=context,
        stage=stage,
    )
    for page in pages:
        yield from page


def counted(annotations: Sequence[Annotation], which: Which) -> list[Annotation]:
    """The annotations of a task that count, the latest last; skipped ones do not.

    Args:
        annotations: of one task.
        which: as for `read_truth`.
    """
    own = [a for a in annotations if not a.was_cancelled]
    own.sort(key=lambda a: (a.updated_at, a.id))
    return [a for a in own if a.ground_truth] if which == "ground_truth" else own


def _said(results: Sequence[list[Found]], which: Which) -> list[Found]:
    if not results:
        return []
    if which != "majority":
        return results[-1]
    votes = Counter(found.class_id for said in results for found in {*said})
    most = max(votes.values(), default=0)
    # In a tie the latest word counts.
    for said in reversed(results):
        for found in said:
            if votes[found.class_id] == most:
                return [found]
    return []


__all__ = ["Truth", "Which", "counted", "labelled_tasks", "read_truth"]
