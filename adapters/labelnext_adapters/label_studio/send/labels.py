"""Labels on their way back: what people said of the tasks that were sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from labelnext.adapter.batch import Kind, Labels, Mark, Origin
from labelnext.adapter.protocol import Context
from labelnext.errors import NothingSent, listed
from labelnext.pool.objects import Notice
from labelnext.support import words
from labelnext.support.started import CONFIG, how
from labelnext_adapters.label_studio.options import LabelStudioSend
from labelnext_adapters.label_studio.send.already_sent import made_for, project_marks, sent_tasks
from labelnext_adapters.label_studio.send.drawn import attributes_in, drawn_marks, id_of
from labelnext_adapters.label_studio.send.label_tag import (
    KINDS,
    MAIN,
    TAGS,
    Tag,
    find_label_tag,
    further_tags,
    with_attributes,
)
from labelnext_adapters.label_studio.server.annotations import labelled_tasks
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.project import find_project, get_project
from labelnext_adapters.label_studio_format.annotations import counted
from labelnext_adapters.label_studio_format.answers import number_in
from labelnext_adapters.label_studio_format.region import Remarks, named_regions
from labelnext_adapters.label_studio_format.regions import (
    BrokenRegion,
    OutOfRange,
    Setup,
    UnknownLabel,
    true_labels,
)
from labelnext_adapters.label_studio_format.setup import find_setup

_FIRST: tuple[Kind, ...] = ("items", "classes", "box")  # also in projects that have further tags


@dataclass
class _Read:
    """The labels of one control tag, as they are read.

    Attributes:
        tag: the control tag.
        setup: the same, for reading.
        known: the labels by item.
        broken: tasks whose annotations don't fit.
        unclear: tasks without exactly one label where one is wanted.
    """

    tag: Tag
    setup: Setup
    known: dict[str, tuple[Mark, ...]] = field(default_factory=dict)
    broken: list[int] = field(default_factory=list)
    unclear: list[int] = field(default_factory=list)

    def take(self, item: str, task: int, result: msgspec.Raw) -> None:
        """Read an annotation of an item."""
        try:
            marks = self._marks(result)
        except (BrokenRegion, OutOfRange, UnknownLabel):
            self.broken.append(task)
            return
        if marks is None:
            self.unclear.append(task)
        else:
            self.known[item] = marks

    def _marks(self, result: msgspec.Raw) -> tuple[Mark, ...] | None:
        """What it says; None without exactly one label where one is wanted."""
        tag, remarks = self.tag, Remarks()
        regions = [*named_regions(result, Remarks())]
        read = [region for region in regions if self.setup.name_of(region) in self.setup.tags]
        if tag.kind == "number":
            number = number_in(result, self.setup)
            return None if number != number else (Mark("", mark_id=id_of(read[0]), number=number),)
        said = true_labels(result, self.setup, remarks)
        if remarks.more_labels or any(found.class_id < 0 for found in said):
            return None
        if tag.kind == "classes":
            return tuple(Mark(tag.labels[found.class_id]) for found in said)
        if tag.kind == "items":
            one = len(said) == len(read) == 1
            return (Mark(tag.labels[said[0].class_id], mark_id=id_of(read[0])),) if one else None
        extra = attributes_in(regions, tag.attributes)
        return drawn_marks(said, read, tag.labels, tag.kind, extra)

    def labels(self, source: str, sent: Collection[str], notices: Sequence[Notice]) -> Labels:
        """All that was read."""
        waiting = tuple(item for item in sent if item not in self.known)
        tag = self.tag
        return Labels(source, tag.unit, self.known, waiting, tuple(notices), tag.shape)

    def notices(self, *, main: bool) -> list[Notice]:
        """What was left out; a further field may stay empty."""
        where = "" if main else f" of {self.tag.from_name}"
        notices = []
        if self.broken:
            notices.append(
                Notice(
                    "broken_labels",
                    f"Left out {words.counted(len(self.broken), 'task')} with annotations that "
                    f"don't fit the labelling setup{where}: {listed(self.broken)}.",
                )
            )
        if self.unclear and (main or self.tag.unit == "objects"):
            what = {"items": "no or several choices", "number": "no or several numbers"}.get(
                self.tag.kind, "regions of no or several labels"
            )
            notices.append(
                Notice(
                    "no_single_label",
                    f"Left out {words.counted(len(self.unclear), 'task')} with {what}{where}: "
                    f"{listed(self.unclear)}.",
                )
            )
        return notices


def received(client: Client, options: LabelStudioSend, origin: Origin, context: Context) -> Labels:
    """What people said of the items of a dataset that were sent.

    Skipped tasks and drafts are no labels.

    Raises:
        NothingSent: if nothing was sent yet.
        NotFound: if there is no such project.
    """
    named = options.project
    number = _made(client, origin, options) if named is None else find_project(client, named)
    project = get_project(client, number)
    reads = [_Read(tag, find_setup(project, tag.from_name)) for tag in _tags_of(project, options)]
    sent = sent_tasks(client, number, options.key or origin.key)
    items = {task.task: item for item, task in sent.items()}
    for task in labelled_tasks(client, number, context, "fetch"):
        try:
            valid = counted(task.annotations, options.labels) if task.id in items else []
        except (BrokenRegion, OutOfRange, UnknownLabel):
            reads[0].broken.append(task.id)
            continue
        for read in reads if valid else ():
            read.take(items[task.id], task.id, valid[-1].result)
    main, *others = reads
    notices = [n for read in reads for n in read.notices(main=read is main)]
    source = f"project {number} of {client.url}"
    further = {read.tag.from_name: read.labels(source, sent, ()) for read in others}
    return replace(main.labels(source, sent, notices), further=further)


def _tags_of(project: dict[str, Any], options: LabelStudioSend) -> list[Tag]:
    """The control tags that are read, the main one first.

    Of a project that labelnext made, all are; of another one, those that are named.
    """
    ours = options.project is None
    tags: dict[str, Any] = project["parsed_label_config"] or {}
    name = options.from_name or (MAIN if ours and MAIN in tags else None)
    besides = {*options.fields, *options.attributes}
    types = {tag.get("type") for other, tag in tags.items() if other not in besides}
    first = name is None and not types.isdisjoint(TAGS[kind] for kind in _FIRST)
    main = find_label_tag(project, name, _FIRST if first else KINDS, besides=besides)
    named = options.fields or (None if ours else ())
    found = [main, *further_tags(project, main, named)]
    said = options.attributes or (None if ours else ())
    return [with_attributes(project, tag, said) for tag in found]


def _made(client: Client, origin: Origin, options: LabelStudioSend) -> int:
    """The number of the newest project that was made for a dataset, with the fields if named."""
    number = made_for(client, project_marks(origin, options.fields, options.attributes))
    if number is None:
        names = [*options.fields, *options.attributes]
        beside = f" with {listed(names)}" if names else ""
        raise NothingSent(
            f"no batch of {origin.dataset}{beside} has been sent to {client.url}.",
            hint=f"run {how('send', CONFIG)} first, or set send.project.",
        )
    return number
