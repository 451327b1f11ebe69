"""Random pools, every function, method and limit, against a few lines of numpy."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelnext.acquisition import ACQUISITIONS, get_acquisition
from labelnext.pool import Objects, Pool
from labelnext.ranking import rank
from labelnext.selection import SELECTIONS, get_selection

ITEMS = [name for name in ACQUISITIONS.own_names() if "items" in get_acquisition(name).of]
OBJECTS = [name for name in ACQUISITIONS.own_names() if "objects" in get_acquisition(name).of]
IDS = ["10", "9", "1", "02", "2", "-3", "-03", "0", "77", "100", "5", "05"]
OTHER_IDS = ["a", "B", "ab", "é", "10", "9", " x", "z", "-", "Z", "𝔞", "ﬀ"]


def entropy_of(p: np.ndarray) -> np.ndarray:
    logs = np.log(np.where(p > 0, p, 1))
    return -(p * logs).sum(axis=-1)


def votes_of(members: np.ndarray) -> np.ndarray:
    """Share of the members that vote for each class, shape (n_items, n_classes)."""
    n_classes = members.shape[2]
    return np.eye(n_classes)[members.argmax(axis=2)].mean(axis=0)


#: Textbook values from members of shape (n_members, n_items, n_classes), and what comes first.
TEXTBOOK: dict[str, Any] = {
    "least_confidence": lambda m: 1 - m.mean(axis=0).max(axis=1),
    "margin": lambda m: np.diff(np.sort(m.mean(axis=0), axis=1)[:, -2:], axis=1)[:, 0],
    "variance": lambda m: m.mean(axis=0).var(axis=1),
    "entropy": lambda m: entropy_of(m.mean(axis=0)),
    "vote_entropy": lambda m: entropy_of(votes_of(m)),
    "consensus_entropy": lambda m: entropy_of(m.mean(axis=0)),
    "bald": lambda m: entropy_of(m.mean(axis=0)) - entropy_of(m).mean(axis=0),
    "variation_ratio": lambda m: 1 - votes_of(m).max(axis=1),
    "kl_max": lambda m: (
        (m * (np.log(np.where(m > 0, m, 1)) - np.log(np.maximum(m.mean(axis=0), 1e-300)))).sum(
            axis=2
        )
    ).max(axis=0),
}


def textbook(name: str, members: np.ndarray) -> np.ndarray:
    """The values of a formula in TEXTBOOK.

    A function without one is asked for each item alone: its docstring has an example by hand.
    """
    if name in TEXTBOOK:
        return np.asarray(TEXTBOOK[name](members))
    function = get_acquisition(name)
    rows = members if function.members else members.mean(axis=0)
    n_items = rows.shape[-2]
    return np.array([function.function(rows[..., [i], :])[0] for i in range(n_items)])


EXACT = {"least_confidence", "margin", "variation_ratio"}  # on eighths, for 1, 2 or 4 members


def drawn_pool(seed: int, n: int, n_members: int, *, whole: bool) -> tuple[Pool, np.ndarray]:
    """A pool of rows in eighths, so that many tie, with labels, gaps, groups and objects."""
    rng = np.random.default_rng(seed)
    ids = rng.permutation(IDS if rng.random() < 0.5 else OTHER_IDS)[:n]
    n_classes = int(rng.integers(2, 5))
    members = rng.multinomial(8, np.full(n_classes, 1 / n_classes), (n_members, n)) / 8
    missing = (rng.random(n) < 0.1) & (not whole)
    counts = np.where(missing, 0, rng.integers(0, 4, n))
    total = int(counts.sum())
    objects = [
        Objects(
            np.concatenate([[0], np.cumsum(counts)]),
            vectors.max(axis=1, initial=0),
            class_ids=vectors.argmax(axis=1),
            probabilities=vectors,
            boxes=np.sort(rng.random((total, 2, 2)), axis=1).reshape(total, 4),
            embeddings=rng.normal(size=(total, 3)),
            missing=missing,
        )
        for vectors in rng.multinomial(8, np.full(n_classes, 1 / n_classes), (n_members, total)) / 8
    ]
    pool = Pool(
        ids,
        probabilities=members if n_members > 1 else members[0],
        labels=np.where((rng.random(n) < 0.2) & (not whole), 0, -1),
        embeddings=rng.integers(0, 3, (n, 3)).astype(float),
        groups=rng.choice(["u", "v", "w", ""], n),
        costs=rng.integers(1, 4, n),
        objects=tuple(objects) if n_members > 1 else objects[0],
        missing=missing,
    )
    return pool, members


def by_id(pool: Pool) -> list[int]:
    """Positions in the order of the ids."""
    names = pool.item_ids.tolist()
    try:
        return sorted(range(len(names)), key=lambda i: (int(names[i]), names[i]))
    except ValueError:
        return sorted(range(len(names)), key=names.__getitem__)


pools = {
    "seed": st.integers(0, 2**31),
    "n": st.integers(0, 12),
    "n_members": st.sampled_from([1, 2, 4]),
    "whole": st.booleans(),
}


@pytest.mark.parametrize("name", ITEMS)
@settings(max_examples=25)
@given(budget=st.sampled_from([None, 1, 3, 50]), **pools)
def test_order_of_items_is_that_of_the_textbook(
    name: str, budget: int | None, seed: int, n: int, n_members: int, whole: bool
) -> None:
    n_members = max(n_members, 2) if get_acquisition(name).members else 1
    pool, members = drawn_pool(seed, n, n_members, whole=whole)
    ranking = rank(pool, name, budget=budget, of="items")
    sign = 1 if get_acquisition(name).direction == "low" else -1
    expected = textbook(name, members) if n else np.empty(0)
    candidates = [i for i in by_id(pool) if not pool.labelled[i] and not pool.missing[i]]
    scores = dict(zip(ranking.pool_order.tolist(), ranking.pool_scores.tolist(), strict=True))
    assert sorted(scores) == sorted(pool.item_ids[candidates].tolist())
    for i in candidates:
        assert scores[pool.item_ids[i]] == pytest.approx(expected[i], abs=1e-9)
    if name in EXACT:
        assert all(scores[pool.item_ids[i]] == expected[i] for i in candidates)
    order = sorted(candidates, key=lambda i: sign * scores[pool.item_ids[i]])  # stable: by id
    assert ranking.pool_order.tolist() == pool.item_ids[order].tolist()
    assert ranking.item_ids.tolist() == pool.item_ids[order][:budget].tolist()
    gaps = set(pool.item_ids[pool.missing & ~pool.labelled].tolist())
    assert set(ranking.unscored_ids) == gaps


@pytest.mark.parametrize("name", OBJECTS)
@settings(max_examples=10)
@given(**pools)
def test_order_of_objects_follows_the_scores(
    name: str, seed: int, n: int, n_members: int, whole: bool
) -> None:
    n_members = max(n_members, 2) if get_acquisition(name).members else 1
    pool, _ = drawn_pool(seed, n, n_members, whole=whole)
    ranking = rank(pool, name, of="objects")
    sign = 1 if get_acquisition(name).direction == "low" else -1
    assert pool.newest_objects is not None
    empty = np.all([objects.counts == 0 for objects in pool.object_sets], axis=0)
    scores = dict(zip(ranking.pool_order.tolist(), ranking.pool_scores.tolist(), strict=True))
    candidates = [i for i in by_id(pool) if not pool.labelled[i] and not pool.missing[i]]
    keys = {i: -np.inf if empty[i] else sign * scores[pool.item_ids[i]] for i in candidates}
    order = sorted(candidates, key=keys.__getitem__)
    assert ranking.pool_order.tolist() == pool.item_ids[order].tolist()
    if name == "mean_object_confidence":
        (objects,) = pool.object_sets
        for i in candidates:
            found = objects.confidences[objects.offsets[i] : objects.offsets[i + 1]]
            wanted = found.mean() if len(found) else 0
            assert scores[pool.item_ids[i]] == pytest.approx(wanted, abs=1e-12)


def fitting(
    order: list[str], pool: Pool, include: list[str], per_group: int | None, budget: float
) -> list[str]:
    """What fits in order: the included items, then the others, each group up to its limit."""
    assert pool.groups is not None
    group_of = dict(zip(pool.item_ids.tolist(), pool.groups.tolist(), strict=True))
    seen: Counter[str] = Counter()
    batch: list[str] = []
    for name in [*include, *(i for i in order if i not in include)]:
        group = group_of[name]
        full = per_group is not None and group and seen[group] >= per_group
        if len(batch) < budget and (name in include or not full):
            batch.append(name)
            seen[group] += 1
    return batch


@pytest.mark.parametrize("method", SELECTIONS.own_names())
@settings(max_examples=8)
@given(
    function=st.sampled_from(["margin", "entropy", "least_confidence", "variance"]),
    budget=st.sampled_from([None, 1, 3, 50]),
    per_group=st.sampled_from([None, None, 1, 2]),
    limits=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    seed=st.integers(0, 2**31),
    n=st.integers(0, 12),
)
def test_batches_of_every_method_keep_to_their_limits(
    method: str,
    function: str,
    budget: int | None,
    per_group: int | None,
    limits: tuple[int, int],
    seed: int,
    n: int,
) -> None:
    pool, _ = drawn_pool(seed, n, 1, whole=True)
    names = pool.item_ids.tolist()
    include, exclude = names[: limits[0]], names[limits[0] :][: limits[1]]
    include = include[:budget]
    options: dict[str, Any] = {"include": include, "exclude": exclude}
    if per_group is not None:
        options["per_group"] = per_group
    if "n_clusters" in get_selection(method).options:
        options["n_clusters"] = 2
    ranking = rank(
        pool, function, budget=budget, selection=method, seed=seed % 7, of="items", **options
    )
    batch = ranking.item_ids.tolist()
    assert batch[: len(include)] == include
    assert len(set(batch)) == len(batch)
    assert not set(batch) & set(exclude)
    order = [i for i in names if i not in exclude]
    most = np.inf if budget is None else budget
    if per_group is not None:
        assert pool.groups is not None
        group_of = dict(zip(names, pool.groups.tolist(), strict=True))
        counts, own = (Counter(group_of[i] for i in part) for part in (batch, include))
        assert all(count <= max(per_group, own[g]) for g, count in counts.items() if g)
    assert len(batch) == len(fitting(order, pool, include, per_group, most))
    if method == "top_k":
        plain = [i for i in rank(pool, function, of="items").pool_order.tolist() if i in order]
        assert batch == fitting(plain, pool, include, per_group, most)


@pytest.mark.parametrize("name", ITEMS)
def test_scores_have_the_same_digits_in_every_layout(name: str) -> None:
    rows = np.random.default_rng(0).dirichlet(np.full(7, 0.3), size=(3, 50))
    rows = rows if get_acquisition(name).members else rows[0]
    wide = np.empty((*rows.shape[:-1], 14))
    wide[..., ::2] = rows
    wanted = rank(Pool(range(50), probabilities=rows), name).pool_scores.tolist()
    for layout in (np.asfortranarray(rows), wide[..., ::2], rows.astype(">f8"), rows.tolist()):
        ranking = rank(Pool(range(50), probabilities=layout), name)
        assert ranking.pool_scores.tolist() == wanted
