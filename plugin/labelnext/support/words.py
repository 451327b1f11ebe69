"""Words in messages."""

from __future__ import annotations


def counted(n: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun, singular or plural.

    Args:
        n: how many.
        noun: in the singular.
        plural: of the noun; noun + "s" when None.

    Example:
        >>> counted(1, "object"), counted(2, "object"), counted(0, "box", "boxes")
        ('1 object', '2 objects', '0 boxes')
    """
    return f"{n} {noun if n == 1 else plural or noun + 's'}"
