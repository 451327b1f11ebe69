"""Groups as items: a pool with one item for each group, and its groups back to their members."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.reductions import segment_statistics
from labelnext.errors import InvalidInput
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.selection import SelectionMethod
from labelnext.selection.constraints import Constraints
from labelnext.selection.quotas import groups_of
from labelnext.selection.sorting import stable_order
from labelnext.selection.vectors import Array, Coordinates, Points, finite_rows
from labelnext.support.words import counted


@dataclass(frozen=True, eq=False)
class Groups:
    """The groups of a pool, in the order of their first members' ids.

    Attributes:
        pool: an item for each group, called as its first member; items without a group are groups
            of one.
        utilities: shape (n_groups,), reduced from those of the members to choose from, NaN where
            none has one; None without utilities.
        vectors: shape (n_groups, n_dimensions), of the members' mean; or None.
        codes: shape (n_items,), the group of each item.
    """

    pool: Pool
    utilities: NDArray[np.float64] | None
    vectors: Array | None
    codes: NDArray[np.intp]
    _rows: NDArray[np.intp]
    _offsets: NDArray[np.int64]

    def limits(self, pool: Pool, constraints: Constraints) -> Constraints:
        """The constraints on the groups: `include` names them, and `exclude` is done.

        Raises:
            InvalidInput: as `Constraints.included`.
        """
        groups = dict.fromkeys(self.codes[constraints.included(pool)].tolist())
        return replace(constraints, include=self.pool.item_ids[[*groups]].tolist(), exclude=())

    def members(self, groups: NDArray[np.intp]) -> NDArray[np.intp]:
        """The members to choose from of some groups, each group's in their own order by score."""
        parts = [self._rows[self._offsets[g] : self._offsets[g + 1]] for g in groups.tolist()]
        return np.concatenate([self._rows[:0], *parts])

    def notice(self, groups: NDArray[np.intp]) -> Notice:
        """How many groups the batch has, and how many items are in them."""
        sizes = np.diff(self._offsets)[groups]
        items = counted(int(sizes.sum()), "item")
        return Notice("groups_as_items", f"The batch has {counted(len(groups), 'group')}, {items}.")


def grouped(
    pool: Pool,
    method: SelectionMethod,
    constraints: Constraints,
    free: NDArray[np.bool_],
    utilities: NDArray[np.floating] | None,
    vectors: Array | None,
    space: Coordinates | None,
) -> Groups:
    """The groups of a pool.

    Args:
        pool: the items.
        method: the selection method.
        constraints: with `groups_as_items`.
        free: shape (n_items,), whether an item may be chosen.
        utilities: shape (n_items,), larger is labelled sooner, NaN without one; or None.
        vectors: shape (n_items, n_dimensions), what distances are measured by; or None.
        space: what the vectors are; embeddings when None.

    Raises:
        InvalidInput: if the pool has no groups, or the method goes by objects.
    """
    if "objects" in method.inputs:
        raise InvalidInput(
            f"groups_as_items must be left out with {method.name}, which goes by single objects; "
            f"got {constraints.groups_as_items!r}."
        )
    names, order = groups_of(pool, "groups_as_items"), pool.tie_order
    keys: dict[str | int, int] = {}
    # An item without a group is one of its own.
    named = zip(names[order].tolist(), order.tolist(), strict=True)
    in_order = np.array([keys.setdefault(name or row, len(keys)) for name, row in named], np.intp)
    codes = np.empty(len(pool), dtype=np.intp)
    codes[order] = in_order
    rows = order[np.argsort(in_order, kind="stable")]
    offsets = _offsets(codes, len(keys))
    reduced = None
    if utilities is not None:
        reduced = _reduced(
            constraints.reduction, utilities[rows], offsets, free[rows] & ~np.isnan(utilities[rows])
        )
    chosen = order[free[order]]
    if utilities is not None:
        chosen = chosen[stable_order(utilities[chosen])]
    return Groups(
        pool=_pool_of(pool, rows, offsets, free),
        utilities=reduced,
        vectors=None if vectors is None else _vectors(vectors, space, rows, offsets),
        codes=codes,
        _rows=chosen[np.argsort(codes[chosen], kind="stable")],
        _offsets=_offsets(codes[chosen], len(keys)),
    )


