"""The files in a folder."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from pathlib import Path

from labelnext.errors import Unavailable


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden, or what archives of macOS hold beside the files.

    Example:
        >>> is_hidden("._a.txt"), is_hidden("__MACOSX"), is_hidden("a.txt")
        (True, True, False)
    """
    return name.startswith(".") or name == "__MACOSX"


def files_below(
    folder: Path, *, deep: bool = True, links: list[str] | None = None
) -> Iterator[str]:
    """The files in a folder, relative to it, as in POSIX paths; in no order. No pipes or devices.

    Hidden ones, and what archives of macOS hold beside the files, don't count. Links to folders
    aren't followed, as they may go round in a circle.

    Args:
        folder: where they are.
        deep: also those in folders inside.
        links: to which links to folders, and links to nothing, are added.

    Raises:
        Unavailable: if a folder can't be listed.
    """
    pending = [""]
    while pending:
        inner = pending.pop()
        try:
            listed = os.scandir(folder / inner)
        except OSError as error:
            raise _unlisted(error) from error
        with listed as entries:
            for entry in entries:
                if is_hidden(entry.name):
                    continue
                if entry.is_symlink():
                    if os.path.isfile(entry):  # which a link in a circle isn't
                        yield inner + entry.name
                    elif links is not None:
                        links.append(inner + entry.name)
                elif entry.is_file():
                    yield inner + entry.name
                elif deep and entry.is_dir():
                    pending.append(f"{inner}{entry.name}/")


def nearest(path: Path, pattern: str) -> Path | None:
    """The file beside a missing one that is likely meant: one with a similar name, or the only one.

    Args:
        path: the file that is missing.
        pattern: a glob of what may be meant.
    """
    others = {other.stem: other for other in path.parent.glob(pattern)}
    near = difflib.get_close_matches(path.stem, others, 1)
    return others[near[0]] if near else (others.popitem()[1] if len(others) == 1 else None)


def _unlisted(error: OSError) -> Unavailable:
    reason = f"{error.strerror or error}"
    return Unavailable(
        f"can't list the folder {error.filename!r}: {reason:.300}.",
        hint="allow yourself to read it, or name the files with a glob that leaves it out.",
    )
