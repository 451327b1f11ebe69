"""Files written beside their target and then renamed onto it."""

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
    """Let `write` fill a temporary file, then put it in the place of `path`.

    Args:
        path: of the file; its folder is made if missing.
        write: is given the file.
        private: only this user may read the file, and the folder if it is made.

    Raises:
        ConfigError: if the folder cannot be written.
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
                if not private:  # as temporary files are
                    os.chmod(file.name, 0o666 & ~_umask())
                os.replace(file.name, path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise ConfigError(
            f"{str(path)!r} must be a file that can be written; {error.strerror or error}."
        ) from error


def check_writable(path: Path) -> None:
    """Fail early, before anything is written elsewhere.

    Raises:
        ConfigError: if the path is a folder, or its folder cannot be written.
    """
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"{str(path)!r} must be a file that can be written; it is not.")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
