"""Every submitted annotation of a project as a record: what, by whom, when."""

from __future__ import annotations

from collections.abc import Sequence

from labelnext.adapter.batch import Mark
from labelnext.adapter.protocol import Context
from labelnext.adapter.records import LabelRecord, LabelRecords
from labelnext.errors import InvalidInput
from labelnext_adapters.label_studio.options import LabelStudioSource
from labelnext_adapters.label_studio.read.read import read_setup
from labelnext_adapters.label_studio.server.annotations import labelled_tasks
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.people import list_members, person_name
from labelnext_adapters.label_studio.server.project import get_project
from labelnext_adapters.label_studio.server.tasks import Task
from labelnext_adapters.label_studio_format.annotations import Annotation, Truth, Which, counted
from labelnext_adapters.label_studio_format.export import key_value
from labelnext_adapters.label_studio_format.moments import moment
from labelnext_adapters.label_studio_format.regions import (
    BrokenRegion,
    Found,
    OutOfRange,
    Setup,
    UnknownLabel,
    true_labels,
)


def label_records(client: Client, source: LabelStudioSource, context: Context) -> LabelRecords:
    """Every submitted annotation of the project; drafts and skipped tasks are no labels.

    Args:
        client: the server.
        source: the project, the control tag, and which of several annotations counts.
        context: for the key of the ids, and progress.

    Raises:
        NotFound: if there is no such project or control tag.
        InvalidInput: if a labelled task has no value of the key.
    """
    setup = read_setup(client, get_project(client, source.number), source, context)
    which = source.labels or "latest"
    truth = Truth(setup, which)
    members = list_members(client)
    records: list[LabelRecord] = []
    names: dict[int, str] = {}
    for task in labelled_tasks(client, source.number, context, "read labels", data=True):
        names[task.id] = _item_id(task, context.key)
        truth.take(task.id, task.annotations)
        valid = counted(task.annotations, "latest")
        one = _counting(task.annotations, setup, which, truth.labels([task.id])[0])
        for annotation in valid:
            who = person_name(annotation.person, members)
            records.append(_record(names[task.id], annotation, setup, who, annotation.id == one))
    return LabelRecords(tuple(records), tuple(truth.notices(names)))


def _item_id(task: Task, key: str | None) -> str:
    if key is None:
        return str(task.id)
    item = key_value(task.data, key)
    if not item:
        raise InvalidInput(
            f"source.key must be a key with text or a number in every task's data; got {key!r}, "
            f"missing from task {task.id}.",
            hint="leave out source.key to use Label Studio's task ids.",
        )
    return item


def _counting(
    annotations: Sequence[Annotation], setup: Setup, which: Which, label: int
) -> int | None:
    """The number of the annotation that is taken as the task's label."""
    valid = counted(annotations, which)
    if which != "majority":
        return valid[-1].id if valid else None
    saying = [a.id for a in valid if any(part.class_id == label for part in _said(a, setup) or ())]
    return saying[-1] if saying else None


def _said(annotation: Annotation, setup: Setup) -> list[Found] | None:
    """What an annotation says; None if it doesn't fit the labelling setup."""
    try:
        return true_labels(annotation.result, setup)
    except (BrokenRegion, UnknownLabel, OutOfRange):
        return None


def _record(
    item_id: str, annotation: Annotation, setup: Setup, person: str | None, counts: bool
) -> LabelRecord:
    said, names = _said(annotation, setup), [*setup.classes]
    when = moment(annotation.created_at)
    classes = objects = None
    if said is not None and setup.unit == "items":
        classes = tuple(names[part.class_id] for part in said)
    elif said is not None:
        objects = tuple(
            Mark("" if part.class_id < 0 else names[part.class_id], part.box) for part in said
        )
    return LabelRecord(
        item_id,
        classes[0] if classes is not None and len(classes) == 1 else None,
        classes,
        objects,
        person,
        when if when > 0 else None,
        counts,
        bytes(annotation.result).decode(),
    )


__all__ = ["label_records"]