def _offsets(codes: NDArray[np.intp], n_groups: int) -> NDArray[np.int64]:
    sizes = np.bincount(codes, minlength=n_groups)
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _reduced(
    how: str,
    values: NDArray[np.floating],
    offsets: NDArray[np.int64],
    counting: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """A statistic of each group's values that count, named as in `Statistics`; NaN without any."""
    statistics = segment_statistics(values, offsets, confidences=counting.astype(float), floor=0.5)
    reduced: NDArray[np.float64] = getattr(statistics, how)
    return np.where(statistics.count > 0, reduced, np.nan)


def _means(vectors: Array, rows: NDArray[np.intp], offsets: NDArray[np.int64]) -> Array:
    """The mean of each group's usable vectors, see `finite_rows`; NaN where there is none."""
    ordered = vectors[rows]
    known = finite_rows(Points(ordered))
    ordered = np.where(known[:, None], ordered, 0)
    starts = offsets[:-1]
    sums = np.add.reduceat(ordered, starts, axis=0, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        means: Array = sums / np.add.reduceat(known, starts, dtype=np.int64)[:, None]
    return means


def _vectors(
    vectors: Array, space: Coordinates | None, rows: NDArray[np.intp], offsets: NDArray[np.int64]
) -> Array:
    """The mean of each group's embeddings, or the vector of its mean probabilities."""
    if space != "probabilities":
        return _means(vectors, rows, offsets)
    shares: Array = np.square(vectors)  # but for a factor
    return np.sqrt(_means(shares, rows, offsets))


def _pool_of(
    pool: Pool, rows: NDArray[np.intp], offsets: NDArray[np.int64], free: NDArray[np.bool_]
) -> Pool:
    """An item for each group: means of vectors, sums of costs, the commonest metadata.

    A group is labelled once it has no member to choose from and a labelled one.
    """
    open_ = np.logical_or.reduceat(free[rows], offsets[:-1])
    labelled = np.logical_or.reduceat(pool.labelled[rows], offsets[:-1]) & ~open_
    late = None
    if pool.deferred is not None:
        late = ~np.logical_or.reduceat((free & ~pool.deferred)[rows], offsets[:-1])
    costs = None
    if pool.costs is not None:
        whole = _reduced("sum", pool.costs[rows], offsets, np.ones(len(rows), dtype=bool))
        left = _reduced("sum", pool.costs[rows], offsets, free[rows])
        costs = np.where(np.isnan(left), whole, left)
    shares, further = _shares(pool), pool.metadata or {}
    embeddings, signatures = pool.embeddings, pool.signatures
    probabilities = None if shares is None else _means(shares, rows, offsets)
    return Pool(
        pool.item_ids[rows[offsets[:-1]]],
        probabilities=probabilities,
        missing=None if probabilities is None else np.isnan(probabilities).any(axis=1),
        classes=pool.classes,
        multilabel=pool.multilabel,
        embeddings=None if embeddings is None else _means(embeddings, rows, offsets),
        signatures=None if signatures is None else _means(signatures, rows, offsets),
        labelled=labelled,
        open=open_,
        deferred=late,
        costs=costs,
        metadata={name: _commonest(column[rows], offsets) for name, column in further.items()},
    )


def _shares(pool: Pool) -> NDArray[np.floating] | None:
    """Class probabilities, else 1 for each item's predicted class; NaN rows without any."""
    classes = pool.top_classes
    if pool.mean_probabilities is not None or classes is None:
        return pool.mean_probabilities
    n_classes = pool.n_classes or int(classes.max(initial=0)) + 1
    rows = np.append(np.eye(n_classes), np.full((1, n_classes), np.nan), axis=0)
    shares: NDArray[np.floating] = rows[classes]
    return shares


def _commonest(column: NDArray[np.str_], offsets: NDArray[np.int64]) -> NDArray[np.str_]:
    """The most frequent value of each group, the first by name among equals."""
    names, codes = np.unique(column, return_inverse=True)
    groups = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    pairs, counts = np.unique(groups * len(names) + codes, return_counts=True)
    best = np.lexsort((pairs, -counts, pairs // len(names)))
    found: NDArray[np.str_] = names[pairs[best] % len(names)]
    return found[np.unique(pairs[best] // len(names), return_index=True)[1]]
