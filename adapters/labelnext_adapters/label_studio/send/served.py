"""Whether Label Studio shows the images that it serves itself, tried as an annotator's browser.

Label Studio serves a file of its own disk only to people of a project that has a local storage for
the file's folder.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from labelnext.errors import LabelnextError, Unavailable
from labelnext_adapters.label_studio.server.client import Client

_STORAGES = "api/storages/localfiles/"


def is_shown(client: Client, address: str) -> bool:
    """Whether the server gives the image at an address of its own, such as /data/local-files/?d=a.

    Raises:
        Unavailable: if the server doesn't answer.
    """
    parts = urlsplit(address)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    try:
        return len(client.get(parts.path.lstrip("/"), **query)) > 0
    except Unavailable:
        raise
    except LabelnextError:
        return False


def make_storage(client: Client, project: int, folder: str, title: str) -> bool:
    """Make a local storage for a folder of the server; returns whether the server took it."""
    body = {"project": project, "title": title, "path": folder, "use_blob_urls": True}
    try:
        client.send("POST", _STORAGES, body, retry=False)
    except Unavailable:
        raise
    except LabelnextError:
        return False
    return True


def remove_storage(client: Client, project: int, title: str) -> None:
    """Delete the local storages of that title."""
    for row in client.get_json(_STORAGES, project=str(project)):
        if row.get("title") == title:
            client.send("DELETE", f"{_STORAGES}{row['id']}", None)


def see_to_images(client: Client, project: int, address: str, folder: str, title: str) -> str:
    """Have one image shown, by a storage where it takes one; returns what to say, empty if nothing.

    Args:
        client: the server.
        project: its number.
        address: of an image, on the server.
        folder: of all images, on this machine.
        title: of the storage.
    """
    if is_shown(client, address):
        return ""
    if make_storage(client, project, folder, title):
        if is_shown(client, address):
            return f"Made a local storage for {folder} in project {project}, which images need."
        remove_storage(client, project, title)
    return (
        f"Label Studio doesn't show {address}, so annotators would see no images. In project "
        f"{project}, open Settings > Cloud Storage > Add Source Storage > Local Files, enter the "
        f"absolute path of the images' folder on the server ({folder} if it is this machine), and "
        "save. The server must run with LOCAL_FILES_SERVING_ENABLED=true and "
        "LOCAL_FILES_DOCUMENT_ROOT set to a folder above it."
    )
