"""What the report shows of tasks: an image that the server stores, a text, and a link."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from labelnext.adapter.preview import Preview, written_image
from labelnext.adapter.protocol import Context
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.pages import pages_of
from labelnext_adapters.label_studio.server.project import get_project
from labelnext_adapters.label_studio_format.media import shown_keys

SECONDS = 10.0  # to wait for one image

_MARKUP = re.compile(r"<(?:script|style).*?</(?:script|style)>|<[^>]*>", re.S | re.I)


def task_url(client: Client, project: int, task: int, tab: int | None) -> str:
    """The address of a task, in a tab if there is one."""
    within = "" if tab is None else f"tab={tab}&"
    return f"{client.url}/projects/{project}/data?{within}task={task}"


def previews_of(
    client: Client, project: int, tasks: Mapping[int, str], tab: int | None
) -> dict[str, Preview]:
    """What can be shown of these tasks, by their items.

    Args:
        client: the server.
        project: its number.
        tasks: the item of each task, by its id.
        tab: number of the tab that links lead to; None for the project's own page.
    """
    image, text = shown_keys(str(get_project(client, project).get("label_config") or ""))
    shown: dict[str, Preview] = {}
    if image is None and text is None:
        return {i: Preview(task_url(client, project, t, tab)) for t, i in tasks.items()}
    for page in pages_of(client, project, "id,data", list(tasks), Context(), "read previews"):
        for task in page:
            link = task_url(client, project, task.id, tab)
            words = None if text is None else _text(task.data.get(text))
            picture = None if image is None else task.data.get(image)
            reader = _reader(client, picture)
            upload = None if reader is None else _upload(client, picture)
            elsewhere = None if reader is not None else _elsewhere(picture)
            shown[tasks[task.id]] = Preview(link, words, reader, fixed=upload, address=elsewhere)
    return shown


def _decoded(raw: msgspec.Raw | None) -> Any:
    return None if raw is None else msgspec.json.decode(raw)


def _text(raw: msgspec.Raw | None) -> str | None:
    value = _decoded(raw)
    if isinstance(value, list):  # of a dialogue: who says what
        said = [row.get("text") for row in value if isinstance(row, dict)]
        value = " ".join(text for text in said if isinstance(text, str))
    return _MARKUP.sub(" ", value) if isinstance(value, str) and value.strip() else None


def _reader(client: Client, raw: msgspec.Raw | None) -> Callable[[], bytes] | None:
    """How to read an image that lies on the server or is written out in the task.

    None for one elsewhere: nobody else gets our token.
    """
    value = _decoded(raw)
    if not isinstance(value, str):
        return None
    if (written := written_image(value)) is not None:
        return written
    path = value.removeprefix(client.url)
    parts = urlsplit(path)
    if not path.startswith("/data/") or ".." in parts.path.split("/"):
        return None
    return partial(client.download, parts.path[1:], SECONDS, dict(parse_qsl(parts.query)))


def _elsewhere(raw: msgspec.Raw | None) -> str | None:
    """The address of an image that isn't on the server."""
    value = _decoded(raw)
    return value if isinstance(value, str) and "://" in value else None


def _upload(client: Client, raw: msgspec.Raw | None) -> str | None:
    """The address of an uploaded file, which has a name of its own; None for other files."""
    path = str(_decoded(raw)).removeprefix(client.url)
    return f"{client.url}{path}" if path.startswith("/data/upload/") else None
