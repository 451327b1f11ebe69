"""The scores of copies, by which mode uncertainty serves tasks: 1 − priority, lowest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from labelnext_adapters.label_studio.server.task import Prediction
from labelnext_adapters.label_studio.write.priorities import longest_fall

_MOST_MOVED = 200  # a request for each


def copy_scores(n: int, of: int | None = None) -> list[float]:
    """1 − priority for rank 1 to n of a ranking: 0 for the first, and below 1.

    Args:
        n: how many ranks get a score.
        of: how many ranks there are; so many if None.

    Example:
        >>> copy_scores(4), copy_scores(2, 4)
        ([0.0, 0.25, 0.5, 0.75], [0.0, 0.25])
    """
    return [rank / (of or n) for rank in range(n)]


def next_scores(now: Sequence[float | None], of: int | None = None) -> list[float] | None:
    """Rising scores of an order, most of them as they are.

    Args:
        now: the score that the copy of each rank has, next first; None without one.
        of: how many ranks there are; so many if None.

    Returns:
        The score of each rank, at least 0 and below 1; None if too many have another than now,
        which takes a request for each, or none can stay.

    Example:
        >>> next_scores([0.25, 0.5, None, 0.125, 0.75])
        [0.25, 0.5, 0.583..., 0.666..., 0.75]
        >>> next_scores([0.25, 0.5, None], 8)
        [0.25, 0.5, 0.625]
    """
    known = {p: score for p, score in enumerate(now) if score is not None and 0 <= score < 1}
    kept = longest_fall({p: 1 - Fraction(score) for p, score in known.items()})
    n_moved = sum(score is not None for score in now) - len(kept)
    if not kept or n_moved > min(_MOST_MOVED, len(now) // 2):
        return None
    scores: list[float] = []
    for start, end in pairwise([-1, *kept, len(now)]):
        low = known[start] if start >= 0 else 0.0
        between = end - start - 1
        # What comes after the last leaves room for those that come next time.
        room = low + (between + 1) / of if of and start >= 0 else 1.0
        high = known[end] if end < len(now) else min(room, 1.0)
        scores += [low + (high - low) * k / (between + 1) for k in range(1, between + 1)]
        scores += [high] if end < len(now) else []
    rises = all(a < b for a, b in pairwise(scores))
    return scores if rises and all(0 <= score < 1 for score in scores) else None


@dataclass(frozen=True)
class Kept:
    """Copies of an earlier ranking that stay.

    Attributes:
        scores: of the ranked tasks, next first.
        n_changed: how many of them have another score, or none, until now.
        removed: tasks whose copies go, as somebody would still be served them; rising.
    """

    scores: list[float]
    n_changed: int
    removed: list[int]

    @property
    def as_is(self) -> bool:
        """Whether nothing is to be done."""
        return not self.n_changed and not self.removed


def kept_copies(
    copies: Iterable[Prediction],
    task_ids: Sequence[int],
    finished: Set[int],
    of: int | None = None,
) -> Kept | None:
    """What stays of the copies of an earlier ranking of the same predictions.

    Args:
        copies: of the earlier ranking.
        task_ids: of the ranking, next first, as far as they get copies.
        finished: tasks that nobody is served; their copies stay.
        of: how many tasks are ranked; so many if None.

    Returns:
        None if most change, so that a new version is sent in fewer requests.
    """
    have = {copy.task: copy.score for copy in copies}
    removed = sorted(have.keys() - {*finished, *task_ids})
    now = [have.get(task) for task in task_ids]
    scores = next_scores(now, of)
    if scores is None or len(removed) > _MOST_MOVED:
        return None
    n_changed = sum(score != known for score, known in zip(scores, now, strict=True))
    return Kept(scores, n_changed, removed)


__all__ = ["Kept", "copy_scores", "kept_copies", "next_scores"]
