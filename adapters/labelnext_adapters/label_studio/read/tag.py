"""Which control tag is read, where a labelling setup has several and none is named."""

from __future__ import annotations

from typing import Any

from labelnext_adapters.label_studio.options import LabelStudioSource
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.filters import has
from labelnext_adapters.label_studio.server.pages import task_pages
from labelnext_adapters.label_studio.server.project import get_project
from labelnext_adapters.label_studio_format.setup import only_predicted, readable_tags

LOOKED_AT = 100  # tasks with predictions, from the first


def with_tag(
    client: Client, source: LabelStudioSource, project: dict[str, Any] | None = None
) -> LabelStudioSource:
    """The source with the one of several control tags that predictions are of, if none is named.

    Args:
        client: the server.
        source: with the number of its project.
        project: its settings, if they are known.
    """
    if source.from_name is not None:
        return source
    project = get_project(client, source.number) if project is None else project
    if len(readable_tags(project)) < 2:
        return source
    only = (has("total_predictions"),)
    pages = task_pages(client, source.number, "id,predictions", page_size=LOOKED_AT, filters=only)
    results = [p.result for task in next(pages, []) for p in task.predictions]
    return source.model_copy(update={"from_name": only_predicted(project, results)})


__all__ = ["LOOKED_AT", "with_tag"]
