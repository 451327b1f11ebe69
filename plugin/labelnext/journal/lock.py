"""Operating system locks: only one run at a time per state folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from labelnext.errors import ConfigError


@contextmanager
def only_run(directory: Path) -> Iterator[None]:
    """Lock the state folder for one run; a concurrent second run is refused.

    Raises:
        ConfigError: if the folder isn't writable, or another run holds the lock.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        (directory / "lock").open("a").close()
    except OSError as error:
        raise ConfigError(
            f"state must be a writable folder; got {str(directory)!r} ({error}).",
            hint="set state: to a folder that you can write to.",
        ) from error
    refusal = f"another run is in progress in {str(directory)!r}: process"
    hint = "wait for it to finish, or give this configuration its own state folder."
    with hold(directory / "lock", str(os.getpid()), refusal, hint):
        yield


@contextmanager
def hold(
    path: Path, name: str, refusal: str, hint: str = "wait for it to finish."
) -> Iterator[None]:
    """Hold a file lock, which the operating system releases when the process ends.

    Args:
        path: path of the lock file; if this user may not write it, nothing is locked.
        name: name of this holder, for the error that a second one gets.
        refusal: start of that error's message.
        hint: that error's hint.

    Raises:
        ConfigError: if another process holds the lock.
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
        with suppress(OSError):  # the lock works even if a full disk can't hold the name
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
