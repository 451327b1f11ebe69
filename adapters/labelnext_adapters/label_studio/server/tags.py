"""The text on a task that puts it into the tabs of one or several people."""

from __future__ import annotations

from collections.abc import Sequence


def tag_of(names: Sequence[str], *, shared: bool) -> str:
    """The text that puts a task into the tabs of these people.

    Args:
        names: of the tabs.
        shared: whether a task may be in several tabs, which look for a part of the text.

    Example:
        >>> tag_of(["ann"], shared=False), tag_of(["ann", "bo"], shared=True)
        ('ann', '|ann|bo|')
    """
    return f"|{'|'.join(names)}|" if shared else names[0]


def owners(tag: object) -> tuple[str, ...]:
    """The names in a tag.

    Example:
        >>> owners("|ann|bo|"), owners("1"), owners("")
        (('ann', 'bo'), ('1',), ())
    """
    text = tag if isinstance(tag, str) else ""
    if len(text) > 2 and text[0] == text[-1] == "|":
        return tuple(text[1:-1].split("|"))
    return (text,) if text else ()


__all__ = ["owners", "tag_of"]
