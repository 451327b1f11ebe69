"""Who labels what: the batch dealt into shards, one for each annotator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from labelnext_adapters.label_studio.server.tags import owners

WHOLE = "next"  # the tag of a batch that is not split


def shard_names(annotators: int | Sequence[str] | None) -> tuple[str, ...]:
    """The tags of the shards; they stay the same from run to run.

    A label stream that is open sees tasks that get its tag, but no change of its filter.

    Example:
        >>> shard_names(2), shard_names(["ann", "bo"]), shard_names(None)
        (('1', '2'), ('ann', 'bo'), ('next',))
    """
    if annotators is None:
        return (WHOLE,)
    if isinstance(annotators, int):
        return tuple(str(n) for n in range(1, annotators + 1))
    return tuple(annotators)


class _Sizes:
    """How many tasks each shard has, and whether it may have another.

    Args:
        now: that it has already.
        more: how many are dealt.
    """

    def __init__(self, now: dict[str, int], more: int) -> None:
        self.now, total = now, sum(now.values()) + more
        self._most, self._larger = -(-total // len(now)), total % len(now) or len(now)

    def has_room(self, name: str) -> bool:
        """Whether all sizes can still differ by one at most if a shard gets a task."""
        full = sum(size >= self._most for size in self.now.values())
        last = self.now[name] == self._most - 1
        return self.now[name] < self._most - 1 or (last and full < self._larger)


def deal(
    task_ids: Sequence[int],
    names: Sequence[str],
    before: Mapping[int, object],
    *,
    needs: Mapping[int, int] | None = None,
    barred: Mapping[int, Set[str]] | None = None,
    drafting: Mapping[int, Sequence[str]] | None = None,
    held: Mapping[str, int] | None = None,
) -> dict[str, list[int]]:
    """Split a batch into shards of one size, but for one task, drafts and those who are barred.

    A task that somebody has already stays with them where the sizes allow it, so that a task on
    an annotator's screen does not turn up on another's.

    Args:
        task_ids: the batch, next first.
        names: of the shards.
        before: the tag of each task in the last run.
        needs: in how many shards a task must be; in one where nothing is said.
        barred: the shards that a task must not be in, because these people are done with it.
        drafting: the shards of people with a draft of a task, which it is in whatever their sizes.
        held: how many further tasks each shard has; they count for its size.

    Returns:
        For each shard its tasks, next first.

    Example:
        >>> deal([7, 3, 5], ["1", "2"], {5: "2"})
        {'1': [7, 3], '2': [5]}
        >>> deal([7, 3], ["1", "2", "3"], {}, needs={7: 2, 3: 2}, barred={3: {"1"}})
        {'1': [7], '2': [7, 3], '3': [3]}
        >>> deal([7, 3, 5], ["1", "2"], {}, drafting={5: ["2"]}, held={"2": 2})
        {'1': [7, 3], '2': [5]}
    """
    # Long: whom a task goes to depends on all that were given before it.
    able = {t: [n for n in names if n not in (barred or {}).get(t, ())] for t in task_ids}
    wanted = {t: min((needs or {}).get(t, 1), len(able[t])) for t in task_ids}
    sizes = _Sizes({name: (held or {}).get(name, 0) for name in names}, sum(wanted.values()))
    owned: dict[int, list[str]] = {task: [] for task in task_ids}

    def give(task: int, name: str) -> None:
        owned[task].append(name)
        sizes.now[name] += 1

    def lacks(task: int, name: str) -> bool:
        return name in able[task] and name not in owned[task] and len(owned[task]) < wanted[task]

    for task in task_ids:
        for name in (drafting or {}).get(task, ()):
            if lacks(task, name):
                give(task, name)
    for task in task_ids:
        for name in owners(before.get(task)):
            if lacks(task, name) and sizes.has_room(name):
                give(task, name)
    for task in task_ids:
        while len(owned[task]) < wanted[task]:
            free = [name for name in able[task] if name not in owned[task]]
            give(task, min(free, key=lambda name: sizes.now[name]))
    return {name: [t for t in task_ids if name in owned[t]] for name in names}


__all__ = ["WHOLE", "deal", "shard_names"]
