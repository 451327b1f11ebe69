"""Constraints on a batch, for any method: quotas, groups, included and excluded items, costs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.pool.texts import coded
from labelnext.selection.duplicates import Closeness, Spacing
from labelnext.selection.quotas import (
    Quota,
    Quotas,
    by_kind,
    called,
    check_even,
    check_quotas,
    groups_of,
    kinds_of,
    shared,
)
from labelnext.selection.vectors import Points, finite_rows
from labelnext.support.annotations import Id, Number, Positive, Similarity
from labelnext.support.signatures import fitted_options, option_kinds
from labelnext.support.words import NO_SUCH_ID, counted

Positions: TypeAlias = NDArray[np.intp]
Choose = Callable[[Positions, Positions, int | None], Positions]
BudgetIn = Literal["items", "cost"]
Reduced = Literal["max", "mean", "min"]
DedupeBy = Literal["embeddings", "images", "texts"]

CONTENTS: tuple[DedupeBy, ...] = ("images", "texts")
"""What `dedupe_by` compares without embeddings, in the order of preference."""

_ROUNDING = 1e-9  # of a sum of costs


@dataclass(frozen=True)
class Constraints:
    """Constraints on the batch; options of every selection method.

    Attributes:
        exclude: ids of items to keep out of the ranking.
        include: ids of items to put first in the batch, in this order.
        quota: number of items in the batch per class, group or value of metadata; those without
            a quota share the rest of the budget. uniform: the same number of each; input: in
            proportion to the items to choose from. Several at once, each by what it is of:
            {class: uniform, city: {Oslo: 10}}.
        quota_of: class (predicted; for an image, that of its most confident object), group, or a
            column of the metadata.
        per_group: maximum items per group; items without a group are not limited.
        groups_as_items: choose whole groups, such as the frames of a clip; the budget counts
            groups. A group ranks by the max, mean or min of its items, max being the item to be
            labelled soonest; true means max.
        min_distance: no two items of the batch are closer than this, and none is closer to a
            labelled item; the Euclidean distance of the embeddings as they are.
        dedupe: the same for items with a cosine similarity of at least this, such as 0.95.
        dedupe_by: what `dedupe` compares: embeddings, images (a perceptual hash of 64 bits) or
            texts (their characters in a row). By default the embeddings, else the images that can
            be read, else the texts. In Python, images and texts are the pool's signatures.
        budget_in: items, or cost: then the batch costs at most the budget.
    """

    exclude: Sequence[Id] = ()
    include: Sequence[Id] = ()
    quota: Quotas = field(default_factory=dict)
    quota_of: str = "class"
    per_group: Number | None = None
    groups_as_items: bool | Reduced = False
    min_distance: Positive | None = None
    dedupe: Similarity | None = None
    dedupe_by: DedupeBy | None = None
    budget_in: BudgetIn = "items"

    def __post_init__(self) -> None:
        fitted_options(vars(self), option_kinds(type(self)))
        check_quotas(self.quota, self.quota_of)
        if self.groups_as_items and self.per_group is not None:
            raise InvalidInput(
                f"per_group must be left out with groups_as_items; got {self.per_group}."
            )
        if self.groups_as_items and "group" in self.quotas:
            raise InvalidInput("quota must not be of group with groups_as_items; got 'group'.")
        if self.dedupe_by is not None and self.dedupe is None:
            raise InvalidInput(
                f"dedupe_by must be left out without dedupe; got {self.dedupe_by!r}.",
                hint="dedupe: 0.95 leaves out what is that similar.",
            )
        if self.dedupe_by in CONTENTS and self.min_distance is not None:
            raise InvalidInput(
                f"min_distance must be left out with dedupe_by: {self.dedupe_by}, as it is between "
                f"embeddings; got {self.min_distance!r}."
            )
        ids, excluded = [*map(str, self.include)], {*map(str, self.exclude)}
        if twice := [name for name, n in Counter(ids).items() if n > 1]:
            message = f"include must be distinct; got {listed(twice)} more than once."
            raise InvalidInput(message, hint="name each once.")
        if both := [name for name in ids if name in excluded]:
            message = f"include must not be excluded too; got {listed(both)}."
            raise InvalidInput(message, hint="name each in one of them.")

    @property
    def reduction(self) -> Reduced:
        """How the utilities of a group's items become the group's."""
        return self.groups_as_items if isinstance(self.groups_as_items, str) else "max"

    @property
    def quotas(self) -> dict[str, Quota]:
        """The quotas by what they are of: class, group or a column of the metadata."""
        return by_kind(self.quota, self.quota_of)

    @property
    def any(self) -> bool:
        """Whether any constraint can change the method's batch."""
        return bool(
            self.include
            or self.quota
            or self.per_group is not None
            or self.spaced
            or self.budget_in == "cost"
        )

    @property
    def spaced(self) -> bool:
        """Whether near-duplicates are left out of the batch."""
        return self.min_distance is not None or self.dedupe is not None

    def excluded(self, pool: Pool) -> tuple[NDArray[np.bool_], list[Notice]]:
        """Which items are excluded, shape (n_items,), and a notice of unknown ids."""
        ids = set(map(str, self.exclude))
        if not ids:
            return np.zeros(len(pool), dtype=bool), []
        names = pool.item_ids.tolist()
        unknown = tuple(sorted(ids.difference(names)))
        message = f"Ignored {counted(len(unknown), 'id')} in exclude: not in the pool."
        notices = [Notice("unknown_id", message, unknown)] if unknown else []
        return np.fromiter((name in ids for name in names), bool, len(names)), notices

    def included(self, pool: Pool) -> Positions:
        """Positions of the items that come first.

        Raises:
            InvalidInput: if one is not in the pool, or already labelled.
        """
        ids = [str(i) for i in self.include]
        if not ids:
            return np.empty(0, dtype=np.intp)
        row_of = {name: i for i, name in enumerate(pool.item_ids.tolist())}
        rules = (
            ("be in the pool", [i for i in ids if i not in row_of], NO_SUCH_ID),
            (
                "not be labelled",
                [i for i in ids if i in row_of and not pool.candidates[row_of[i]]],
                "leave them out of include: they are done.",
            ),
        )
        for rule, wrong, hint in rules:
            if wrong:
                raise InvalidInput(f"include must {rule}; got {listed(wrong)}.", hint=hint)
        return np.array([row_of[i] for i in ids], dtype=np.intp)

    def fill(
        self, pool: Pool, candidates: Positions, budget: int | None, choose: Choose
    ) -> tuple[Positions, list[Notice]]:
        """Fill the batch with the method's proposals until nothing more fits.

        Args:
            pool: the items.
            candidates: positions to choose from.
            budget: in items or cost; None for no limit.
            choose: ``f(candidates, taken, budget)``, the method's order of positions; `taken` are
                already in the batch.

        Returns:
            Positions in order, and notices of unmet quotas and of near-duplicates.
        """
        taken = self.included(pool)
        free = np.ones(len(pool), dtype=bool)
        free[taken] = False
        candidates = everyone = candidates[free[candidates]]
        room = _Room(pool, self, budget, np.concatenate([taken, candidates]))
        room.take(taken)
        while True:
            # Candidates all fit, so every round takes its first proposal, or refuses it for good.
            candidates = candidates[room.for_(candidates) & free[candidates]]
            wanted = room.wanted(candidates)
            if not len(candidates) or wanted == 0:
                break
            if room.refused:
                candidates = room.apart(candidates)
                continue
            new = room.take_fitting(choose(candidates, taken, wanted))
            if not len(new) and not room.refused:  # a method that proposes nothing
                break
            free[new] = False
            taken = np.concatenate([taken, new])
        left = everyone[free[everyone]]
        notices = room.shortfall() + room.near_duplicates(left, taken)
        return taken, notices + ([] if len(taken) else room.too_dear(left))


