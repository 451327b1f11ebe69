"""A lock of the operating system: one run at a time in a state folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from labelnext.errors import ConfigError


@contextmanager
def only_run(directory: Path) -> Iterator[None]:
    """Hold the state folder for one run; a second one at the same time is refused.

    Raises:
        ConfigError: if the folder cannot be written, or another run holds it.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        (directory / "lock").open("a").close()
    except OSError as error:
        raise ConfigError(
            f"state must be a folder that can be written; got {str(directory)!r} ({error}).",
            hint="set state: to a folder of yours.",
        ) from error
    refusal = f"another run is under way in {str(directory)!r}: process"
    hint = "wait for it, or give this configuration a state: of its own."
    with hold(directory / "lock", str(os.getpid()), refusal, hint):
        yield


@contextmanager
def hold(path: Path, name: str, refusal: str, hint: str = "wait for it.") -> Iterator[None]:
    """Hold a file as a lock; it is the operating system's, so it ends with the process.

    Args:
        path: of the lock; a file that this user may not write is passed over.
        name: what the second one is told of the first.
        refusal: the beginning of that sentence.
        hint: what it can do.

    Raises:
        ConfigError: if somebody else holds it.
    """
    try:
        file = path.open("a+")
    except OSError:
        yield
        return
    with file:
        try:
            _lock(file.fileno())
        except OSError as error:
            file.seek(0)
            raise ConfigError(f"{refusal} {file.read() or '?'}.", hint=hint) from error
        with suppress(OSError):  # the lock counts, also where the disk has no room for the name
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), name.encode())
        yield


def _lock(descriptor: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # Windows only
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
