"""Words for messages: counts that agree with their nouns."""

from __future__ import annotations


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
