"""Words for messages: counts that agree with their nouns."""

from __future__ import annotations

from collections.abc import Sequence


def counted(n: int, noun: str, plural: str | None = None) -> str:
    """A count with its noun.

    Args:
        n: the count.
        noun: singular form.
        plural: plural form; `noun` with an s if None.

    Example:
        >>> counted(1, "object"), counted(0, "item"), counted(2000, "box", "boxes")
        ('1 object', '0 items', '2,000 boxes')
    """
    return f"{n:,} {noun if n == 1 else plural or f'{noun}s'}"


def some(names: Sequence[str], most: int = 10) -> str:
    """The first names, whole, and how many more there are.

    Example:
        >>> some(["a", "b", "c"]), some(["a", "b", "c"], most=2)
        ('a, b, c', 'a, b and 1 more')
    """
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"


def joined(names: Sequence[str]) -> str:
    """All names, with "and" before the last.

    Example:
        >>> joined(["a"]), joined(["a", "b"]), joined(["a", "b", "c"])
        ('a', 'a and b', 'a, b and c')
    """
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
