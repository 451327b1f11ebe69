"""Write files whole: through links, with their modes kept, and never in place of a device."""

from __future__ import annotations

import errno
import fnmatch
import os
import secrets
import shutil
import stat
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from labelnext.errors import ConfigError, WriteFailed

#: Endings of a page's name.
PAGE_ENDINGS = (".html", ".htm")
_PAGE_START = 1 << 16  # bytes that hold a page's title, behind its style sheet
_PARTIAL = ".labelnext-{}.partial"
_STANDARD = {
    f"/dev/{name}": n for n, name in ((1, "stdout"), (2, "stderr"), (1, "fd/1"), (2, "fd/2"))
}
FULL = {
    errno.ENOSPC: "free some disk space, then try again.",
    errno.EDQUOT: "free some disk space, then try again.",
    errno.EFBIG: "allow larger files (ulimit -f), then try again.",
}
CURES = {
    **FULL,
    errno.EACCES: "make the folder writable, or name another one.",
    errno.EPERM: "make the file and its folder writable, or name another one.",
    errno.EROFS: "name a folder on a disk that can be written.",
    errno.EISDIR: "name a file; this is a folder.",
    errno.ENXIO: "name a regular file, or start what reads from this one first.",
    errno.ENAMETOOLONG: "choose a shorter name.",
    errno.ELOOP: "name a file; this is a link that leads back to itself.",
}


def write_atomically(
    path: Path,
    write: Callable[[IO[bytes]], object],
    *,
    private: bool = False,
    lasting: bool = True,
    ready: Callable[[Path], object] | None = None,
) -> None:
    """Let `write` fill a temporary file, then rename it to `path`.

    If `path` is a link, its target is written. An existing file keeps its mode, owner, ACL and
    other attributes. Devices and pipes are written to and never replaced.

    Args:
        path: path of the file; its folder is created if missing.
        write: called with the open file.
        private: whether only this user may read the file, and the folder if it is created.
        lasting: whether to wait until the file outlasts a loss of power, after which what was
            there before may be there again, but never a part of the file.
        ready: called with the temporary file when it is complete, before it is renamed.

    Raises:
        WriteFailed: if the disk is full, or the path can't be written.
    """
    try:
        if _is_device(path):
            with open(path, "wb", opener=_existing) as device:
                write(device)
            return
        target = _target(path)
        target.parent.mkdir(mode=0o700 if private else 0o777, parents=True, exist_ok=True)
        with temporary_file(target.parent) as (partial, file):
            write(file)
            file.flush()
            _imitate(target, partial, private)
            os.fsync(file.fileno())
            if ready is not None:
                ready(partial)
            os.replace(partial, target)
        if lasting:
            sync_directory(target.parent)
    except OSError as error:
        raise write_failed(path, error) from error


def write_failed(path: Path | str | None, error: OSError) -> WriteFailed:
    """The error for a file that could not be written, with what to do about it.

    The system names no path where the standard output is what it refused.
    """
    why = " ".join((error.strerror or str(error)).split())
    hint = CURES.get(error.errno or 0)
    what = f"{str(path)!r}" if path else "the output"
    return WriteFailed(f"{what} can't be written: {why}.", hint=hint)


