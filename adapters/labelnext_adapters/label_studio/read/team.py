"""Who labelled and skipped what in a project, and what is left in each person's tab."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from labelnext.adapter.protocol import Context
from labelnext.adapter.team import Act
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.filters import has
from labelnext_adapters.label_studio.server.pages import task_pages
from labelnext_adapters.label_studio.server.people import list_members, person_name
from labelnext_adapters.label_studio_format.annotations import Annotation
from labelnext_adapters.label_studio_format.moments import moment

_FIELDS = "id,annotations,completed_by,was_cancelled,created_at,result"
_PAGE = 500


def acts_of(client: Client, project: int, context: Context) -> tuple[Act, ...]:
    """Every submitted annotation and every skip of a project.

    Args:
        client: the server.
        project: its number.
        context: for progress.
    """
    members = list_members(client)
    seen: dict[int, Act] = {}
    for task, annotation in _annotations(client, project, context):
        when = moment(annotation.created_at)
        seen[annotation.id] = Act(
            person_name(annotation.person, members) or "unknown",
            str(task),
            when if when > 0 else None,
            annotation.was_cancelled,
            None if annotation.was_cancelled else _said(annotation.result),
        )
    return tuple(seen.values())


def _annotations(
    client: Client, project: int, context: Context
) -> Iterator[tuple[int, Annotation]]:
    for column in ("total_annotations", "cancelled_annotations"):
        for page in task_pages(
            client,
            project,
            _FIELDS,
            page_size=_PAGE,
            filters=(has(column),),
            context=context,
            stage="read work",
        ):
            for task in page:
                for annotation in task.annotations:
                    yield task.id, annotation


def _said(raw: msgspec.Raw) -> str | None:
    """The choices of an annotation, as one text; None where parts of an item were labelled.

    Example:
        >>> _said(msgspec.Raw(b'[{"from_name": "k", "value": {"choices": ["b", "a"]}}]'))
        'k: a, b'
    """
    try:
        regions: Any = msgspec.json.decode(raw)
        chosen = sorted(
            f"{region['from_name']}: {', '.join(sorted(region['value']['choices']))}"
            for region in regions
        )
    except (msgspec.DecodeError, LookupError, TypeError):
        return None
    return "; ".join(chosen) or None
