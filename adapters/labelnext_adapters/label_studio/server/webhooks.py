"""Webhooks: requests that the server sends when somebody labels, or adds and deletes tasks."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from labelnext.errors import AccessDenied
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.shapes import Webhook

_PATH = "api/webhooks/"
_PRIVATE = "reserved network address"  # what Label Studio says of one that it doesn't call
_ACTIONS = (
    "ANNOTATION_CREATED",
    "ANNOTATIONS_CREATED",
    "ANNOTATION_UPDATED",
    "ANNOTATIONS_DELETED",
    "TASKS_CREATED",
    "TASKS_DELETED",
)


def add_webhook(client: Client, project: int, address: str, headers: Mapping[str, str]) -> None:
    """Let the server send a request without any data to an address, whenever labels change.

    Raises:
        AccessDenied: if the server sends none to that address, or the token may not ask for it.
    """
    body = {
        "project": project,
        "url": address,
        "headers": dict(headers),
        "send_payload": False,
        "send_for_all_actions": False,
        "actions": list(_ACTIONS),
    }
    try:
        client.send("POST", _PATH, body, retry=False)
    except AccessDenied as error:
        if _PRIVATE not in error.message:
            raise
        raise AccessDenied(
            f"Label Studio at {client.url} sends no webhooks to a private address, which "
            f"{urlsplit(address).netloc} is.",
            hint="start it with SSRF_PROTECTION_ENABLED=false, or name another address of this "
            "machine in watch.callback.",
        ) from error


def remove_webhook(client: Client, address: str) -> None:
    """Remove the webhooks with exactly this address, of whichever project."""
    for row in client.get_list(_PATH, Webhook):
        if row["url"] == address:
            client.send("DELETE", f"{_PATH}{row['id']}/", None)
