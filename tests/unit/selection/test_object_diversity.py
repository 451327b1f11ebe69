"""Object diversity: the class-aware distance by hand, and what the batch must do."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from labelnext import rank
from labelnext.errors import InvalidInput, LabelnextWarning
from labelnext.pool import Objects, Pool
from labelnext.selection.object_diversity import image_distances, object_diversity

# The package's attribute of this name is the function.
module = importlib.import_module("labelnext.selection.object_diversity")


def made_objects(rng: np.random.Generator, n_items: int, n_classes: int = 3) -> Objects:
    counts = rng.integers(0, 5, n_items)
    n = int(counts.sum())
    return Objects(
        np.concatenate([[0], np.cumsum(counts)]),
        rng.uniform(0.05, 1, n),
        class_ids=rng.integers(0, n_classes, n),
        embeddings=rng.normal(size=(n, 6)),
    )


def distance_by_the_formula(first: Objects, second: Objects, i: int, j: int) -> float:
    """The same, written out object by object."""

    def one_way(a: Objects, x: int, b: Objects, y: int) -> float:
        own = range(*a.offsets[x : x + 2])
        there = range(*b.offsets[y : y + 2])
        total = weight = 0.0
        for d in own:
            alike = [
                1
                - a.embeddings[d]
                @ b.embeddings[e]
                / np.linalg.norm(a.embeddings[d])
                / np.linalg.norm(b.embeddings[e])
                for e in there
                if a.class_ids[d] == b.class_ids[e]
            ]
            total += a.confidences[d] * min(alike, default=2.0)
            weight += a.confidences[d]
        if not weight:
            return 2.0 if len(there) else 0.0
        return total / weight

    return (one_way(first, i, second, j) + one_way(second, j, first, i)) / 2


def test_no_items_give_an_empty_batch() -> None:
    none = Objects([0], [], embeddings=np.empty((0, 3)))
    assert object_diversity(np.empty(0), none, budget=3).tolist() == []


def test_distances_are_those_of_the_formula() -> None:
    rng = np.random.default_rng(0)
    a, b = made_objects(rng, 9), made_objects(rng, 7)
    expected = [[distance_by_the_formula(a, b, i, j) for j in range(7)] for i in range(9)]
    assert image_distances(a, b) == pytest.approx(np.array(expected), abs=1e-5)
    assert image_distances(a, a) == pytest.approx(
        np.array([[distance_by_the_formula(a, a, i, j) for j in range(9)] for i in range(9)]),
        abs=1e-5,
    )


def test_distances_in_blocks_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    a, b = made_objects(rng, 12), made_objects(rng, 8)
    whole = image_distances(a, b)
    monkeypatch.setattr(module, "_BLOCK", 1)
    assert image_distances(a, b) == pytest.approx(whole, abs=1e-6)


def test_an_image_has_no_distance_to_itself_and_the_same_both_ways() -> None:
    # The paper's published code counts the diagonal; here it is zero.
    objects = made_objects(np.random.default_rng(2), 10)
    found = image_distances(objects, objects)
    assert np.diag(found) == pytest.approx(0, abs=1e-6)
    assert (found == found.T).all()
    assert found.min() >= 0
    assert found.max() <= 2


def test_same_looks_of_another_class_are_far() -> None:
    look = [[1.0, 0.0]]
    car, van = (Objects([0, 1], [0.9], class_ids=[c], embeddings=look) for c in (0, 1))
    assert image_distances(car, car).item() == 0
    assert image_distances(car, van).item() == 2


def test_faint_objects_move_the_distance_less() -> None:
    # Shares 0.9 and 0.1 of the confidence; the second object's nearest is at 1, the first's at 0.
    looks = [[1.0, 0.0], [0.0, 1.0]]
    pair = Objects([0, 2], [0.9, 0.1], embeddings=looks)
    lone = Objects([0, 1], [0.5], embeddings=looks[:1])
    assert image_distances(pair, lone).item() == pytest.approx((0.1 + 0) / 2)


def test_batch_takes_one_of_each_kind_where_top_k_takes_twins() -> None:
    looks = [[1.0, 0.0], [1.0, 0.01], [1.0, 0.02], [0.0, 1.0]]
    objects = Objects(range(5), [0.5] * 4, embeddings=looks)
    scores = np.array([4.0, 3.0, 2.0, 1.0])
    # Of the three alike, the second is the medoid.
    assert object_diversity(scores, objects, budget=2).tolist() == [1, 3]
    assert object_diversity(scores, objects, budget=2, pool_factor=1).tolist() == [0, 1]


def test_batch_covers_more_than_the_best_scores_do() -> None:
    rng = np.random.default_rng(3)
    objects, scores = made_objects(rng, 200), rng.random(200)
    distances = image_distances(objects, objects)
    best = np.argsort(-scores)[:80]
    radius = [
        distances[np.ix_(best, batch)].min(axis=1).mean()
        for batch in (object_diversity(scores, objects, budget=20), best[:20])
    ]
    assert radius[0] < radius[1]


def test_all_picks_are_among_the_best_scores() -> None:
    rng = np.random.default_rng(4)
    objects, scores = made_objects(rng, 100), rng.random(100)
    batch = object_diversity(scores, objects, budget=10)
    assert set(batch.tolist()) <= set(np.argsort(-scores)[:40].tolist())
    assert (np.diff(scores[batch]) < 0).all()


def test_items_taken_before_are_centres() -> None:
    looks = [[1.0, 0.0], [1.0, 0.01], [0.0, 1.0], [-1.0, 0.0]]
    objects = Objects(range(5), [0.5] * 4, embeddings=looks)
    taken = Objects([0, 1], [0.5], embeddings=[[0.0, 1.0]])
    batch = object_diversity(np.array([1.0, 2, 9, 3]), objects, taken, budget=2)
    assert 2 not in batch.tolist()


def test_budget_of_the_whole_pool_goes_by_the_scores() -> None:
    objects = made_objects(np.random.default_rng(5), 6)
    scores = np.array([1.0, 6, 2, 5, 3, 4])
    expected = [1, 3, 5, 4, 2, 0]
    assert object_diversity(scores, objects).tolist() == expected
    assert object_diversity(scores, objects, budget=9).tolist() == expected


def test_too_many_candidates_are_cut_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 10)
    objects = made_objects(np.random.default_rng(6), 50)
    with pytest.warns(LabelnextWarning, match="only the 10 best scores"):
        batch = object_diversity(-np.arange(50.0), objects, budget=5)
    assert batch.max() < 10


def test_what_it_needs_is_said() -> None:
    bare = Objects([0, 1], [0.5])
    with pytest.raises(InvalidInput, match="needs an embedding for each object"):
        object_diversity(np.ones(1), bare, budget=1)
    with pytest.raises(InvalidInput, match="at least 1; got 0.5"):
        object_diversity(np.ones(1), bare, budget=1, pool_factor=0.5)
    wide = Objects([0, 1], [0.5], embeddings=[[1.0, 0, 0]])
    with pytest.raises(InvalidInput, match="have the same width; got 3 and 2"):
        image_distances(wide, Objects([0, 1], [0.5], embeddings=[[1.0, 0]]))


def test_ranking_uses_the_newest_version_and_leaves_out_nan() -> None:
    looks = np.array([[1.0, 0.0], [1.0, 0.01], [0.0, 1.0], [np.nan, 1.0]])
    objects = Objects(range(5), [0.5, 0.6, 0.7, 0.5], embeddings=looks)
    pool = Pool("abcd", objects=objects)
    ranking = rank(pool, "entropy", selection="object_diversity", budget=2)
    assert ranking.item_ids.tolist() == ["a", "c"]
    assert ranking.unscored_ids == ("d",)
    older = Objects(range(5), [0.5] * 4, boxes=[[0, 0, 1, 1]] * 4, embeddings=looks[::-1])
    newer = Objects(range(5), [0.5] * 4, boxes=[[0, 0, 1, 1]] * 4, embeddings=looks)
    pair = Pool("abcd", objects=(older, newer))
    ranking = rank(pair, "committee_certainty", selection="object_diversity", budget=2)
    assert ranking.unscored_ids == ("d",)
