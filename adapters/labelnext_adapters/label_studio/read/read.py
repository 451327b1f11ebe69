"""Reading a project: the list of its predictions straight to columns, joined with the tasks.

Listing tasks is slow on the server, so tasks are listed only when the predictions alone don't
hold what is needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from labelnext.adapter.protocol import Context
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext_adapters.label_studio.options import LabelStudioSource
from labelnext_adapters.label_studio.read.kept import listed_predictions
from labelnext_adapters.label_studio.read.memory import keep, recalled, take
from labelnext_adapters.label_studio.read.scope import Part, find_part
from labelnext_adapters.label_studio.read.tag import LOOKED_AT, with_tag
from labelnext_adapters.label_studio.read.undecided import undecided, undecided_notices
from labelnext_adapters.label_studio.server.annotations import labelled_tasks, read_truth
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.pages import task_pages
from labelnext_adapters.label_studio.server.project import (
    find_versions,
    get_project,
    is_copy,
)
from labelnext_adapters.label_studio.server.refusals import TimedOut
from labelnext_adapters.label_studio.server.standing import find_standing
from labelnext_adapters.label_studio.server.tasks import (
    FIELDS,
    TASK_FIELDS,
    Prediction,
    Task,
    Tasks,
    collect,
    collect_ids,
    read_tasks,
)
from labelnext_adapters.label_studio_format.predictions import Columns, make_pool
from labelnext_adapters.label_studio_format.regions import Setup
from labelnext_adapters.label_studio_format.setup import (
    add_occurring,
    derived_notices,
    find_setup,
    has_dynamic,
    only_predicted_notice,
)
from labelnext_adapters.label_studio_format.versions import Members, chosen, in_use, settle

PAGE_SIZE_WITH_PREDICTIONS = 200
_FIELDS = f"{TASK_FIELDS},predictions"

# The server sends all predictions in one response, which fails for very large projects.
MOST_IN_ONE_LIST = 50_000

# One task with its prediction on a page costs the server as much as this many listed predictions.
PAGED_COST = 8


def choose_versions(
    client: Client, source: LabelStudioSource, setup: Setup, notices: list[Notice]
) -> tuple[Members, dict[str | None, str]]:
    """The model versions to read, and the date of each one's newest prediction; empty if none."""
    rows = find_versions(client, source.number)
    counts = {row["model_version"]: int(row["count"]) for row in rows}
    members = chosen(counts, source.model_version, setup, notices, merge=source.merge)
    dates = {row["model_version"]: str(row["latest"] or "") for row in rows}
    return members, {version: dates[version] for version in members}


def read(client: Client, source: LabelStudioSource, context: Context) -> tuple[Pool, Tasks]:
    """The pool, and the tasks as a plan needs them.

    Raises:
        NotFound, AccessDenied, Unavailable, InvalidInput: see `LabelStudioAdapter.read`.
    """
    project = get_project(client, source.number)
    named, source = source.from_name, with_tag(client, source, project)
    setup = read_setup(client, project, source, context)
    notices = derived_notices(setup)
    if named is None and source.from_name is not None:
        notices.append(only_predicted_notice(project, setup.from_name, LOOKED_AT))
    if project.get("evaluate_predictions_automatically"):
        notices.append(
            Notice(
                "live_predictions",
                "The project requests predictions from its ML backend whenever tasks are listed, "
                "so reading may be slow and may add predictions.",
            )
        )
    members, dates = choose_versions(client, source, setup, notices)
    part = find_part(client, source)
    # Labels that occur since then would be unknown to what is remembered.
    forget = bool(part.options) or setup.derived
    memory = None if forget else recalled(client, project, members, context)
    if memory is not None and memory.tasks is not None:
        members, tasks, truth = memory.members, memory.tasks, memory.truth
    else:
        tasks, truth = _read_tasks(client, project, members, part, context), None
    if not members:
        lacking = "predictions" if project["task_number"] else "tasks"
        notices.append(Notice("no_predictions", f"Project {source.number} has no {lacking}."))
    notices += part.notices(len(tasks.ids), project["task_number"])
    standing = find_standing(client, project, tasks, source.skipped, context)
    tasks.standing = standing
    notices += standing.notices(dict(zip(tasks.ids, tasks.item_ids, strict=True)))
    labels: dict[str, Any] = {"numbers": [math.nan] * len(tasks.ids)} if setup.of_numbers else {}
    if source.labels is not None and any(tasks.annotated):
        if truth is None:
            truth = read_truth(client, source.number, setup, source.labels, context)
        notices += truth.notices(dict(zip(tasks.ids, tasks.item_ids, strict=True)))
        waiting = [t for t, done in zip(tasks.ids, tasks.annotated, strict=True) if not done]
        notices += truth.older({version: dates[version] for version in in_use(members, waiting)})
        labels = truth.columns(tasks.ids)
        tasks.undecided = undecided(truth.said) if labels.keys() <= {"labels", "votes"} else {}
        notices += undecided_notices(tasks)
        settle(members, truth.made)
    tasks.others = {version for columns in members.values() for version in columns.others}
    keep(memory, members, tasks, truth, context)
    if tasks.begun_by:
        left_out = standing.left_out
        rows = zip(tasks.ids, tasks.labelled, strict=True)
        labels["open"] = [not done and task not in left_out for task, done in rows]
    if standing.deferred:
        labels["deferred"] = [task in standing.deferred for task in tasks.ids]
    labels["metadata"] = tasks.columns()
    columns = members or {None: Columns(setup)}
    shared = (tasks.ids, tasks.item_ids, tasks.annotated, notices)
    return make_pool(columns, *shared, merge=source.merge, **labels), tasks


