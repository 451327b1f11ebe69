"""What sending a batch would do."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from labelnext.adapter.batch import Batch, Item, Mark
from labelnext.adapter.protocol import Context
from labelnext.errors import NotFound, listed
from labelnext.journal.plan import Plan, Step
from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.label_studio.options import LabelStudioSend
from labelnext_adapters.label_studio.send.already_sent import (
    Sent,
    made_project,
    project_mark,
    sent_tasks,
    standing_of,
)
from labelnext_adapters.label_studio.send.label_tag import (
    MAIN,
    Asked,
    Tag,
    find_label_tag,
    make_tags,
    with_attributes,
)
from labelnext_adapters.label_studio.send.media import addresses, check_files
from labelnext_adapters.label_studio.send.performer import TAB
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.marks import drafted
from labelnext_adapters.label_studio.server.project import find_project, get_project
from labelnext_adapters.label_studio.server.tab import find_tab
from labelnext_adapters.label_studio.server.tasks import PRIORITY


def make_plan(client: Client, options: LabelStudioSend, batch: Batch, context: Context) -> Plan:
    """What sending the batch would do.

    Raises:
        NotFound: if there is no such project, or it has no control tag for such labels.
        InvalidInput: if images are missing, or are not where the server can show them.
        WriteRefused: if the tab's title is taken.
    """
    names, said = [field.name for field in batch.further], [a.name for a in batch.attributes]
    mark = project_mark(batch.origin, batch.kind, names, said)
    named = options.project
    number = made_project(client, mark) if named is None else find_project(client, named)
    key = options.key or batch.origin.key
    target_project = {"url": client.url, "project": number, "mark": mark, "key": key}
    known: dict[str, Sent] = {}
    steps: list[Step] = []
    if number is None:
        asked = [Asked(MAIN, batch.kind, batch.classes, batch.model_version)]
        asked += [Asked(field.name, field.kind, field.classes) for field in batch.further]
        tags, setup = make_tags(asked, batch.attributes)
        title = f"{batch.origin.dataset}: label next"[-50:]  # Label Studio takes no more
        about = f"Batches of {batch.origin.dataset}, sent by labelnext. {mark}"
        made = {"title": title, "label_config": setup, "description": about}
        labels = counted(len(batch.classes), "label")
        steps.append(
            Step("project", f"Create the project {title!r} with {labels}", 0, target_project | made)
        )
    else:
        tags = _found_tags(get_project(client, number), options, batch)
        find_tab(client, number, TAB)  # refuses a title that is taken
        known = sent_tasks(client, number, key, context)
    new = [item for item in batch.items if item.item_id not in known and item.media]
    blank = [i.item_id for i in batch.items if i.item_id not in known and not i.media]
    if new:
        steps.append(_tasks_step(new, tags, batch, options, context, target_project))
    there = [item.item_id for item in batch.items if item.item_id in known or item.media]
    ids, unusable = _handed_out(client, number, there, known, context)
    if ids:
        held = _held(client, number, known, context)
        steps += [
            _order_step(ids, held, target_project),
            Step("tab", f'Create or update the tab "{TAB}"', 0, target_project),
        ]
    which = f"project {number}" if number else f"a project for {batch.origin.dataset}"
    target = f"{which} on {client.url}"
    nothing = f"The batch of {batch.run} is empty, so there is nothing to send."
    if batch.items:
        nothing = f"Nobody can be handed anything of the batch of {batch.run}."
    left_out = (f"Left out {counted(len(blank), 'item')} without an image: {listed(blank)}.",)
    return Plan(
        "label-studio",
        batch.run,
        target,
        tuple(steps),
        next_steps=() if steps else (nothing,),
        left_out=(*(left_out if blank else ()), *(notice.message for notice in unusable)),
    )


def _handed_out(
    client: Client,
    number: int | None,
    ids: list[str],
    known: Mapping[str, Sent],
    context: Context,
) -> tuple[list[str], list[Notice]]:
    """The items whose tasks somebody would be handed, skipped ones last; and what is left out."""
    if number is None or not any(task.begun for task in known.values()):
        return ids, []
    standing = standing_of(client, number, known, context)
    numbers = {item: task.task for item, task in known.items()}
    done = [item for item in ids if item in known and known[item].labelled]
    unusable = standing.left_out | {numbers[item] for item in done}
    left = [item for item in ids if numbers.get(item) not in unusable]
    left.sort(key=lambda item: numbers.get(item) in standing.deferred)
    notices = standing.notices({numbers[item]: item for item in ids if item in numbers})
    if done:
        message = f"Left out {counted(len(done), 'labelled task')}: {listed(done)}."
        notices.append(Notice("labelled_tasks", message, tuple(done)))
    return left, notices


def _order_step(ids: list[str], held: dict[str, str], target: Mapping[str, Any]) -> Step:
    setting = sum(item not in held for item in ids)
    what = f"Set {PRIORITY} on {counted(setting, 'task')}, and clear it on earlier batches' tasks"
    if not setting:
        what = f"Clear {PRIORITY} on earlier batches' tasks"
    if held:
        what += f", but not on {counted(len(held), 'task')} with a draft"
    return Step("order", what, len(ids), {**target, "ids": ids, "held": held})


def _held(
    client: Client, number: int | None, known: Mapping[str, Sent], context: Context
) -> dict[str, str]:
    """The priorities of sent tasks that somebody has a draft of, by item: these stay in place."""
    placed = {
        item: text
        for item, task in known.items()
        if not task.labelled and (text := task.values.get(PRIORITY)) and isinstance(text, str)
    }
    begun = drafted(client, number, context) if number is not None and placed else set()
    return {item: text for item, text in placed.items() if known[item].task in begun}


def _tasks_step(
    new: Sequence[Item],
    tags: Sequence[Tag],
    batch: Batch,
    options: LabelStudioSend,
    context: Context,
    target: Mapping[str, Any],
) -> Step:
    root = options.document_root
    media = {item.item_id: item.media for item in new if item.media}
    shown = addresses(
        media, None if root is None else context.path(root).absolute(), options.url_prefix
    )
    uploads = [path for item, path in media.items() if item not in shown]
    check_files(uploads)
    rows: list[dict[str, Any]] = [
        {
            "id": item.item_id,
            "media": shown.get(item.item_id, item.media),
            "upload": item.item_id not in shown,
            "marks": _rows(item.marks),
            "size": item.size,
        }
        for item in new
    ]
    predicted = sum(item.marks is not None for item in new)
    how = f" ({predicted} with predictions)"
    if uploads:
        how += f" and upload {counted(len(uploads), 'image')}"
    main, *others = (tag.to_dict() for tag in tags)
    payload = {**target, "tag": main, "version": batch.model_version, "items": rows}
    if others:
        payload["further"] = others
        held = [dict(zip(_ids(batch), field.marks, strict=True)) for field in batch.further]
        for row in rows:
            row["further"] = [_rows(marks[row["id"]]) for marks in held]
    served = [path for item, path in media.items() if item in shown and "://" not in path]
    if served:
        payload["folder"] = os.path.commonpath([os.path.dirname(path) for path in served])
    return Step("tasks", f"Create {counted(len(new), 'task')}{how}", len(new), payload)


def _ids(batch: Batch) -> list[str]:
    return [item.item_id for item in batch.items]


def _rows(marks: Sequence[Mark] | None) -> list[list[Any]] | None:
    return None if marks is None else [mark.to_row() for mark in marks]


def _found_tags(project: dict[str, Any], options: LabelStudioSend, batch: Batch) -> list[Tag]:
    """The control tags of a project for a batch, the main one first.

    Raises:
        NotFound: if there is none for such labels.
        InvalidInput: if several fit and none is named.
    """
    names = [field.name for field in batch.further]
    said = [attribute.name for attribute in batch.attributes]
    main = options.from_name or (MAIN if names and options.project is None else None)
    tags = [find_label_tag(project, main, [batch.kind], besides={*names, *said})]
    tags += [find_label_tag(project, field.name, [field.kind]) for field in batch.further]
    tags = [with_attributes(project, tag, said) for tag in tags]
    missing = {*said} - {a.name for tag in tags for a in tag.attributes}
    if missing:
        raise NotFound(
            f"project {project['id']} must ask for {listed(sorted(missing))} of each region.",
            hint='add a Choices, Number or TextArea tag of that name with perRegion="true" to its '
            "labelling setup, or leave out send.project to create a new project.",
        )
    return tags
