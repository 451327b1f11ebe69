"""How much a file may unpack to: what the user states, or what memory and its own size allow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from labelnext.errors import InvalidInput

_GIB = 1 << 30
_HARMLESS = _GIB  # bytes: however small the file is
_RATIO = 100  # times the file: text reaches 30, files made to fill the memory 1,000
_UNKNOWN = 8 * _GIB  # of memory, where the system doesn't tell
_stated: ContextVar[int | None] = ContextVar("stated", default=None)
_CGROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")


@contextmanager
def allowing(gib: float | None) -> Iterator[None]:
    """Let what is read meanwhile unpack to so many GiB; None: as memory and the file's size allow.

    Example:
        >>> with allowing(0.5):
        ...     limit_of(10).most >> 20
        512
    """
    token = _stated.set(None if gib is None else int(gib * _GIB))
    try:
        yield
    finally:
        _stated.reset(token)


@dataclass(frozen=True)
class Limit:
    """What one file may unpack to.

    Attributes:
        most: in bytes.
        packed: the file's size.
        why: it is so many, in words.
    """

    most: int
    packed: int
    why: str

    def check(self, what: str, n_bytes: int, *, more: bool = False) -> None:
        """Refuse what would unpack to too much.

        Args:
            what: of the file, for the message.
            n_bytes: after unpacking.
            more: whether there may be more than these bytes.

        Raises:
            InvalidInput: if it does.
        """
        if n_bytes <= self.most:
            return
        raise InvalidInput(
            f"{what} must unpack to at most {self.most / _GIB:.3g} GiB ({self.why}); "
            f"got {'at least ' * more}{n_bytes / _GIB:.3g} GiB from {self.packed:,} bytes.",
            hint="if the file is what you expect, set source.max_unpacked to the GiB that it may "
            "take, or convert it to a folder of Parquet files, which is read in parts.",
        )


def limit_of(packed: int) -> Limit:
    """The limit of a file of this size; to be asked in the thread that was allowed another one.

    Example:
        >>> limit_of(1000).most <= 1 << 30
        True
    """
    stated = _stated.get()
    if stated is not None:
        return Limit(stated, packed, "source.max_unpacked")
    half, usual = memory() // 2, max(_HARMLESS, _RATIO * packed)
    if half < usual:
        return Limit(half, packed, "half of this machine's memory")
    return Limit(usual, packed, "1 GiB or 100 times the file's size")


def check_spread(what: str, n_rows: int, n_columns: int, n_values: int) -> None:
    """Refuse few values that would fill a large table with gaps: one class of its own a row.

    Args:
        what: fills it, for the message.
        n_rows: of the table.
        n_columns: of the table.
        n_values: how many of its cells are given.

    Raises:
        InvalidInput: if the table takes more than an unpacked file may.
    """
    n_bytes, most = 8 * n_rows * n_columns, limit_of(8 * n_values).most
    if n_bytes > most:
        raise InvalidInput(
            f"{what} must take at most {most / _GIB:.3g} GiB as a table; {n_rows:,} rows with "
            f"{n_columns:,} names take {n_bytes / _GIB:.3g} GiB, though only {n_values:,} values "
            "are given.",
            hint="if that is what you expect, set source.max_unpacked to the GiB that it may take.",
        )


def memory() -> int:
    """The bytes of memory that this process may use: of the machine, or less in a container."""
    try:
        limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    except (AttributeError, OSError, ValueError):  # not on Windows
        limits = [_UNKNOWN]
    limits += _cgroup_limits()
    try:
        import resource
    except ImportError:  # not on Windows
        return min(limits)
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        soft, _ = resource.getrlimit(kind)
        if soft != resource.RLIM_INFINITY:
            limits.append(soft)
    return min(limits)


def _cgroup_limits() -> list[int]:
    """What control groups allow, of this process's group and of those above it."""
    try:
        lines = _OWN_GROUPS.read_text().splitlines()
    except OSError:
        return []
    limits = []
    for line in lines:
        _, kinds, group = line.split(":", 2)
        if kinds not in ("", "memory"):
            continue
        top = _CGROUPS / kinds
        name = "memory.limit_in_bytes" if kinds else "memory.max"
        inside = top / group.lstrip("/")
        for folder in (inside, *inside.parents):
            with suppress(OSError, ValueError):  # none, or "max"
                limits.append(int((folder / name).read_text()))
            if folder == top:
                break
    return limits
