"""Constraints on a batch, for any method: quotas, groups, included and excluded items, costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.support.words import counted

Positions: TypeAlias = NDArray[np.intp]
Choose = Callable[[Positions, Positions, int | None], Positions]
QuotaOf = Literal["class", "group"]
BudgetIn = Literal["items", "cost"]


@dataclass(frozen=True)
class Constraints:
    """Constraints on the batch; options of every selection method.

    Attributes:
        exclude: ids of items to keep out of the ranking.
        include: ids of items to put first in the batch, in this order.
        quota: number of items in the batch per class or group; classes or groups without a quota
            share the rest of the budget.
        quota_of: class (predicted; for an image, that of its most confident object) or group.
        per_group: maximum items per group; items without a group are not limited.
        budget_in: items, or cost: then the batch costs at most the budget.
    """

    exclude: Sequence[str] = ()
    include: Sequence[str] = ()
    quota: Mapping[str, int] = field(default_factory=dict)
    quota_of: QuotaOf = "class"
    per_group: int | None = None
    budget_in: BudgetIn = "items"

    def __post_init__(self) -> None:
        for name, known in (("quota_of", get_args(QuotaOf)), ("budget_in", get_args(BudgetIn))):
            if getattr(self, name) not in known:
                raise InvalidInput(
                    f"{name} must be one of {', '.join(known)}; got {getattr(self, name)!r}."
                )
        for name in ("exclude", "include"):
            if isinstance(getattr(self, name), str) or not isinstance(
                getattr(self, name), Sequence
            ):
                raise InvalidInput(f"{name} must be a list of ids; got {getattr(self, name)!r}.")
        if not isinstance(self.quota, Mapping) or not all(map(_is_count, self.quota.values())):
            raise InvalidInput(
                f"quota must be a mapping of names to whole numbers of at least 0; "
                f"got {self.quota!r}."
            )
        if self.per_group is not None and not (_is_count(self.per_group) and self.per_group):
            raise InvalidInput(
                f"per_group must be a whole number of at least 1; got {self.per_group!r}."
            )

    @property
    def any(self) -> bool:
        """Whether any constraint can change the method's batch."""
        return bool(
            self.include or self.quota or self.per_group is not None or self.budget_in == "cost"
        )

    def excluded(self, pool: Pool) -> tuple[NDArray[np.bool_], list[Notice]]:
        """Which items are excluded, shape (n_items,), and a notice of unknown ids."""
        ids = [str(i) for i in self.exclude]
        unknown = tuple(sorted(set(ids).difference(pool.item_ids.tolist())))
        message = f"Ignored {counted(len(unknown), 'id')} in exclude: not in the pool."
        notices = [Notice("unknown_id", message, unknown)] if unknown else []
        return np.isin(pool.item_ids, ids), notices

    def included(self, pool: Pool) -> Positions:
        """Positions of the items that come first.

        Raises:
            InvalidInput: if one is not in the pool, already labelled, excluded, or listed twice.
        """
        ids = [str(i) for i in self.include]
        row_of = {name: i for i, name in enumerate(pool.item_ids.tolist())}
        rules = (
            ("be in the pool", [i for i in ids if i not in row_of]),
            ("not be labelled", [i for i in ids if i in row_of and not pool.candidates[row_of[i]]]),
            ("not be excluded too", [i for i in ids if i in set(map(str, self.exclude))]),
            ("be distinct", ids if len(set(ids)) < len(ids) else []),
        )
        for rule, wrong in rules:
            if wrong:
                raise InvalidInput(f"include must {rule}; got {listed(wrong)}.")
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
            Positions in order, and a notice of unmet quotas.
        """
        taken = self.included(pool)
        candidates = candidates[~np.isin(candidates, taken)]
        room = _Room(pool, self, budget)
        for item in taken:
            room.take(item)
        while True:
            # Candidates all fit, so every round takes at least its first proposal.
            candidates = candidates[room.for_(candidates) & ~np.isin(candidates, taken)]
            wanted = room.wanted(candidates)
            if not len(candidates) or wanted == 0:
                break
            new = []
            for item in choose(candidates, taken, wanted):
                if room.for_(item):
                    room.take(item)
                    new.append(item)
            taken = np.concatenate([taken, np.array(new, dtype=np.intp)])
        return taken, room.shortfall()


class _Room:
    """The room left in the batch."""

    def __init__(self, pool: Pool, constraints: Constraints, budget: int | None) -> None:
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
        self._quota = dict(constraints.quota)
        if self._quota:
            if not in_cost and sum(self._quota.values()) > self._left:
                raise InvalidInput(
                    f"quota must sum to at most the budget of {budget}; "
                    f"got {sum(self._quota.values())}."
                )
            of_class = constraints.quota_of == "class"
            wrong = sorted(
                {*map(str, self._quota)}.difference(pool.classes or map(str, self._quota))
            )
            if of_class and wrong:
                raise InvalidInput(
                    f"quota must name classes of the pool, {listed(pool.classes or ())}; "
                    f"got {wrong[0]!r}."
                )
            names = (classes_of if of_class else groups_of)(pool, "quota")
            rest = math.inf if in_cost else self._left - sum(self._quota.values())
            self._limits.append(_limit(names, {**self._quota}, rest))
        if constraints.per_group is not None:
            groups = groups_of(pool, "per_group")
            each = dict.fromkeys(np.unique(groups[groups != ""]).tolist(), constraints.per_group)
            self._limits.append(_limit(groups, each, math.inf))

    def for_(self, items: Positions) -> NDArray[np.bool_]:
        """Whether each item fits."""
        fits = self._costs[items] <= self._left + 1e-9
        for codes, left in self._limits:
            fits &= left[codes[items]] > 0
        return np.asarray(fits)

    def take(self, item: int) -> None:
        """Put an item into the batch."""
        self._left -= self._costs[item]
        for codes, left in self._limits:
            left[codes[item]] -= 1

    def wanted(self, candidates: Positions) -> int | None:
        """How many items to request from the method; None for all."""
        if math.isinf(self._left):
            return None
        if not len(candidates):
            return 0
        typical = float(np.median(self._costs[candidates])) if self._in_cost else 1.0
        return max(0, math.ceil(self._left / typical))

    def shortfall(self) -> list[Notice]:
        """A notice of unmet quotas."""
        if not self._quota:
            return []
        left = dict(zip(self._quota, self._limits[0][1].tolist(), strict=False))
        short = [
            f"{name} {self._quota[name] - n:g} of {self._quota[name]}"
            for name, n in left.items()
            if n > 0
        ]
        message = f"Quota not met for {listed(short)}: no more items fit."
        return [Notice("quota", message)] if short else []


def _limit(
    names: NDArray[np.str_], most: Mapping[str, float], rest: float
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The limit each item falls under, and how much each limit has left; the rest is last."""
    keys = {str(name): code for code, name in enumerate(most)}
    distinct, inverse = np.unique(names, return_inverse=True)
    codes = np.array([keys.get(name, len(keys)) for name in distinct.tolist()], dtype=np.intp)
    return codes[inverse], np.array([*most.values(), rest], dtype=np.float64)


def groups_of(pool: Pool, what: str) -> NDArray[np.str_]:
    """The groups of a pool; `what` is the option that needs them.

    Raises:
        InvalidInput: if the pool has none.
    """
    if pool.groups is None:
        raise InvalidInput(
            f"{what} must be left out for a pool without groups.",
            hint="add a groups column to the pool, such as each frame's video.",
        )
    return pool.groups


def classes_of(pool: Pool, what: str) -> NDArray[np.str_]:
    """The predicted classes of a pool, see `Pool.top_names`; `what` is the option that needs them.

    Raises:
        InvalidInput: if the pool has none.
    """
    names = pool.top_names
    if names is None:
        raise InvalidInput(
            f"{what} must be by group for a pool without predicted classes; got 'class'.",
            hint="set quota_of: group, or read predictions with classes.",
        )
    return names


def _is_count(value: object) -> bool:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return whole and int(value) >= 0  # type: ignore[call-overload]  # a whole number by now
