"""Operating system locks: only one run at a time per state folder."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from labelnext.errors import Busy
from labelnext.journal.file import sweep_state
from labelnext.journal.state import no_state
from labelnext.support.files import lock


@contextmanager
def only_run(directory: Path) -> Iterator[None]:
    """Lock the state folder for one run; a concurrent second run is refused.

    Raises:
        ConfigError: if the folder isn't writable; Busy if another run holds the lock.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(_opened(directory / "lock"))
    except OSError as error:
        raise no_state(directory, error) from error
    refusal = f"another run is in progress in {str(directory)!r}: process"
    hint = "wait for it to finish, or give this configuration its own state folder."
    with hold(directory / "lock", str(os.getpid()), refusal, hint):
        sweep_state(directory)
        yield


def is_at_work(directory: Path) -> bool:
    """Whether a run holds the lock of a state folder now."""
    try:
        with (directory / "lock").open("rb+") as file:
            lock(file.fileno())
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def hold(
    path: Path,
    name: str,
    refusal: str,
    hint: str = "wait for it to finish, then start this again.",
    *,
    leave: bool = True,
) -> Iterator[None]:
    """Hold a file lock, which the operating system releases when the process ends.

    Args:
        path: path of the lock file; if this user may not write it, nothing is locked.
        name: name of this holder, for the error that a second one gets.
        refusal: start of that error's message.
        hint: that error's hint.
        leave: whether the file stays at the end, for the next holder.

    Raises:
        Busy: if another process holds the lock.
    """
    try:
        file = os.fdopen(_opened(path), "r+b", buffering=0)
    except OSError:
        yield
        return
    with file:
        try:
            lock(file.fileno())
            if not os.fstat(file.fileno()).st_nlink:  # its holder is just removing it
                raise BlockingIOError
        except BlockingIOError as error:
            holder = file.read(100).decode(errors="replace")
            raise Busy(f"{refusal} {holder or '?'}.", hint=hint) from error
        with suppress(OSError):  # the lock works even if a full disk can't hold the name
            file.truncate(0)
            file.write(name.encode())
        try:
            yield
        finally:
            if not leave:
                with suppress(OSError):  # Windows removes no open file
                    path.unlink()


def _opened(path: Path) -> int:
    """Open a lock file; never through a link, nor a pipe that nobody reads.

    Raises:
        OSError: if it is no regular file, or this user may not write it.
    """
    safe = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | safe, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "its lock isn't a regular file")
    return descriptor
