"""Tasks about which people disagree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from labelnext.errors import listed
from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.label_studio.server.tasks import Tasks


def undecided(said: Mapping[int, Mapping[int, int]]) -> dict[int, int]:
    """The tasks of which no class was said by more than half of two people or more.

    Args:
        said: of each task, the class that each person said.

    Returns:
        By task, how many people said something.

    Example:
        >>> undecided({7: {1: 0, 2: 1}, 8: {1: 0, 2: 0}, 9: {1: 0, 2: 1, 3: 1}, 10: {1: 0}})
        {7: 2}
    """
    found = {}
    for task, people in said.items():
        most = max(Counter(people.values()).values(), default=0)
        if len(people) > 1 and 2 * most <= len(people):
            found[task] = len(people)
    return found


def undecided_notices(tasks: Tasks) -> list[Notice]:
    """Which items deserve one more opinion."""
    names = dict(zip(tasks.ids, tasks.item_ids, strict=True))
    items = [names[task] for task in tasks.undecided if task in names]
    if not items:
        return []
    verb = "deserves" if len(items) == 1 else "deserve"
    message = (
        f"{counted(len(items), 'item')} on which people disagree, without a majority, {verb} one "
        f"more opinion: {listed(items)}."
    )
    return [Notice("undecided", message, tuple(items))]


__all__ = ["undecided", "undecided_notices"]
