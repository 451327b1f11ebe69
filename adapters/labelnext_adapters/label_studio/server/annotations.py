"""Reading what people said: the annotations of the labelled tasks."""

from __future__ import annotations

from collections.abc import Iterator

from labelnext.adapter.protocol import Context
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.filters import has
from labelnext_adapters.label_studio.server.pages import task_pages
from labelnext_adapters.label_studio.server.tasks import Task
from labelnext_adapters.label_studio_format.annotations import Truth, Which
from labelnext_adapters.label_studio_format.regions import Setup

_PAGE_SIZE = 500
# The names count for the annotations inside the tasks as well.
TRUTH_FIELDS = (
    "annotations,result,was_cancelled,ground_truth,created_at,updated_at,completed_by,"
    "parent_prediction"
)
_FIELDS = f"id,{TRUTH_FIELDS}"
_LABELLED = has("total_annotations")


def read_truth(client: Client, project: int, setup: Setup, which: Which, context: Context) -> Truth:
    """The labels of the labelled tasks; one small request where there are none.

    Args:
        client: the server.
        project: its number.
        setup: the control tags that are read.
        which: the annotation that counts where a task has several.
        context: for progress.

    Raises:
        InvalidInput: if a majority is asked of objects.
    """
    truth = Truth(setup, which)
    for task in labelled_tasks(client, project, context, "read labels"):
        truth.take(task.id, task.annotations)
    return truth


def labelled_tasks(
    client: Client, project: int, context: Context, stage: str, *, data: bool = False
) -> Iterator[Task]:
    """The tasks of a project that have an annotation, with all their annotations.

    Args:
        client: the server.
        project: its number.
        context: for progress.
        stage: its name.
        data: also with their data.
    """
    pages = task_pages(
        client,
        project,
        f"{_FIELDS},data" if data else _FIELDS,
        page_size=_PAGE_SIZE,
        filters=(_LABELLED,),
        context=context,
        stage=stage,
    )
    for page in pages:
        yield from page


__all__ = ["TRUTH_FIELDS", "labelled_tasks", "read_truth"]
