"""Reading a project: slim pages of tasks, joined with its predictions, straight to columns.

Two requests' worth of work instead of one heavy listing: on 5,000 tasks the full listing takes
30 s, the slim pages and the list of predictions together 5 s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labelnext.adapter import Context
from labelnext.errors import NotFound
from labelnext.pool import Notice, Pool
from labelnext_adapters.label_studio import LabelStudioSource
from labelnext_adapters.label_studio.annotations import read_truth
from labelnext_adapters.label_studio.client import Client, TimedOut
from labelnext_adapters.label_studio.project import find_versions, get_project
from labelnext_adapters.label_studio.tasks import Prediction, Task, Tasks, read_tasks, task_pages
from labelnext_adapters.label_studio_format.columns import Columns, make_pool
from labelnext_adapters.label_studio_format.regions import CONTROLS
from labelnext_adapters.label_studio_format.setup import find_setup

PAGE_SIZE_WITH_PREDICTIONS = 200
_FIELDS = "id,data,total_annotations,predictions"

# The list of predictions is one body, which servers fail to send for very large projects.
MOST_IN_ONE_LIST = 50_000


def _choose_versions(
    client: Client, source: LabelStudioSource, notices: list[Notice]
) -> dict[str | None, str]:
    """The model versions to read, with the date of each one's newest prediction; empty if none."""
    rows = find_versions(client, source.project)
    dates = {row["model_version"]: str(row["latest"] or "") for row in rows}
    named = source.model_version
    wanted: list[str | None] = [named] if isinstance(named, str) else [*(named or [*dates][:1])]
    for version in wanted:
        if version not in dates:
            known = ", ".join(f"{n!r}" for n in dates) or "none: the project has no predictions"
            raise NotFound(
                f"model_version must be one of the project's versions; got {version!r}.",
                hint=f"they are: {known}.",
            )
    if not rows:
        notices.append(
            Notice(
                "no_predictions",
                f"Project {source.project} has no predictions; import a model's output, or pick "
                "a selection that needs none.",
            )
        )
    others = [
        f"{r['model_version']} ({r['count']})" for r in rows if r["model_version"] not in wanted
    ]
    if others:
        why = "the newest" if named is None else "as configured"
        used = ", ".join(str(version) for version in wanted)
        verb = "was" if len(wanted) == 1 else "were"
        notices.append(
            Notice(
                "mixed_model_versions",
                f"The predictions are of {len(rows)} model versions; {used} {verb} used, {why}. "
                f"Left out: {', '.join(others)}.",
            )
        )
    return {version: dates[version] for version in wanted}


def read(client: Client, source: LabelStudioSource, context: Context) -> tuple[Pool, Tasks]:
    """The pool, and the tasks as a plan needs them.

    Raises:
        NotFound, AccessDenied, Unavailable, InvalidInput: see `LabelStudioAdapter.read`.
    """
    project = get_project(client, source.project)
    setup = find_setup(project, source.from_name)
    notices: list[Notice] = []
    if project.get("evaluate_predictions_automatically"):
        notices.append(
            Notice(
                "live_predictions",
                "The project asks its ML backend for predictions whenever tasks are listed; "
                "reading may be slow, and may add predictions.",
            )
        )
    dates = _choose_versions(client, source, notices)
    members = {version: Columns(setup) for version in dates}
    if not dates:
        tasks = read_tasks(client, source.project, context)
    elif (project.get("task_number") or 0) > MOST_IN_ONE_LIST:
        tasks = _read_paged(client, source.project, members, context)
    else:
        tasks = _read_joined(client, source.project, members, context)
    labels: dict[str, Any] = {}
    if source.labels is not None and any(tasks.labelled):
        truth = read_truth(client, source.project, setup, source.labels, context)
        notices += truth.notices
        if CONTROLS[setup.tag].unit == "items":
            labels["labels"] = truth.labels(tasks.ids)
            labels["votes"] = truth.votes(tasks.ids)
        else:
            labels["truth"] = truth.objects(tasks.ids)
        notices += _older_than(truth.newest, dates)
    columns = members or {None: Columns(setup)}
    pool = make_pool(columns, tasks.ids, tasks.item_ids, tasks.labelled, notices, **labels)
    return pool, tasks


def _older_than(newest: str, dates: Mapping[str | None, str]) -> list[Notice]:
    """Predictions that were made before people labelled more."""
    old = [str(version) for version, date in dates.items() if date and date < newest]
    message = (
        f"The predictions of {', '.join(old)} are older than the newest annotation; a model that "
        "was trained again would rank better."
    )
    return [Notice("old_predictions", message)] if old else []


def stored_predictions(client: Client, project: int, context: Context) -> Iterator[Prediction]:
    """All predictions of a project, in one list where the server can send that."""
    context.report("read predictions", 0, None)
    if (get_project(client, project).get("task_number") or 0) <= MOST_IN_ONE_LIST:
        try:
            body = client.get("api/predictions/", project=project)
        except TimedOut:
            pass
        else:
            yield from client.decode(body, list[Prediction])
            return
    for page in task_pages(
        client, project, _FIELDS, page_size=PAGE_SIZE_WITH_PREDICTIONS, context=context
    ):
        for task in page:
            for prediction in task.predictions:
                prediction.task = task.id
                yield prediction


def _read_joined(
    client: Client,
    project: int,
    members: Mapping[str | None, Columns],
    context: Context,
) -> Tasks:
    context.report("read predictions", 0, None)
    try:
        body = client.get("api/predictions/", project=project)
    except TimedOut:
        return _read_paged(client, project, members, context)
    newest: dict[tuple[str | None, int], Prediction] = {}
    for prediction in client.decode(body, list[Prediction]):
        columns = members.get(prediction.model_version)
        if columns is not None:
            columns.count(prediction.task)
            place = prediction.model_version, prediction.task
            known = newest.get(place)
            if known is None or known.id < prediction.id:
                newest[place] = prediction
    for done, prediction in enumerate(newest.values()):
        columns = members[prediction.model_version]
        columns.add(prediction.task, prediction.score, prediction.result)
        if done % 10_000 == 0:
            context.report("read predictions", done, len(newest))
    context.report("read predictions", len(newest), len(newest))
    del newest, body
    return read_tasks(client, project, context)


def _read_paged(
    client: Client,
    project: int,
    members: Mapping[str | None, Columns],
    context: Context,
) -> Tasks:
    """The slow way for very large projects: the predictions come with the pages of tasks."""
    tasks = Tasks()
    pages = task_pages(
        client, project, _FIELDS, page_size=PAGE_SIZE_WITH_PREDICTIONS, context=context
    )
    for page in pages:
        _take_page(page, members, tasks, context.key)
    tasks.check_keys(context.key)
    return tasks


def read_page(
    client: Client, project: int, members: Mapping[str | None, Columns], tasks: Tasks
) -> None:
    """The first tasks of a project with their predictions, to see what these are like."""
    pages = task_pages(client, project, _FIELDS, page_size=PAGE_SIZE_WITH_PREDICTIONS)
    for page in pages:
        _take_page(page, members, tasks, None)
        return


def _take_page(
    page: list[Task], members: Mapping[str | None, Columns], tasks: Tasks, key: str | None
) -> None:
    for task in page:
        tasks.add(task, key)
        for version, columns in members.items():
            own = [p for p in task.predictions if p.model_version == version]
            for _ in own:
                columns.count(task.id)
            if own:
                newest = max(own, key=lambda p: p.id)
                columns.add(task.id, newest.score, newest.result)
