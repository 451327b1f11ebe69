"""What the operating system refuses, said as any other error of labelnext."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from labelnext.errors import AccessDenied, ConfigError, LabelnextError, NotFound
from labelnext.support.files import CURES, FULL, write_failed

_KINDS: dict[int, type[ConfigError]] = {
    errno.EACCES: AccessDenied,
    errno.EPERM: AccessDenied,
    errno.ENOENT: NotFound,
}


@contextmanager
def refusals_told() -> Iterator[None]:
    """Raise what the system refuses meanwhile as an error of labelnext; also a decorator.

    Raises:
        AccessDenied: if a permission is missing.
        NotFound: if a file or folder is.
        WriteFailed: if the disk is full.
        ConfigError: for anything else, such as a name that is too long.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, LabelnextError):
            raise
        raise refusal(error) from error


def refusal(error: OSError) -> LabelnextError:
    """The error for what the system refused; the traceback goes to the log.

    Example:
        >>> print(refusal(PermissionError(13, "Permission denied", "private/p.csv")))
        'private/p.csv' can't be used: Permission denied.
    """
    logging.getLogger("labelnext").debug("the system refused", exc_info=error)
    path, number = error.filename2 or error.filename, error.errno or 0
    if number in FULL:
        return write_failed(path, error)
    what = f"{str(path)[:200]!r} can't be used" if path else "the system refused"
    why = " ".join((error.strerror or str(error)).split())
    hint = CURES[number] if number in (errno.ENAMETOOLONG, errno.ELOOP) else None
    return _KINDS.get(number, ConfigError)(f"{what}: {why}.", hint=hint)
