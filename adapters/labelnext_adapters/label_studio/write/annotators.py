"""Who labels what: the batch dealt into disjoint shards, one for each annotator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def deal(
    task_ids: Sequence[int], names: Sequence[str], before: Mapping[int, object]
) -> dict[str, list[int]]:
    """Split a batch into shards whose sizes differ by one at most.

    A task that somebody has already stays with them where the sizes allow it, so that a task on
    an annotator's screen does not turn up on another's.

    Args:
        task_ids: the batch, next first.
        names: of the shards.
        before: the shard of each task in the last run.

    Returns:
        For each shard its tasks, next first.

    Example:
        >>> deal([7, 3, 5], ["1", "2"], {5: "2"})
        {'1': [7, 3], '2': [5]}
    """
    most, larger = -(-len(task_ids) // len(names)), len(task_ids) % len(names) or len(names)
    owner: dict[int, str] = {}
    sizes = dict.fromkeys(names, 0)

    def room(name: str) -> bool:
        full = sum(size == most for size in sizes.values())
        return sizes[name] < most - 1 or (sizes[name] == most - 1 and full < larger)

    for task in task_ids:
        name = before.get(task)
        if isinstance(name, str) and name in sizes and room(name):
            owner[task] = name
            sizes[name] += 1
    for task in task_ids:
        if task not in owner:
            owner[task] = min(names, key=lambda n: sizes[n])
            sizes[owner[task]] += 1
    return {name: [t for t in task_ids if owner[t] == name] for name in names}
