"""How a task gets its image: by an address that the server can show, or by an upload."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from labelnext.errors import InvalidInput, WriteFailed, listed
from labelnext.support.files import real_path
from labelnext.support.words import counted
from labelnext_adapters.label_studio.server.client import MOST_BYTES, Client
from labelnext_adapters.label_studio.server.shapes import Upload

_ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".webp", ".tif", ".tiff"),
    *(".svg", ".avif", ".heic", ".heif", ".ico", ".jp2", ".dcm"),
)
_BEGINNINGS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
MOST_FILES = 100  # Label Studio refuses more in one request


def addresses(media: Mapping[str, str], root: Path | None, prefix: str) -> dict[str, str]:
    """The address of each image that need not be uploaded.

    Args:
        media: path or address of each item.
        root: folder whose images the server shows by itself.
        prefix: what stands before the path below that folder.

    Raises:
        InvalidInput: if images are not in the folder.

    Example:
        >>> addresses({"a": "/images/one/a b.png"}, Path("/images"), "/data/local-files/?d=")
        {'a': '/data/local-files/?d=one/a%20b.png'}
    """
    remote = {item: path for item, path in media.items() if "://" in path}
    if root is None:
        return remote
    local = {item: path for item, path in media.items() if item not in remote}
    base = real_path(root)
    real = {item: real_path(path) for item, path in local.items()}
    outside = [local[item] for item, path in real.items() if not path.is_relative_to(base)]
    if outside:
        raise InvalidInput(
            f"images must be inside send.document_root, {str(root)!r}; "
            f"got {len(outside)} outside it: {listed(outside)}.",
            hint="leave out send.document_root to upload them.",
        )
    for item, path in local.items():
        named = Path(path)
        inside = named.is_relative_to(root) and ".." not in named.parts
        below = named.relative_to(root) if inside else real[item].relative_to(base)
        remote[item] = prefix + quote(below.as_posix())
    return remote


def check_files(paths: Sequence[str]) -> None:
    """Raise InvalidInput unless all are images that can be uploaded.

    A path that data name, or a link, might lead to any file of this machine. So what is no image by
    its own name must be one by its content.
    """
    missing = [path for path in paths if not Path(path).is_file()]
    if missing:
        raise InvalidInput(
            f"images to upload must be files on this machine; "
            f"got {len(missing)} that don't exist: {listed(missing)}."
        )
    others = [path for path in paths if not _is_image(os.path.realpath(path))]
    if others:
        raise InvalidInput(
            f"images to upload must be images; got {len(others)} other files: {listed(others)}.",
            hint="if they are images, end their names in .png, .jpg or another usual ending.",
        )
    large = [path for path in paths if Path(path).stat().st_size > MOST_BYTES]
    if large:
        raise InvalidInput(
            f"images to upload must be smaller than {MOST_BYTES:,} bytes; "
            f"got {len(large)} larger: {listed(large)}.",
            hint="have the server serve them: set send.document_root.",
        )


def _is_image(path: str) -> bool:
    if path.lower().endswith(_ENDINGS):
        return True
    try:
        with open(path, "rb") as file:
            return file.read(4).startswith(_BEGINNINGS)
    except OSError:
        return False


class Uploads:
    """The files that we uploaded to a project, by the items they belong to.

    Args:
        client: the server.
        project: its number.
    """

    def __init__(self, client: Client, project: int) -> None:
        self._client, self._project = client, project
        self._known: dict[str, tuple[int, str]] | None = None

    def put(self, media: Mapping[str, str]) -> dict[str, str]:
        """The addresses of these files, uploaded where they are not there yet.

        A file carries its item's digest as its name, so that one whose answer was lost is found.

        Args:
            media: path of each item's file, few enough for one request.
        """
        known = self._listed()
        missing = {i: path for i, path in media.items() if _digest(i) not in known}
        if missing:
            files = {_digest(i) + Path(path).suffix.lower(): path for i, path in missing.items()}
            self._client.upload(f"api/projects/{self._project}/import", files)
            self._known = None
            known = self._listed()
        lost = [i for i in media if _digest(i) not in known]
        if lost:
            raise WriteFailed(
                f"Label Studio has lost {counted(len(lost), 'uploaded image')}: {listed(lost)}."
            )
        return {i: f"/data/{known[_digest(i)][1]}" for i in media}

    def remove(self, item_ids: Sequence[str]) -> None:
        """Delete the files of these items."""
        known = self._listed()
        numbers = [known[_digest(i)][0] for i in item_ids if _digest(i) in known]
        if numbers:  # without a list the server would delete all files of the project
            path = f"api/projects/{self._project}/file-uploads"
            self._client.send("DELETE", path, {"file_upload_ids": numbers})
            self._known = None

    def _listed(self) -> dict[str, tuple[int, str]]:
        if self._known is None:
            path = f"api/projects/{self._project}/file-uploads"
            rows: list[dict[str, Any]] = self._client.get_list(path, Upload, all="true")
            self._known = {_name(row["file"]): (row["id"], row["file"]) for row in rows}
        return self._known


def parts(media: Mapping[str, str]) -> Iterator[list[str]]:
    """The items in groups whose files fit into one request."""
    group: list[str] = []
    size = 0
    for item, path in media.items():
        more = 0 if "://" in path else Path(path).stat().st_size if Path(path).is_file() else 0
        if group and (len(group) == MOST_FILES or size + more > MOST_BYTES):
            yield group
            group, size = [], 0
        group.append(item)
        size += more
    if group:
        yield group


def _digest(item: str) -> str:
    return f"labelnext{sha256(item.encode()).hexdigest()[:24]}"


def _name(file: str) -> str:
    """Our name in that of an upload: upload/7/1a2b3c4d-NAME.png."""
    return file.rpartition("/")[2].partition("-")[2].partition(".")[0]
