"""Near-duplicates: keeps items out of a batch that are too close to one another or to a label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelnext.pool.objects import Notice
from labelnext.selection.vectors import (
    Array,
    Points,
    directions,
    finite_rows,
    one_blas_thread,
    squared_lengths,
)
from labelnext.support.words import counted

Positions = NDArray[np.intp]

_ROUNDING = 1e-9  # of a squared distance or a cosine
_FARTHEST = 1e100  # embeddings are at most 1e15, and the square has to be finite
_BLOCK = 256  # proposals that are compared at once
_PAIRS = 1 << 20  # compared at once; some 20 MiB
_SHOWN = 5  # groups that the notice names


@dataclass(frozen=True)
class Closeness:
    """When two items are near-duplicates, by their vectors.

    Attributes:
        min_distance: closer than this in Euclidean distance; None for no limit.
        dedupe: a cosine similarity of at least this; None for no limit. A vector of zeros is like
            other vectors of zeros only.

    Example:
        >>> points = np.array([[0.0], [1.0], [2.0]])
        >>> Closeness(min_distance=2.0).matrix(points, points[:1]).ravel().tolist()
        [True, True, False]
    """

    min_distance: float | None = None
    dedupe: float | None = None

    def matrix(self, first: Array, second: Array) -> NDArray[np.bool_]:
        """Whether each pair is too close, shape (n_first, n_second)."""
        close: NDArray[np.bool_] = np.zeros((len(first), len(second)), dtype=bool)
        if not close.size:
            return close
        one, two = first.astype(np.float64), second.astype(np.float64)
        if self.min_distance is not None:
            close |= _nearer(one, two, self.min_distance)
        if self.dedupe is not None:
            close |= _directions(one) @ _directions(two).T >= self.dedupe - _ROUNDING
        return close


def _nearer(first: Array, second: Array, distance: float) -> NDArray[np.bool_]:
    """Whether pairs are closer than a distance; those that a product can't tell are subtracted."""
    one, two = first - second[:1], second - second[:1]
    sums = squared_lengths(one)[:, None] + squared_lengths(two)
    squares = sums - 2 * one @ two.T
    limit = min(distance, _FARTHEST) ** 2 * (1 - _ROUNDING)
    close: NDArray[np.bool_] = squares < limit
    doubtful = np.abs(squares - limit) <= 64 * np.finfo(np.float64).eps * sums
    for pairs in np.array_split(np.argwhere(doubtful), 1 + doubtful.sum() // 4096):
        differences = first[pairs[:, 0]] - second[pairs[:, 1]]
        close[pairs[:, 0], pairs[:, 1]] = squared_lengths(differences) < limit
    return close


def _directions(vectors: Array) -> Array:
    """Unit vectors with a further dimension, which is 1 for vectors of zeros and else 0."""
    zeros = np.abs(vectors).max(axis=1, initial=0) == 0
    return np.concatenate([directions(vectors), zeros[:, None]], axis=1)


class Spacing:
    """Admits proposals one after another, as long as none is too close to what came before.

    Args:
        vectors: shape (n_items, n_dimensions); rows that aren't finite are close to nothing.
        labelled: shape (n_labelled, n_dimensions), finite.
        closeness: what is too close.

    Example:
        >>> points = np.array([[0.0], [0.1], [5.0]])
        >>> spacing = Spacing(points, points[:0], Closeness(min_distance=1.0))
        >>> spacing.propose(np.array([0, 1, 2]))
        >>> [spacing.admits(position) and spacing.take(position) is None for position in range(3)]
        [True, False, True]
        >>> spacing.groups(np.array([1])).tolist()
        [0]
    """

    def __init__(self, vectors: Array, labelled: Array, closeness: Closeness) -> None:
        self._vectors, self._labelled, self._closeness = vectors, labelled, closeness
        self._known = finite_rows(Points(vectors))
        self._taken: list[int] = []
        self._refusing: set[int] = set()  # items taken, and labels as −1, −2, …
        self._near_labels: set[int] = set()
        self.propose(np.empty(0, dtype=np.intp))

    def propose(self, items: Positions) -> None:
        """The items that `admits` and `take` name by their position in this array."""
        self._items, self._start, self._end = items, 0, 0

    def admits(self, position: int) -> bool:
        """Whether a proposal is far enough from all that is labelled or taken."""
        if position >= self._end:
            self._look_at(position)
        at = position - self._start
        by_label, by_taken = int(self._by_label[at]), int(self._by_taken[at])
        if by_label >= 0:
            self._near_labels.add(int(self._items[position]))
            self._refusing.add(-1 - by_label)
        elif by_taken >= 0:
            self._refusing.add(by_taken)
        return by_label < 0 and by_taken < 0

    def take(self, position: int) -> None:
        """Count a proposal as taken."""
        if position >= self._end:
            self._look_at(position)
        item = int(self._items[position])
        if self._known[item]:
            self._taken.append(item)
            within = self._inner[position - self._start] & (self._by_taken < 0)
            self._by_taken[within] = item

    @property
    def refused(self) -> bool:
        """Whether a proposal was refused since `far` was last asked."""
        return bool(self._refusing)

    def far(self, items: Positions) -> Positions:
        """The items without those that are close to anything that has refused a proposal."""
        refusing = sorted(self._refusing)
        self._refusing.clear()
        others = [self._labelled[-1 - at] if at < 0 else self._vectors[at] for at in refusing]
        return items[self._first_close(items, np.array(others)) < 0] if others else items

    def groups(self, items: Positions) -> Positions:
        """The item taken first among those that each item is close to, shape (n_items,), or −1."""
        taken = np.array([*self._taken, -1], dtype=np.intp)
        heads: Positions = taken[self._first_close(items, self._vectors[taken[:-1]])]
        return heads

    def notices(self, names: NDArray[np.str_], left: Positions, chosen: Positions) -> list[Notice]:
        """What was left out, in groups around the items of the batch.

        Args:
            names: ids of all items.
            left: the candidates that aren't in the batch.
            chosen: the batch.
        """
        groups = self.groups(left)
        near_label = np.isin(left, sorted(self._near_labels))
        out = left[(groups >= 0) | near_label]
        notices = []
        if len(out):
            sizes = np.bincount(groups[groups >= 0], minlength=len(names))
            heads = chosen[np.argsort(-sizes[chosen], kind="stable")]  # those alike in batch order
            heads = heads[sizes[heads] > 0]
            stand_for = [(str(names[head]), int(sizes[head])) for head in heads.tolist()]
            told = [f"{size:,} like {name}" for name, size in stand_for[:_SHOWN]]
            more = [f"{len(heads) - _SHOWN:,} more groups"] if len(heads) > _SHOWN else []
            labels = int((near_label & (groups < 0)).sum())
            more += [f"{labels:,} like labelled items"] if labels else []
            message = (
                f"Left {counted(len(out), 'near-duplicate')} out of the batch: "
                f"{', '.join([*told, *more])}."
            )
            ids = tuple(names[out].tolist())
            notices.append(Notice("near_duplicates", message, ids, tuple(stand_for)))
        blind = chosen[~self._known[chosen]]
        if len(blind):
            message = (
                f"The batch holds {counted(len(blind), 'item')} that nothing was compared with, "
                "for lack of an embedding, image or text. They may be near-duplicates."
            )
            notices.append(Notice("not_compared", message, tuple(names[blind].tolist())))
        return notices

    def _look_at(self, position: int) -> None:
        """Compare the next proposals with what is labelled, what is taken, and one another."""
        self._start, self._end = position, min(position + _BLOCK, len(self._items))
        items = self._items[self._start : self._end]
        taken = np.array([*self._taken, -1], dtype=np.intp)
        self._by_label = self._first_close(items, self._labelled)
        self._by_taken = taken[self._first_close(items, self._vectors[taken[:-1]])]
        known = self._known[items]
        vectors = np.where(known[:, None], self._vectors[items], 0)
        self._inner = self._closeness.matrix(vectors, vectors) & known & known[:, None]

    def _first_close(self, items: Positions, others: Array) -> Positions:
        """The first of some vectors to which each item is close, shape (n_items,), or −1."""
        nearest: Positions = np.full(len(items), -1, dtype=np.intp)
        known = np.flatnonzero(self._known[items])
        if not len(others):
            return nearest
        with one_blas_thread():
            for part in _parts(len(others), min(len(known), _BLOCK)):
                for block in _parts(len(known), part.stop - part.start):
                    chosen = known[block]
                    near = self._closeness.matrix(self._vectors[items[chosen]], others[part])
                    first = np.where(near.any(axis=1), near.argmax(axis=1) + part.start, -1)
                    nearest[chosen] = np.where(nearest[chosen] < 0, first, nearest[chosen])
        return nearest


def _parts(n: int, width: int) -> Iterator[slice]:
    """Slices of 0 to n, each with at most so many pairs with `width` others."""
    step = max(1, _PAIRS // max(1, width))
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))
