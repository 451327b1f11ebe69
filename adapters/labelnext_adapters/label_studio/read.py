"""Reading a project: slim pages of tasks, joined with its predictions, straight to columns.

Two requests' worth of work instead of one heavy listing: on 5,000 tasks the full listing takes
30 s, the slim pages and the list of predictions together 5 s.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from labelnext.adapter import Context
from labelnext.errors import InvalidInput, NotFound, listed
from labelnext.pool import Notice, Pool
from labelnext_adapters.label_studio import LabelStudioSource
from labelnext_adapters.label_studio.client import Client, NoSuchPath, TimedOut
from labelnext_adapters.label_studio.columns import Columns
from labelnext_adapters.label_studio.regions import CONTROLS, Setup

PRIORITY = "labelnext_priority"
PAGE_SIZE = 1000
PAGE_SIZE_WITH_PREDICTIONS = 200
_FIELDS = "id,data,total_annotations,predictions"

# The list of predictions is one body, which servers fail to send for very large projects.
MOST_IN_ONE_LIST = 50_000


class Prediction(msgspec.Struct):
    """A stored prediction; `result` is decoded only if the prediction is used."""

    id: int
    task: int = 0
    model_version: str | None = None
    score: float | None = None
    result: msgspec.Raw = msgspec.Raw(b"[]")


class _Task(msgspec.Struct):
    id: int
    data: dict[str, msgspec.Raw] = {}
    total_annotations: int | None = 0
    predictions: list[Prediction] = []


class _Page(msgspec.Struct):
    tasks: list[_Task]
    total: int


@dataclass
class Tasks:
    """The tasks of a project, as columns, by task id.

    Attributes:
        ids: the platform's ids, rising.
        item_ids: what the pool calls them; empty where the key is missing.
        labelled: with at least one annotation that was not cancelled.
        priorities: what an earlier run wrote; no entry where there is none.
    """

    ids: list[int] = field(default_factory=list)
    item_ids: list[str] = field(default_factory=list)
    labelled: list[bool] = field(default_factory=list)
    priorities: dict[int, Any] = field(default_factory=dict)

    def add(self, task: _Task, key: str | None) -> None:
        """Take what is needed of a task; its data is let go."""
        self.ids.append(task.id)
        self.item_ids.append(str(task.id) if key is None else _key_value(task.data.get(key)))
        self.labelled.append(bool(task.total_annotations))
        if PRIORITY in task.data:
            self.priorities[task.id] = msgspec.json.decode(task.data[PRIORITY])

    def check_keys(self, key: str | None) -> None:
        """Raise InvalidInput unless each task has its own value of the key."""
        if key is None:
            return
        without = [t for t, i in zip(self.ids, self.item_ids, strict=True) if not i]
        if without:
            raise InvalidInput(
                f"source.key must name a text or number in the data of every task; got {key!r}, "
                f"which {len(without)} tasks do not have: {listed(without)}.",
                hint="leave source.key out to use Label Studio's own task ids.",
            )
        first: dict[str, int] = {}
        twice = [
            f"{i!r} (tasks {first[i]} and {t})"
            for t, i in zip(self.ids, self.item_ids, strict=True)
            if first.setdefault(i, t) != t
        ]
        if twice:
            raise InvalidInput(
                f"source.key must tell all tasks apart; got {key!r}, whose values repeat "
                f"{len(twice)} times: {listed(twice)}.",
                hint="leave source.key out to use Label Studio's own task ids.",
            )


def _key_value(raw: msgspec.Raw | None) -> str:
    value = None if raw is None else msgspec.json.decode(raw)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def task_pages(
    client: Client,
    project: int,
    fields: str,
    *,
    page_size: int = PAGE_SIZE,
    filters: tuple[dict[str, Any], ...] = (),
    context: Context | None = None,
    stage: str = "read tasks",
) -> Iterator[list[_Task]]:
    """The tasks of a project by rising id, a page at a time.

    A page is asked for by the last id, not by its number: tasks that are deleted meanwhile
    shift no others out of sight.
    """
    last, seen, everything = 0, 0, None
    while True:
        after = {"filter": "filter:tasks:id", "operator": "greater", "type": "Number"}
        items = [*filters, {**after, "value": last}]
        query = {"filters": {"conjunction": "and", "items": items}, "ordering": ["tasks:id"]}
        body = client.get(
            "api/tasks",
            project=project,
            # `include` alone leaves predictions out; `fields` alone sends everything
            fields="all" if "predictions" in fields else "task_only",
            include=fields,
            resolve_uri="false",
            page_size=page_size,
            query=json.dumps(query),
        )
        page = client.decode(body, _Page)
        everything = everything or page.total
        seen += len(page.tasks)
        if context is not None:
            context.report(stage, seen, everything)
        if page.tasks:
            yield page.tasks
            last = page.tasks[-1].id
        if len(page.tasks) >= page.total or not page.tasks:
            return


def read_tasks(client: Client, project: int, context: Context) -> Tasks:
    """The tasks without their predictions."""
    tasks = Tasks()
    for page in task_pages(client, project, "id,data,total_annotations", context=context):
        for task in page:
            tasks.add(task, context.key)
    tasks.check_keys(context.key)
    return tasks


def get_project(client: Client, project: int) -> dict[str, Any]:
    """The project's settings.

    Raises:
        NotFound: if there is none of that number.
    """
    try:
        found: dict[str, Any] = client.get_json(f"api/projects/{project}/")
    except NoSuchPath:
        raise
    except NotFound as error:
        raise NotFound(
            f"project must be the number of a project on {client.url}; got {project!r}.",
            hint="it is in the address of the project's page: /projects/<number>/data.",
        ) from error
    if not isinstance(found, dict) or "parsed_label_config" not in found:
        raise NotFound(f"url must be of a Label Studio server; {client.url!r} is of another.")
    return found


def find_setup(project: dict[str, Any], from_name: str | None) -> Setup:
    """The control tag to read predictions of.

    Raises:
        NotFound: if there is none that can be read, or not the named one.
        InvalidInput: if there are several and none is named, or its labels cannot be known.
    """
    tags: dict[str, Any] = project["parsed_label_config"] or {}
    able = {name: tag for name, tag in tags.items() if tag.get("type") in CONTROLS}
    named = ", ".join(f"{name} ({tag.get('type')})" for name, tag in tags.items()) or "none"
    hint = f"the labelling setup has: {named}."
    if from_name is not None and from_name not in able:
        raise NotFound(
            f"from_name must be a control tag of type {' or '.join(CONTROLS)}; got {from_name!r}.",
            hint=hint,
        )
    if not able:
        raise NotFound(
            f"the labelling setup must have a control tag of type {' or '.join(CONTROLS)}.",
            hint=hint,
        )
    if from_name is None and len(able) > 1:
        raise InvalidInput(
            f"from_name must name one control tag when there are several: {', '.join(able)}; "
            "got None.",
            hint=hint,
        )
    name = from_name or next(iter(able))
    tag = able[name]
    if tag.get("dynamic_labels") or not tag.get("labels"):
        raise InvalidInput(
            f"control tag {name!r} must list its labels in the labelling setup; it has none.",
            hint="labels that come from the data of each task cannot be read yet.",
        )
    classes = {label: i for i, label in enumerate(tag["labels"])}
    return Setup(name, tag["type"], classes, _is_multiple(project, name))


def _is_multiple(project: dict[str, Any], from_name: str) -> bool:
    """Whether several choices can be chosen; the parsed setup does not say."""
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(str(project.get("label_config") or ""))
    except ElementTree.ParseError:
        return False
    return any(
        tag.get("name") == from_name and tag.get("choice") == "multiple" for tag in root.iter()
    )


def find_versions(client: Client, project: int) -> list[dict[str, Any]]:
    """The model versions of the project's predictions, newest first, with `count`."""
    body = client.get_json(f"api/projects/{project}/model-versions/", extended="true")
    rows: list[dict[str, Any]] = body["static"]
    rows.sort(key=lambda row: (row["latest"] or "", row["model_version"] or ""), reverse=True)
    return rows


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
    page: list[_Task], version: str | None, tasks: Tasks, columns: Columns, key: str | None
) -> None:
    for task in page:
        tasks.add(task, key)
        own = [p for p in task.predictions if p.model_version == version]
        for _ in own:
            columns.count(task.id)
        if own:
            newest = max(own, key=lambda p: p.id)
            columns.add(task.id, newest.score, newest.result)