class _Room:
    """The room left in the batch."""

    def __init__(
        self, pool: Pool, constraints: Constraints, budget: int | None, items: Positions
    ) -> None:
        in_cost = constraints.budget_in == "cost"
        if in_cost and pool.costs is None:
            raise InvalidInput(
                "budget_in must be items for a pool without costs; got 'cost'.",
                hint="add a costs column to the pool.",
            )
        self._costs = pool.costs if in_cost and pool.costs is not None else np.ones(len(pool))
        self._in_cost = in_cost
        self._left = math.inf if budget is None else float(budget)
        self._limits: list[tuple[NDArray[np.intp], NDArray[np.float64]]] = []
        self._quotas: list[tuple[str, dict[Any, int]]] = []  # of the first limits
        for kind, quota in constraints.quotas.items():
            names, codes = kinds_of(pool, kind, quota)
            if isinstance(quota, str):
                check_even(quota, budget, constraints.budget_in)
                sizes = np.bincount(codes[items], minlength=len(names)).tolist()
                quota = shared(quota, dict(zip(names, sizes, strict=True)), budget or 0, kind)
            total = sum(quota.values())
            if not in_cost and total > self._left:
                of = f"quota of {kind}" if len(constraints.quotas) > 1 else "quota"
                raise InvalidInput(f"{of} must sum to at most the budget of {budget}; got {total}.")
            rest = math.inf if in_cost else self._left - total
            self._quotas.append((kind, dict(quota)))
            self._limits.append(_limit(names, codes, quota, rest))
        if constraints.per_group is not None:
            names, codes = coded(groups_of(pool, "per_group"))
            each = dict.fromkeys((name for name in names if name), constraints.per_group)
            self._limits.append(_limit(names, codes, each, math.inf))
        self._names = pool.item_ids
        self._spacing = _spacing(pool, constraints) if constraints.spaced else None

    def for_(self, items: Positions) -> NDArray[np.bool_]:
        """Whether each item fits."""
        fits = self._costs[items] <= self._left + _ROUNDING
        for codes, left in self._limits:
            fits &= left[codes[items]] > 0
        return np.asarray(fits)

    def take(self, items: Positions) -> None:
        """Put all of some items into the batch."""
        for cost in self._costs[items].tolist():
            self._left -= cost
        for codes, left in self._limits:
            left -= np.bincount(codes[items], minlength=len(left))
        if self._spacing is not None:
            self._spacing.propose(items)
            for position in range(len(items)):
                self._spacing.take(position)

    @property
    def refused(self) -> bool:
        """Whether proposals were near-duplicates, whose like `apart` takes out."""
        return self._spacing is not None and self._spacing.refused

    def apart(self, items: Positions) -> Positions:
        """The items without those that can't come in, being close to what refused another."""
        return items if self._spacing is None else self._spacing.far(items)

    def near_duplicates(self, left: Positions, taken: Positions) -> list[Notice]:
        """Notices of near-duplicates among the items left, and of items that weren't compared."""
        notices = [] if self._spacing is None else self._spacing.notices(self._names, left, taken)
        short = not self._in_cost and not self._limits and 1 <= self._left < math.inf
        if short and notices and notices[0].code == "near_duplicates":
            missing = counted(int(self._left), "item")
            why = f"The batch is {missing} short of the budget: nothing else is far enough."
            notices[0] = replace(notices[0], message=f"{notices[0].message} {why}")
        return notices

    def take_fitting(self, items: Positions) -> Positions:
        """Put items into the batch in order, as long as each fits; returns those that did."""
        limits = [(codes[items].tolist(), left.tolist()) for codes, left in self._limits]
        costs = self._costs[items].tolist()
        least = min(costs, default=0.0)
        new: list[int] = []
        spacing = self._spacing
        if spacing is not None:
            spacing.propose(items)
        # A loop over proposals, because each one taken leaves less room for the next.
        for index, cost in enumerate(costs):
            if least > self._left + _ROUNDING:
                break
            if cost > self._left + _ROUNDING or any(
                left[codes[index]] <= 0 for codes, left in limits
            ):
                continue
            if spacing is not None:
                if not spacing.admits(index):
                    continue
                spacing.take(index)
            self._left -= cost
            for codes, left in limits:
                left[codes[index]] -= 1
            new.append(index)
        self._limits = [
            (codes, np.array(left, dtype=np.float64))
            for (codes, _), (_, left) in zip(self._limits, limits, strict=True)
        ]
        return items[np.array(new, dtype=np.intp)]

    def wanted(self, candidates: Positions) -> int | None:
        """How many items to request from the method; None for all."""
        if math.isinf(self._left):
            return None
        if not len(candidates):
            return 0
        typical = float(np.median(self._costs[candidates])) if self._in_cost else 1.0
        return max(0, math.ceil(self._left / typical))

    def too_dear(self, items: Positions) -> list[Notice]:
        """A notice of a cost that no item is within."""
        least = self._costs[items].min(initial=math.inf)
        if not self._in_cost or not len(items) or least <= self._left:
            return []
        message = f"Nothing fits the budget of {self._left:g}: the least costs {least:g}."
        return [Notice("budget", message)]

    def shortfall(self) -> list[Notice]:
        """A notice of unmet quotas."""
        short = [
            f"{called(kind, name)} {quota[name] - n:g} of {quota[name]}"
            + ("" if (codes == code).any() else " (no item has it)")
            for (kind, quota), (codes, left) in zip(self._quotas, self._limits, strict=False)
            for code, (name, n) in enumerate(zip(quota, left.tolist(), strict=False))
            if n > 0
        ]
        message = f"Quota not met for {listed(short)}: no more items fit."
        return [Notice("quota", message)] if short else []