@contextmanager
def temporary_file(folder: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """A new file for this user alone, gone at the end unless it was renamed.

    It stays locked while it is open, so that `sweep` can tell it from one of a dead process.
    """
    while True:
        partial = folder / _PARTIAL.format(secrets.token_hex(8))
        file = open(partial, "xb", opener=private_file)  # noqa: SIM115  # closed below
        with suppress(BlockingIOError):
            lock(file.fileno())
            if os.fstat(file.fileno()).st_nlink:
                break
        file.close()  # swept before it was locked
    try:
        with file:
            yield partial, file
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def sweep(folder: Path) -> None:
    """Remove the temporary files that dead processes left in a folder."""
    with suppress(OSError):
        for partial in folder.glob(_PARTIAL.format("*")):
            with suppress(OSError), open(partial, "rb+") as file:
                if lock(file.fileno()):  # else a living process is writing it
                    partial.unlink()


def check_writable(path: Path) -> None:
    """Check early that a file can be written, before anything is written elsewhere.

    Raises:
        ConfigError: if the path is a folder or a socket, or its folder isn't writable.
    """
    if _is_device(path):
        if not os.access(path, os.W_OK) or stat.S_ISSOCK(path.stat().st_mode):
            raise ConfigError(
                f"{str(path)!r} can't be written: it is no regular file.",
                hint="name a regular file.",
            )
        return
    try:
        target = _target(path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"{str(path)!r} can't be written: {why}.") from error
    folder = target.parent
    while not os.path.lexists(folder):
        folder = folder.parent
    if target.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        if target.is_dir():
            raise ConfigError(f"{str(path)!r} can't be written: it is a folder.")
        raise ConfigError(
            f"{str(path)!r} can't be written: {str(folder)!r} isn't a writable folder.",
            hint="make it writable, or name a file in another folder.",
        )


def check_regular(path: Path) -> None:
    """Check that a file can be replaced and put back: no device, pipe or socket.

    Raises:
        ConfigError: if it is one, or as `check_writable`.
    """
    check_writable(path)
    if _is_device(path):
        raise ConfigError(
            f"{str(path)!r} must be a regular file; it is a device or pipe.",
            hint="name another file: undo can't put back what a device held.",
        )


def check_page(path: Path) -> None:
    """Check that a page may be written: nothing is there, or an earlier page of ours.

    Raises:
        ConfigError: if something else is there, its name isn't that of a page, or as
            `check_writable`.
    """
    check_writable(path)
    if _is_device(path):
        return
    if path.suffix.lower() not in PAGE_ENDINGS:
        printed = " and print it as a PDF from a browser" if path.suffix.lower() == ".pdf" else ""
        raise ConfigError(
            f"a page must be a file that ends in .html; got {str(path)!r}.",
            hint=f"name it {str(path.with_suffix('.html'))!r}{printed}.",
        )
    if not path.exists():
        return
    with path.open("rb") as file:
        start = file.read(_PAGE_START)
    if start and b"<title>labelnext" not in start:
        raise ConfigError(
            f"{str(path)!r} must be a page of labelnext's, or not exist; it is another file.",
            hint="name another file: a page is replaced, and undo doesn't put it back.",
        )


def check_outputs(outputs: Mapping[str, Path], inputs: Mapping[str, Path]) -> None:
    """Check that nothing that is written is also read, or written twice.

    Files are told apart by identity, whatever they are called: links, hard links, `..`, case.

    Args:
        outputs: files by what asks for them, such as write.output.
        inputs: files by what names them, such as source.path.

    Raises:
        ConfigError: if two of them are one file.
    """
    seen: dict[str, str] = {}
    for key, path in outputs.items():
        for name, read in inputs.items():
            if same_file(path, read):
                raise ConfigError(
                    f"{key} must differ from {name}; both are {str(path)!r}.",
                    hint=f"name another file: labelnext reads {str(read)!r}.",
                )
        # Some disks fold case, and some the two spellings of accents.
        real = unicodedata.normalize("NFC", os.path.realpath(path)).casefold()
        other = seen.setdefault(real, key)
        if other != key and not _is_device(path):
            raise ConfigError(
                f"{key} must differ from {other}; both are {str(path)!r}.",
                hint="name another file for one of them.",
            )


def real_path(path: Path | str) -> Path:
    """The absolute path with all links and ``..`` followed; a loop of links is no error here."""
    return Path(os.path.realpath(path))


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths name one file, by identity where it exists.

    Example:
        >>> same_file(Path("a/../b"), Path("b")), same_file(Path("a"), Path("b"))
        (True, False)
    """
    try:
        return os.path.samefile(one, other) and not _is_device(one)
    except (OSError, ValueError):
        return os.path.realpath(one) == os.path.realpath(other)


def matches(path: str, pattern: str) -> bool:
    """Whether a path matches a glob: `*` stays within a folder, `**` goes through any number.

    Example:
        >>> matches("a/b.pq", "a/*.pq"), matches("a/b/c.pq", "a/*.pq"), matches("a/b.pq", "a/**/*")
        (True, False, True)
    """
    return _match(path.split("/"), pattern.split("/"))


def _match(names: Sequence[str], patterns: Sequence[str]) -> bool:
    if not patterns:
        return not names
    first, *rest = patterns
    if first == "**":
        return any(_match(names[at:], rest or ["*"]) for at in range(len(names)))
    return bool(names) and fnmatch.fnmatchcase(names[0], first) and _match(names[1:], rest)


def read_regular(path: Path) -> bytes:
    """Content of a file; a pipe in its place would never end.

    Raises:
        OSError: if it can't be read, or isn't a regular file.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it isn't a regular file")
    return path.read_bytes()


def private_file(path: str, flags: int) -> int:
    """Opener for a file that only this user may read, since it holds item data."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)


def sync_directory(directory: Path) -> None:
    """Sync the entries of a folder to disk, where the file system can."""
    if os.name == "posix":
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            with suppress(OSError):  # some file systems can't
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


def lock(descriptor: int) -> bool:
    """Lock an open file, until it is closed or the process ends.

    Returns:
        Whether it is locked; False where the file system has no locks.

    Raises:
        BlockingIOError: if another process holds the lock.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # Windows only
        except OSError as error:
            raise BlockingIOError(*error.args) from error
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        return False
    return True


def _target(path: Path) -> Path:
    """The file that a path leads to.

    Raises:
        OSError: if it is a link into a folder that is missing, or that leads back to itself.
    """
    target = real_path(path)
    if path.is_symlink() and not target.parent.exists():
        raise FileNotFoundError(errno.ENOENT, f"it is a link to {str(target)!r}, which is missing")
    if path.is_symlink() and target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return target


def _is_device(path: Path) -> bool:
    """Whether a path is there, but neither a file nor a folder, or is a standard stream."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    # A redirected stream may be a file; the rest of the output goes there too.
    return os.path.abspath(path) in _STANDARD or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _existing(path: str, _: int) -> int:
    """Opener for a device or pipe: never creates a file, nor waits for a reader that is missing."""
    number = _STANDARD.get(os.path.abspath(path))
    if number is not None:
        sys.stdout.flush()
        return os.dup(number)
    descriptor = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
    if hasattr(os, "set_blocking"):
        os.set_blocking(descriptor, True)
    return descriptor


def _imitate(target: Path, partial: Path, private: bool) -> None:
    """Give a new file what the one that it replaces has, beside its content."""
    try:
        earlier = target.stat()
    except FileNotFoundError:
        if not private:  # temporary files are
            with as_supported():
                os.chmod(partial, 0o666 & ~_umask())
        return
    if hasattr(os, "chown"):
        for owner in ((earlier.st_uid, -1), (-1, earlier.st_gid)):
            with suppress(OSError):  # only root may give files away
                os.chown(partial, *owner)
    with as_supported():
        shutil.copystat(target, partial)  # the mode, and ACLs among the other attributes
        os.utime(partial)


@contextmanager
def as_supported() -> Iterator[None]:
    """Set attributes of a file, unless its file system has none, as some network disks."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL):
            raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
