"""Reading a project: slim pages of tasks, joined with its predictions, straight to columns.

Two requests' worth of work instead of one heavy listing: on 5,000 tasks the full listing takes
30 s, the slim pages and the list of predictions together 5 s.
"""

from __future__ import annotations

from collections.abc import Iterator

from labelnext.adapter import Context
from labelnext.errors import NotFound
from labelnext.pool import Notice, Pool
from labelnext_adapters.label_studio import LabelStudioSource
from labelnext_adapters.label_studio.client import Client, TimedOut
from labelnext_adapters.label_studio.columns import Columns
from labelnext_adapters.label_studio.project import find_setup, find_versions, get_project
from labelnext_adapters.label_studio.tasks import Prediction, Task, Tasks, read_tasks, task_pages

PAGE_SIZE_WITH_PREDICTIONS = 200
_FIELDS = "id,data,total_annotations,predictions"

# The list of predictions is one body, which servers fail to send for very large projects.
MOST_IN_ONE_LIST = 50_000


def _choose_version(
    client: Client, source: LabelStudioSource, notices: list[Notice]
) -> tuple[bool, str | None]:
    """Whether there are predictions at all, and which version of them to read."""
    rows = find_versions(client, source.project)
    names = [row["model_version"] for row in rows]
    if source.model_version is not None and source.model_version not in names:
        known = ", ".join(f"{n!r}" for n in names) or "none: the project has no predictions"
        raise NotFound(
            f"model_version must be one of the project's versions; got {source.model_version!r}.",
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
        return False, None
    used = names[0] if source.model_version is None else source.model_version
    if len(rows) > 1:
        others = ", ".join(
            f"{r['model_version']} ({r['count']})" for r in rows if r["model_version"] != used
        )
        why = "the newest" if source.model_version is None else "as configured"
        notices.append(
            Notice(
                "mixed_model_versions",
                f"The predictions are of {len(rows)} model versions; {used} was used, {why}. "
                f"Left out: {others}.",
            )
        )
    return True, used


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
    some, version = _choose_version(client, source, notices)
    columns = Columns(setup)
    if not some:
        tasks = read_tasks(client, source.project, context)
    elif (project.get("task_number") or 0) > MOST_IN_ONE_LIST:
        tasks = _read_paged(client, source.project, version, columns, context)
    else:
        tasks = _read_joined(client, source.project, version, columns, context)
    return columns.pool(tasks.ids, tasks.item_ids, tasks.labelled, notices), tasks


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
    client: Client, project: int, version: str | None, columns: Columns, context: Context
) -> Tasks:
    context.report("read predictions", 0, None)
    try:
        body = client.get("api/predictions/", project=project)
    except TimedOut:
        return _read_paged(client, project, version, columns, context)
    newest: dict[int, Prediction] = {}
    for prediction in client.decode(body, list[Prediction]):
        if prediction.model_version == version:
            columns.count(prediction.task)
            known = newest.get(prediction.task)
            if known is None or known.id < prediction.id:
                newest[prediction.task] = prediction
    for done, prediction in enumerate(newest.values()):
        columns.add(prediction.task, prediction.score, prediction.result)
        if done % 10_000 == 0:
            context.report("read predictions", done, len(newest))
    context.report("read predictions", len(newest), len(newest))
    del newest, body
    return read_tasks(client, project, context)


def _read_paged(
    client: Client, project: int, version: str | None, columns: Columns, context: Context
) -> Tasks:
    """The slow way for very large projects: the predictions come with the pages of tasks."""
    tasks = Tasks()
    pages = task_pages(
        client, project, _FIELDS, page_size=PAGE_SIZE_WITH_PREDICTIONS, context=context
    )
    for page in pages:
        _take_page(page, version, tasks, columns, context.key)
    tasks.check_keys(context.key)
    return tasks


def read_page(
    client: Client, project: int, version: str | None, tasks: Tasks, columns: Columns
) -> None:
    """The first tasks of a project with their predictions, to see what these are like."""
    pages = task_pages(client, project, _FIELDS, page_size=PAGE_SIZE_WITH_PREDICTIONS)
    for page in pages:
        _take_page(page, version, tasks, columns, None)
        return


def _take_page(
    page: list[Task], version: str | None, tasks: Tasks, columns: Columns, key: str | None
) -> None:
    for task in page:
        tasks.add(task, key)
        own = [p for p in task.predictions if p.model_version == version]
        for _ in own:
            columns.count(task.id)
        if own:
            newest = max(own, key=lambda p: p.id)
            columns.add(task.id, newest.score, newest.result)
