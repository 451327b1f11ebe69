"""Quotas that follow from the items: the same for every kind, or each kind's share of the pool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from labelnext.errors import InvalidInput

Even = Literal["uniform", "input"]


def shared(how: Even, counts: Mapping[str, int], budget: int) -> dict[Any, int]:
    """A quota for each kind of item; together the budget, or all items if there are fewer.

    Args:
        how: uniform, as equal as the counts allow; or input, in proportion to the counts. What
            doesn't divide goes to the first names, or to the largest remainders.
        counts: how many items of each kind there are to choose from; an empty name is left out.
        budget: of items.

    Example:
        >>> counts = {"cat": 70, "dog": 27, "owl": 3}
        >>> shared("uniform", counts, 20), shared("input", counts, 20)
        ({'cat': 9, 'dog': 8, 'owl': 3}, {'cat': 14, 'dog': 5, 'owl': 1})
    """
    counts = {name: counts[name] for name in sorted(counts) if name}
    budget = min(budget, sum(counts.values()))
    return _uniform(counts, budget) if how == "uniform" else _as_input(counts, budget)


def _uniform(counts: Mapping[str, int], budget: int) -> dict[str, int]:
    quotas: dict[str, int] = {}
    left = dict(counts)
    while left:
        share = (budget - sum(quotas.values())) // len(left)
        small = {name: n for name, n in left.items() if n <= share}
        if not small:
            break
        quotas |= small
        left = {name: n for name, n in left.items() if name not in small}
    rest = budget - sum(quotas.values())
    for number, name in enumerate(left):
        quotas[name] = rest // len(left) + (number < rest % len(left))
    return {name: quotas[name] for name in counts}


def _as_input(counts: Mapping[str, int], budget: int) -> dict[str, int]:
    total = sum(counts.values()) or 1
    quotas = {name: budget * n // total for name, n in counts.items()}
    remainders = {name: budget * n % total for name, n in counts.items()}
    largest = sorted(remainders, key=lambda name: -remainders[name])
    for name in largest[: budget - sum(quotas.values())]:
        quotas[name] += 1
    return quotas


def check_even(quota: Even, budget: int | None, budget_in: str) -> None:
    """Refuse a quota that has to follow from the items, where there is no number of items.

    Raises:
        InvalidInput: if there is none.
    """
    if budget is None:
        raise InvalidInput(
            f"budget must be given for a quota of shares; got None and quota {quota!r}.",
            hint="set selection.budget, or give numbers: quota: {cat: 10}.",
        )
    if budget_in == "cost":
        raise InvalidInput(
            f"quota must be numbers by name where budget_in is cost; got {quota!r}.",
            hint="such as quota: {cat: 10}.",
        )
