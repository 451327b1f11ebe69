"""The text on a task that puts it into the tabs of one or several people."""

from __future__ import annotations

import re
from collections.abc import Sequence


def tag_of(names: Sequence[str], *, shared: bool) -> str:
    """The text that puts a task into the tabs of these people.

    Args:
        names: of the tabs.
        shared: whether the tabs look for a part of the text, because the project wants several
            annotations of a task; several names always have the form of such a text.

    Example:
        >>> tag_of(["ann"], shared=False), tag_of(["ann", "bo"], shared=True)
        ('ann', '|ann|bo|')
    """
    return f"|{'|'.join(names)}|" if shared or len(names) > 1 else names[0]


def pattern_of(name: str) -> str:
    r"""The regular expression that finds a name in a tag of one name or of several.

    Example:
        >>> print(pattern_of("ann"))
        (^|\|)ann($|\|)
    """
    return rf"(^|\|){re.escape(name)}($|\|)"


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


__all__ = ["owners", "pattern_of", "tag_of"]
