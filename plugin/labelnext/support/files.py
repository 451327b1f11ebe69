"""Write files atomically: to a temporary file that is then renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from labelnext.errors import ConfigError


def write_atomically(
    path: Path, write: Callable[[IO[bytes]], object], *, private: bool = False
) -> None:
    """Let `write` fill a temporary file, then rename it to `path`.

    Args:
        path: path of the file; its folder is created if missing.
        write: called with the open file.
        private: whether only this user may read the file, and the folder if it is created.

    Raises:
        ConfigError: if the folder isn't writable.
    """
    try:
        path.parent.mkdir(mode=0o700 if private else 0o777, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            try:
                write(file)
                file.flush()
                os.fsync(file.fileno())
                if not private:  # temporary files are private
                    os.chmod(file.name, 0o666 & ~_umask())
                os.replace(file.name, path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise ConfigError(f"{str(path)!r} can't be written: {error.strerror or error}.") from error


def check_writable(path: Path) -> None:
    """Check early that a file can be written, before anything is written elsewhere.

    Raises:
        ConfigError: if the path is a folder, or its folder isn't writable.
    """
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        why = "it is a folder" if path.is_dir() else f"{str(folder)!r} isn't a writable folder"
        raise ConfigError(f"{str(path)!r} can't be written: {why}.")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
