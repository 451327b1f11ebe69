"""Labels on their way back: what people said of the tasks that were sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from labelnext.acquisition import Unit
from labelnext.adapter.batch import Kind, Labels, Mark, Origin
from labelnext.adapter.protocol import Context
from labelnext.errors import NotFound, listed
from labelnext.pool.objects import Notice
from labelnext.support import words
from labelnext.support.started import CONFIG, how
from labelnext_adapters.label_studio.options import LabelStudioSend
from labelnext_adapters.label_studio.send.already_sent import made_project, project_mark, sent_tasks
from labelnext_adapters.label_studio.send.drawn import drawn_marks
from labelnext_adapters.label_studio.send.label_tag import TAGS, Tag, find_tag
from labelnext_adapters.label_studio.server.annotations import labelled_tasks
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.project import find_project, get_project
from labelnext_adapters.label_studio_format.annotations import counted
from labelnext_adapters.label_studio_format.region import Remarks, named_regions
from labelnext_adapters.label_studio_format.regions import (
    BrokenRegion,
    Found,
    OutOfRange,
    Setup,
    UnknownLabel,
    true_labels,
)
from labelnext_adapters.label_studio_format.setup import find_setup

_KINDS: tuple[Kind, ...] = get_args(Kind)
_FIRST: tuple[Kind, ...] = ("items", "box")  # also in projects that have further tags


def received(client: Client, options: LabelStudioSend, origin: Origin, context: Context) -> Labels:
    """What people said of the items of a dataset that were sent.

    Skipped tasks and drafts are no labels.

    Raises:
        NotFound: if nothing was sent yet, or there is no such project.
    """
    named = options.project
    number = _made(client, origin) if named is None else find_project(client, named)
    project = get_project(client, number)
    tag = _tag_of(project, options.from_name)
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
        try:
            known[items[task.id]] = _marks(said, valid[-1].result, setup, tag)
        except BrokenRegion:
            broken.append(task.id)
    notices = _notices(broken, unclear, tag.unit)
    waiting = tuple(item for item in sent if item not in known)
    source = f"project {number} of {client.url}"
    return Labels(source, tag.unit, known, waiting, notices, tag.shape)


def _tag_of(project: dict[str, Any], from_name: str | None) -> Tag:
    types = {tag.get("type") for tag in (project["parsed_label_config"] or {}).values()}
    first = from_name is None and not types.isdisjoint(TAGS[kind] for kind in _FIRST)
    return find_tag(project, from_name, _FIRST if first else _KINDS)


def _made(client: Client, origin: Origin) -> int:
    projects = [made_project(client, project_mark(origin, kind)) for kind in _KINDS]
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


def _marks(said: Sequence[Found], result: Any, setup: Setup, tag: Tag) -> tuple[Mark, ...]:
    if tag.unit == "items":
        return tuple(Mark(tag.labels[found.class_id]) for found in said)
    read = [r for r in named_regions(result, Remarks()) if setup.name_of(r) in setup.tags]
    return drawn_marks(said, read, tag.labels, tag.kind)


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