def read_setup(
    client: Client, project: dict[str, Any], source: LabelStudioSource, context: Context
) -> Setup:
    """The control tags to read; labels from each task's data are those that occur in all tasks.

    Raises:
        NotFound, InvalidInput: as `find_setup`.
    """
    if has_dynamic(project, source.from_name):
        number = project["id"]
        predicted = (p.result for p in stored_predictions(client, number, context, numbered=False))
        labelled = labelled_tasks(client, number, context, "read labels")
        said = (annotation.result for task in labelled for annotation in task.annotations)
        add_occurring(project["parsed_label_config"], chain(predicted, said))
    return find_setup(project, source.from_name)


def _read_tasks(
    client: Client, project: dict[str, Any], members: Members, part: Part, context: Context
) -> Tasks:
    """The part's tasks and their predictions, read the cheapest way."""
    number, n_tasks = project["id"], project["task_number"]
    if not members:
        return _read_part(client, number, part, context)
    small = False
    if part.options:
        n_predictions = project.get("total_predictions_number") or 0
        small = part.count(client, number) * PAGED_COST < n_predictions
    if n_tasks > MOST_IN_ONE_LIST or small:
        return _read_paged(client, number, members, part, context)
    try:
        return _read_whole(client, project, members, part, context)
    except TimedOut:
        return _read_paged(client, number, members, part, context)


def _same_overlap(project: Mapping[str, Any]) -> int | None:
    """How many annotations each task needs; None if some need more than others."""
    wanted = int(project.get("maximum_annotations") or 1)
    whole = project.get("overlap_cohort_percentage") in (None, 100)
    return wanted if whole or wanted == 1 else None


def stored_predictions(
    client: Client, project: int, context: Context, *, numbered: bool = True
) -> Iterator[Prediction]:
    """All predictions of a project, in one list if the server can send it.

    If the list breaks off or times out, some predictions come twice.

    Args:
        client: the server.
        project: its number.
        context: for progress, and with the state folder.
        numbered: as of `listed_predictions`.
    """
    context.report("read predictions", 0, None)
    settings = get_project(client, project)
    if settings["task_number"] <= MOST_IN_ONE_LIST:
        try:
            yield from listed_predictions(client, settings, context, numbered=numbered)
        except TimedOut:
            pass
        else:
            return
    for page in task_pages(
        client, project, _FIELDS, page_size=PAGE_SIZE_WITH_PREDICTIONS, context=context
    ):
        for task in page:
            yield from task.predictions


def _read_whole(
    client: Client,
    project: Mapping[str, Any],
    members: Members,
    part: Part,
    context: Context,
) -> Tasks:
    """The list of all predictions, then whatever it lacks from the tasks."""
    number, n_tasks, overlap = project["id"], project["task_number"], _same_overlap(project)
    predicted: set[int] = set()
    context.report("read predictions", 0, None)
    numbered = any(map(is_copy, members))
    rows = listed_predictions(client, project, context, numbered=numbered)
    for done, prediction in enumerate(rows):
        predicted.add(prediction.task)
        take(prediction, members)
        if done % 10_000 == 0:
            context.report("read predictions", done, None)
    from_data = context.key is not None or bool(context.metadata)
    if not part.options and not from_data and overlap is not None:
        tasks = collect_ids(client, number, predicted, n_tasks, context, overlap)
        if tasks is not None:
            return tasks
    return _read_part(client, number, part, context)


def _read_part(client: Client, project: int, part: Part, context: Context) -> Tasks:
    """The tasks without their predictions."""
    if not part.options:
        return read_tasks(client, project, context)
    pages = part.pages(client, project, TASK_FIELDS, context=context)
    return collect(pages, context.key, context.metadata)


def _read_paged(
    client: Client, project: int, members: Members, part: Part, context: Context
) -> Tasks:
    """The slow way, for very large projects: pages of tasks with their predictions."""
    options: dict[str, Any] = {"page_size": PAGE_SIZE_WITH_PREDICTIONS, "context": context}

    def pages() -> Iterator[list[Task]]:
        for page in part.pages(client, project, _FIELDS, **options):
            _take_all(page, members)
            yield page

    tasks = collect(pages(), context.key, context.metadata)
    if not part.options:
        tasks.marked.update(FIELDS)
    return tasks


def read_page(client: Client, project: int, members: Members, tasks: Tasks, part: Part) -> None:
    """The first tasks with their predictions, as a sample."""
    options = {"page_size": PAGE_SIZE_WITH_PREDICTIONS}
    for page in part.pages(client, project, _FIELDS, **options):
        _take_all(page, members)
        for task in page:
            tasks.add(task, None)
        return


def _take_all(page: list[Task], members: Members) -> None:
    for task in page:
        for prediction in task.predictions:
            take(prediction, members)