def _spacing(pool: Pool, constraints: Constraints) -> Spacing:
    """What keeps the items of a batch apart.

    Raises:
        InvalidInput: if the pool has no embeddings, or no signatures where those are asked for.
    """
    by, vectors = constraints.dedupe_by, pool.embeddings
    if pool.signatures is not None and by != "embeddings" and constraints.min_distance is None:
        vectors = pool.signatures
    elif by in CONTENTS:
        raise InvalidInput(
            f"dedupe_by must be embeddings for a pool without signatures; got {by!r}.",
            hint="a configuration makes them of what its adapter shows; in Python, give them as "
            "Pool(signatures=…).",
        )
    if vectors is None:
        what = "min_distance" if constraints.min_distance is not None else "dedupe"
        raise InvalidInput(
            f"{what} must be left out for a pool without embeddings; got "
            f"{getattr(constraints, what)!r}.",
            hint="add embeddings to the pool; in a configuration, by source.embeddings, or for "
            "dedupe the images or texts. Set per_group if you know what is alike.",
        )
    done = pool.labelled & finite_rows(Points(vectors), pool.item_ids)
    labelled = vectors[pool.tie_order[done[pool.tie_order]]]  # the first that is close refuses
    return Spacing(vectors, labelled, Closeness(constraints.min_distance, constraints.dedupe))


def _limit(
    names: Sequence[str], codes: Positions, most: Mapping[Any, float], rest: float
) -> tuple[Positions, NDArray[np.float64]]:
    """The limit each item falls under, and how much each limit has left; the rest is last.

    Args:
        names: distinct.
        codes: shape (n_items,), the position of each item's name.
        most: by name.
        rest: for all other names together.
    """
    keys = {str(name): code for code, name in enumerate(most)}
    limits = np.array([keys.get(name, len(keys)) for name in names], dtype=np.intp)
    return limits[codes], np.array([*most.values(), rest], dtype=np.float64)
