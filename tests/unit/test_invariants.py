"""What holds for every acquisition function and selection method of the tables."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from labelnext.acquisition import ACQUISITIONS, get_acquisition
from labelnext.pool import Objects, Pool
from labelnext.ranking import rank
from labelnext.selection import SELECTIONS, get_selection

ONE_MODEL = [name for name in ACQUISITIONS.own_names() if not get_acquisition(name).members]
OF_ITEMS = [name for name in ONE_MODEL if "items" in get_acquisition(name).of]
COMMITTEES = [
    name
    for name in ACQUISITIONS.own_names()
    if get_acquisition(name).members and "items" in get_acquisition(name).of
]
OF_OBJECTS = [name for name in ONE_MODEL if "objects" in get_acquisition(name).of]


@st.composite
def distributions(draw: st.DrawFn) -> np.ndarray:
    n, c = draw(st.integers(0, 8)), draw(st.integers(1, 6))
    weights = draw(hnp.arrays(np.float64, (n, c), elements=st.floats(0, 1)))
    weights[weights.sum(axis=1) == 0] = 1
    return weights / weights.sum(axis=1, keepdims=True)


@st.composite
def detections(draw: st.DrawFn) -> Objects:
    counts = draw(st.lists(st.integers(0, 4), max_size=6))
    n, c = sum(counts), draw(st.integers(2, 5))
    vectors = draw(hnp.arrays(np.float64, (n, c), elements=st.floats(0, 1)))
    return Objects(
        np.concatenate([[0], np.cumsum(counts)]).astype(int),
        vectors.max(axis=1, initial=0),
        probabilities=vectors,
        embeddings=vectors[:, :2] - 0.5,
    )


def bounds(name: str, **sizes: int) -> tuple[float, float]:
    """The range that the table states, for K classes, M members and n objects."""
    stated = get_acquisition(name).range.removeprefix("[").partition("]")[0]
    text = stated.replace("−", "-").replace("²", "**2")
    text = re.sub(r"ln (min\([^)]*\)|\w+)", r"log(\1)", text)
    low, high = re.sub(r"(\w) log", r"\1*log", text).split(", ", 1)
    names = {"log": math.log, "min": min, **sizes}
    value = (float(eval(end, {"__builtins__": {}}, names)) for end in (low, high))
    return next(value), next(value)


def test_the_range_of_a_row_is_read_as_people_read_it() -> None:
    assert bounds("least_confidence", K=4) == (0.0, 0.75)
    assert bounds("variance", K=2) == (0.0, 0.25)
    assert bounds("distinct_entropy", K=2, n=3) == (0.0, 3 * math.log(2))
    assert bounds("vote_entropy", K=5, M=2) == (0.0, math.log(2))


@pytest.mark.parametrize("name", COMMITTEES)
@given(seed=st.integers(0, 999), n_members=st.integers(2, 5), n_classes=st.integers(2, 6))
def test_scores_of_committees_stay_in_the_stated_range(
    name: str, seed: int, n_members: int, n_classes: int
) -> None:
    rng = np.random.default_rng(seed)
    members = rng.dirichlet(np.full(n_classes, 0.2), size=(n_members, 5))
    scores = get_acquisition(name).function(members)
    low, high = bounds(name, K=n_classes, M=n_members)
    assert (scores >= low).all()
    assert (scores <= high + 1e-9).all()


@pytest.mark.parametrize("name", OF_ITEMS)
@given(rows=distributions())
def test_scores_stay_in_the_stated_range(name: str, rows: np.ndarray) -> None:
    scores = get_acquisition(name).function(rows)
    assert scores.shape == (len(rows),)
    assert not np.signbit(scores).any()
    low, high = bounds(name, K=rows.shape[1])
    assert (scores >= low).all()
    assert (scores <= high + 1e-9).all()


@pytest.mark.parametrize("name", OF_ITEMS)
@given(rows=distributions(), seed=st.integers(0, 99))
def test_scores_follow_their_rows(name: str, rows: np.ndarray, seed: int) -> None:
    f = get_acquisition(name).function
    order = np.random.default_rng(seed).permutation(len(rows))
    assert (f(rows[order]) == f(rows)[order]).all()


@pytest.mark.parametrize("name", OF_ITEMS)
@given(rows=distributions(), seed=st.integers(0, 99))
def test_scores_ignore_the_order_of_the_classes(name: str, rows: np.ndarray, seed: int) -> None:
    f = get_acquisition(name).function
    columns = np.random.default_rng(seed).permutation(rows.shape[1])
    assert f(rows[:, columns]) == pytest.approx(f(rows), abs=1e-12)


@pytest.mark.parametrize("name", OF_ITEMS)
def test_uniform_row_is_ranked_before_a_certain_one(name: str) -> None:
    pool = Pool(["certain", "unsure"], probabilities=[[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]])
    assert rank(pool, name).item_ids.tolist() == ["unsure", "certain"]


@pytest.mark.parametrize("name", OF_ITEMS)
def test_float32_ranks_as_float64(name: str) -> None:
    rows = np.random.default_rng(5).dirichlet(np.ones(4), 200)
    ids = np.arange(200)
    wide = rank(Pool(ids, probabilities=rows), name).item_ids
    narrow = rank(Pool(ids, probabilities=rows.astype(np.float32)), name).item_ids
    assert (wide == narrow).mean() > 0.98  # near-ties may swap


@pytest.mark.parametrize("name", OF_OBJECTS)
@settings(deadline=None)  # a busy machine takes longer
@given(objects=detections(), seed=st.integers(0, 99))
def test_scores_follow_the_items_of_their_objects(name: str, objects: Objects, seed: int) -> None:
    f = get_acquisition(name).function
    order = np.random.default_rng(seed).permutation(len(objects))
    assert f(objects.take(order)) == pytest.approx(f(objects)[order], abs=1e-12)


@pytest.mark.parametrize("policy", ["first", "last"])
@pytest.mark.parametrize("name", OF_OBJECTS)
@settings(deadline=None)  # a busy machine takes longer
@given(objects=detections())
def test_items_without_objects_stand_where_the_policy_says(
    name: str, policy: str, objects: Objects
) -> None:
    pool = Pool([f"i{i}" for i in range(len(objects))], objects=objects)
    ranking = rank(pool, name, of="objects", no_objects=policy)
    empty = set(pool.item_ids[objects.counts == 0].tolist())
    order = ranking.item_ids.tolist()
    if policy == "last":
        order.reverse()
    assert set(order[: len(empty)]) == empty


@pytest.mark.parametrize(
    "name", [name for name in ACQUISITIONS.own_names() if "objects" in get_acquisition(name).of]
)
def test_items_go_by_id_where_nothing_was_found_in_any(name: str) -> None:
    # Nobody can say of which columns objects would have been.
    nothing = Objects([0, 0, 0], [])
    several = get_acquisition(name).members
    pool = Pool(["b", "a"], objects=(nothing, nothing) if several else nothing)
    assert rank(pool, name, of="objects").item_ids.tolist() == ["a", "b"]


@pytest.mark.parametrize("method", SELECTIONS.own_names())
@settings(deadline=None, max_examples=25)  # k-means takes its time
@given(seed=st.integers(0, 50), n=st.integers(0, 30))
def test_ranking_does_not_depend_on_the_order_of_the_rows(method: str, seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    pool = made_pool(rng, n)
    order = rng.permutation(n)
    shuffled = made_pool(np.random.default_rng(seed), n, order)
    assert pool.fingerprint() == shuffled.fingerprint()
    first, second = (chosen(p, method, budget=7) for p in (pool, shuffled))
    assert first.item_ids.tolist() == second.item_ids.tolist()
    assert first.pool_order.tolist() == second.pool_order.tolist()


@pytest.mark.parametrize("method", SELECTIONS.own_names())
@settings(deadline=None, max_examples=25)  # k-means takes its time
@given(seed=st.integers(0, 50), n=st.integers(0, 30), budget=st.integers(1, 40))
def test_batch_is_distinct_unlabelled_and_of_the_size_asked_for(
    method: str, seed: int, n: int, budget: int
) -> None:
    pool = made_pool(np.random.default_rng(seed), n)
    batch = chosen(pool, method, budget=budget).item_ids.tolist()
    candidates = set(pool.item_ids[~pool.labelled].tolist())
    assert len(set(batch)) == len(batch) == min(budget, len(candidates))
    assert set(batch) <= candidates


@pytest.mark.parametrize("method", SELECTIONS.own_names())
def test_same_seed_gives_the_same_batch(method: str) -> None:
    pool = made_pool(np.random.default_rng(0), 40)
    first, second = (chosen(pool, method, budget=9) for _ in range(2))
    assert first.item_ids.tolist() == second.item_ids.tolist()


def made_pool(rng: np.random.Generator, n: int, order: np.ndarray | None = None) -> Pool:
    """A pool with ties, labelled items and one missing, its rows in the given order."""
    rows = rng.dirichlet(np.ones(3), n).round(1)
    rows /= rows.sum(axis=1, keepdims=True)
    points = rng.normal(size=(n, 4))
    labels = np.where(rng.random(n) < 0.2, 0, -1)
    place = np.arange(n) if order is None else order
    objects = Objects(np.arange(n + 1), rows.max(axis=1), embeddings=points.round())
    return Pool(
        (np.arange(n) * 7)[place],
        objects=objects.take(place),
        probabilities=rows[place],
        embeddings=points[place],
        labels=labels[place],
    )


def chosen(pool: Pool, method: str, *, budget: int):
    score = "entropy" if "utilities" in get_selection(method).inputs else None
    return rank(pool, score, selection=method, budget=budget, seed=3)
