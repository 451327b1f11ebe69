"""Quotas: how many items of each class, group or value of metadata a batch takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.pool import Pool
from labelnext.pool.texts import KINDS, coded
from labelnext.support.annotations import NaturalNumber

Even = Literal["uniform", "input"]
Quota: TypeAlias = Even | Mapping[str | int, NaturalNumber]
Quotas: TypeAlias = (
    Even | Mapping[str | int, NaturalNumber | Even | Mapping[str | int, NaturalNumber]]
)


def by_kind(quota: Quotas, of: str) -> dict[str, Quota]:
    """The quotas by what they are of.

    Args:
        quota: one, or several by what they are of.
        of: what it is of, where it is one.

    Example:
        >>> by_kind({"cat": 3}, "class"), by_kind({"class": "uniform", "city": {}}, "class")
        ({'class': {'cat': 3}}, {'class': 'uniform', 'city': {}})
    """
    if isinstance(quota, str) or _is_one(quota):
        return {of: quota} if quota else {}  # type: ignore[dict-item]  # numbers alone
    return {str(kind): one for kind, one in quota.items()}  # type: ignore[misc]  # no numbers


def check_quotas(quota: Quotas, of: str) -> None:
    """Refuse numbers beside quotas that say themselves what they are of.

    Raises:
        InvalidInput: if there are both, or what they are of is said twice or for nothing.
    """
    if not quota and of not in KINDS:
        raise InvalidInput(f"quota_of must be left out without a quota; got {of!r}.")
    if isinstance(quota, str) or _is_one(quota):
        return
    numbers = [str(name) for name, one in quota.items() if not isinstance(one, str | Mapping)]
    if numbers:
        raise InvalidInput(
            f"quota must be numbers by name, or quotas by what they are of; got numbers for "
            f"{listed(numbers)} among quotas.",
            hint="such as quota: {class: {cat: 10}, city: uniform}.",
        )
    if of != "class":
        raise InvalidInput(f"quota_of must be left out where quota says what it is of; got {of!r}.")


def _is_one(quota: Mapping[Any, Any]) -> bool:
    return not any(isinstance(one, str | Mapping) for one in quota.values())


def kinds_of(pool: Pool, kind: str, quota: Quota) -> tuple[list[str], NDArray[np.intp]]:
    """The distinct classes, groups or values of metadata, and the position of each item's.

    Raises:
        InvalidInput: if the pool has none, or no class of that name.
    """
    if kind == "group":
        return coded(groups_of(pool, "quota"))
    if kind != "class":
        return coded(values_of(pool, kind))
    if not isinstance(quota, str):
        asked = {*map(str, quota)}
        if wrong := sorted(asked.difference(pool.classes or asked)):
            raise InvalidInput(
                f"quota must name classes of the pool, {listed(pool.classes or ())}; "
                f"got {wrong[0]!r}."
            )
    classes = pool.top_classes
    if classes is None:
        raise _no_classes()
    names = [*(pool.classes or map(str, range(int(classes.max(initial=-1)) + 1)))]
    return [*names, ""], np.where(classes < 0, len(names), classes)


def texts_of(pool: Pool, kind: str) -> NDArray[np.str_]:
    """The predicted class, the group or the value of metadata of each item; "" for none.

    Raises:
        InvalidInput: if the pool has none.
    """
    if kind == "group":
        return groups_of(pool, "quota")
    if kind != "class":
        return values_of(pool, kind)
    names = pool.top_names
    if names is None:
        raise _no_classes()
    return names


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


def values_of(pool: Pool, column: str) -> NDArray[np.str_]:
    """A column of the pool's metadata.

    Raises:
        InvalidInput: if it has no such column.
    """
    known = pool.metadata or {}
    check_columns([column], known)
    return known[column]


def check_columns(kinds: Iterable[str], known: Iterable[str]) -> None:
    """Refuse quotas of what is neither class nor group nor a column of the metadata.

    Args:
        kinds: what quotas are of.
        known: the columns.

    Raises:
        InvalidInput: naming the first.
    """
    choices = [*KINDS, *known]
    for kind in kinds:
        if kind not in choices:
            raise InvalidInput(
                f"quota must be of one of {', '.join(choices)}; got {kind!r}.",
                hint="add columns as metadata of the pool; in a configuration, by source.metadata.",
            )


def called(kind: str, name: str) -> str:
    """A class, a group or a value of metadata in a message.

    Example:
        >>> called("class", "cat"), called("city", "Oslo"), called("city", "")
        ('cat', 'city Oslo', 'no city')
    """
    if not name:
        return f"no {kind}"
    return str(name) if kind in KINDS else f"{kind} {name}"


def _no_classes() -> InvalidInput:
    return InvalidInput(
        "quota must be by group for a pool without predicted classes; got 'class'.",
        hint="set quota_of: group, or read predictions with classes.",
    )


def shared(
    how: Even, counts: Mapping[str, int], budget: int, kind: str = "class"
) -> dict[Any, int]:
    """A quota for each name; together the budget, or all items if there are fewer.

    Args:
        how: uniform, as equal as the counts allow; or input, in proportion to the counts. What
            doesn't divide goes to the first names, or to the largest remainders.
        counts: how many items of each name there are to choose from; items without a class or
            group are left out, those without a value of metadata have an empty name.
        budget: of items.
        kind: class, group or a column of the metadata.

    Example:
        >>> counts = {"cat": 70, "dog": 27, "owl": 3}
        >>> shared("uniform", counts, 20), shared("input", counts, 20)
        ({'cat': 9, 'dog': 8, 'owl': 3}, {'cat': 14, 'dog': 5, 'owl': 1})
    """
    counts = {name: counts[name] for name in sorted(counts) if name or kind not in KINDS}
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
            hint="set a budget, or give a number for each name.",
        )
    if budget_in == "cost":
        raise InvalidInput(
            f"quota must be numbers by name where budget_in is cost; got {quota!r}.",
            hint="such as quota: {cat: 10}.",
        )
