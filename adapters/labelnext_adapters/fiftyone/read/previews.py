"""What the report shows of samples: their image, and where the App opens them."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from labelnext.adapter.preview import Preview
from labelnext_adapters.fiftyone.database.connection import talking
from labelnext_adapters.fiftyone.database.values import as_id, fetch

_WAIT = 0.2  # seconds for the App to answer


def previews_of(collection: Any, item_ids: Sequence[str], key: str | None) -> dict[str, Preview]:
    """What can be shown of these samples, by their items.

    Args:
        collection: a dataset or view.
        item_ids: of the items.
        key: the field that holds them; None for the samples' own ids.
    """
    app = app_address()
    name = quote(collection._root_dataset.name, safe="")
    pictured = collection.media_type == "image"
    with talking():
        # Values of a key may be numbers, which the item's text doesn't tell.
        view = collection if key else collection.select(list(item_ids))
        columns = fetch(view, ["id", key or "id", *(["filepath"] if pictured else [])])
    ids = columns["id"]
    wanted, shown = set(item_ids), {}
    for item, sample, path in zip(
        columns[key or "id"], ids, columns.get("filepath", [None] * len(ids)), strict=True
    ):
        if as_id(item) not in wanted:
            continue
        link = None if app is None else f"{app}/datasets/{name}?id={sample}"
        elsewhere = path if isinstance(path, str) and "://" in path else None
        image = partial(_bytes, path) if isinstance(path, str) and elsewhere is None else None
        shown[as_id(item)] = Preview(link, None, image, address=elsewhere)
    return shown


def item_of(collection: Any, own_id: str, key: str | None) -> str | None:
    """The item of the one sample that is meant; None if it is none or several.

    Args:
        collection: a dataset or view.
        own_id: the sample's id, its address in the App, its path, or the end of it, such as the
            file's name.
        key: as in `previews_of`.
    """
    sample = parse_qs(urlsplit(own_id).query).get("id", [own_id])[0]
    with talking():
        columns = fetch(collection, ["id", "filepath", key or "id"])
    found = [
        as_id(item)
        for known, path, item in zip(
            columns["id"], columns["filepath"], columns[key or "id"], strict=True
        )
        if known == sample or path == own_id or path.endswith(f"/{own_id}")
    ]
    return found[0] if len(found) == 1 else None


def app_address() -> str | None:
    """The address of the App, if one runs where the configuration of FiftyOne says."""
    import fiftyone as fo

    host, port = fo.config.default_app_address or "localhost", fo.config.default_app_port
    try:
        with socket.create_connection((host, port), _WAIT):
            return f"http://{host}:{port}"
    except (OSError, OverflowError, TypeError):
        return None


def _bytes(path: str) -> bytes:
    return Path(path).read_bytes()
