"""Labels on their way back: what people said of the tasks that were sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from labelnext.acquisition import Unit
from labelnext.adapter.batch import Labels, Mark, Origin
from labelnext.adapter.protocol import Context
from labelnext.errors import NotFound, listed
from labelnext.pool.objects import Notice
from labelnext.support import words
from labelnext.support.started import CONFIG, how
from labelnext_adapters.label_studio.options import LabelStudioSend
from labelnext_adapters.label_studio.send.already_sent import made_project, project_mark, sent_tasks
from labelnext_adapters.label_studio.send.label_tag import find_tag
from labelnext_adapters.label_studio.server.annotations import labelled_tasks
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.project import find_project, get_project
from labelnext_adapters.label_studio_format.annotations import counted
from labelnext_adapters.label_studio_format.region import Remarks
from labelnext_adapters.label_studio_format.regions import (
    BrokenRegion,
    Found,
    OutOfRange,
    UnknownLabel,
    true_labels,
)
from labelnext_adapters.label_studio_format.setup import find_setup

_UNITS: tuple[Unit, ...] = get_args(Unit)


def received(client: Client, options: LabelStudioSend, origin: Origin, context: Context) -> Labels:
    """What people said of the items of a dataset that were sent.

    Skipped tasks and drafts are no labels.

    Raises:
        NotFound: if nothing was sent yet, or there is no such project.
    """
    named = options.project
    number = _made(client, origin) if named is None else find_project(client, named)
    project = get_project(client, number)
    tag = find_tag(project, options.from_name, _UNITS)
    setup = find_setup(project, tag.from_name)
    sent = sent_tasks(client, number, options.key or origin.key)
    items = {task.task: item for item, task in sent.items()}
    known: dict[str, tuple[Mark, ...]] = {}
    broken, unclear = [], []
    for task in labelled_tasks(client, number, context, "fetch"):
        if task.id not in items:
            continue
        try:
            valid = counted(task.annotations, options.labels)
            if not valid:
                continue
            remarks = Remarks()
            said = true_labels(valid[-1].result, setup, remarks)
        except (BrokenRegion, OutOfRange, UnknownLabel):
            broken.append(task.id)
            continue
        if not _one_label_each(said, remarks, tag.unit):
            unclear.append(task.id)
            continue
        known[items[task.id]] = _marks(said, tag.labels)
    notices = _notices(broken, unclear, tag.unit)
    waiting = tuple(item for item in sent if item not in known)
    source = f"project {number} of {client.url}"
    return Labels(source, tag.unit, known, waiting, notices)


def _made(client: Client, origin: Origin) -> int:
    projects = [made_project(client, project_mark(origin, unit)) for unit in _UNITS]
    numbers = [number for number in projects if number is not None]
    if not numbers:
        raise NotFound(
            f"no batch of {origin.dataset} has been sent to {client.url}.",
            hint=f"run {how('send', CONFIG)} first, or set send.project.",
        )
    return max(numbers)


def _one_label_each(said: Sequence[Found], remarks: Remarks, unit: Unit) -> bool:
    """Whether the item, or each of its regions, has exactly one label."""
    if unit == "items" and len(said) != 1:
        return False
    return not remarks.more_labels and all(region.class_id >= 0 for region in said)


def _marks(said: Sequence[Found], labels: Sequence[str]) -> tuple[Mark, ...]:
    return tuple(Mark(labels[region.class_id], region.box) for region in said)


def _notices(broken: Sequence[int], unclear: Sequence[int], unit: Unit) -> tuple[Notice, ...]:
    notices = []
    if broken:
        notices.append(
            Notice(
                "broken_labels",
                f"Left out {words.counted(len(broken), 'task')} with annotations that don't fit "
                f"the labelling setup: {listed(broken)}.",
            )
        )
    if unclear:
        what = "no or several choices" if unit == "items" else "regions of no or several labels"
        notices.append(
            Notice(
                "no_single_label",
                f"Left out {words.counted(len(unclear), 'task')} with {what}: {listed(unclear)}.",
            )
        )
    return tuple(notices)
