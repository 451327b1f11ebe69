from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from labelnext.errors import InvalidInput
from labelnext.pool import Pool
from labelnext.ranking import Ranking, rank
from labelnext.selection import SELECTIONS, get_selection
from labelnext.selection.duplicates import Closeness

METHODS = [m for m in SELECTIONS.own_names() if m != "object_diversity"]
# Doubt falls from a to f. b copies a, d is 0.5 from c, e is labelled, f is 0.1 from e.
POINTS = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0], [0.0, 2.5], [5.0, 5.0], [5.0, 5.1]])
LINE = Pool(
    list("abcdef"),
    probabilities=[[p, 1 - p] for p in (0.5, 0.51, 0.52, 0.53, 0.54, 0.55)],
    embeddings=POINTS,
    labels=[-1, -1, -1, -1, 0, -1],
)


def batch(pool: Pool = LINE, budget: int | None = None, **options: object) -> Ranking:
    return rank(pool, "margin", budget=budget, **options)


def picks(*args: object, **options: object) -> str:
    return "".join(batch(*args, **options).item_ids.tolist())


def test_copies_and_neighbours_of_labels_stay_out_of_the_batch() -> None:
    assert picks() == "abcdf"
    assert picks(min_distance=0.2) == "acd"
    assert picks(min_distance=0.5) == "acd"  # c and d are exactly that far apart
    assert picks(min_distance=0.51) == "ac"


def test_cosine_knows_directions_only() -> None:
    assert picks(dedupe=0.99) == "ac"  # d has c's direction, f nearly that of e
    assert picks(dedupe=1.0) == "acf"  # d has c's direction


def test_what_was_left_out_is_a_notice_with_its_groups() -> None:
    (notice,) = batch(min_distance=0.51).notices
    assert notice.code == "near_duplicates"
    assert notice.message == (
        "Left 3 near-duplicates out of the batch: 1 like a, 1 like c, 1 like labelled items."
    )
    assert notice.item_ids == ("b", "d", "f")
    assert notice.stand_for == (("a", 1), ("c", 1))


@pytest.mark.parametrize(("budget", "said"), [(2, False), (3, True), (None, False)])
def test_a_batch_that_near_duplicates_leave_short_is_said_so(
    budget: int | None, said: bool
) -> None:
    (notice,) = batch(budget=budget, min_distance=0.51).notices  # a and c
    short = " The batch is 1 item short of the budget: nothing else is far enough."
    assert notice.message.endswith(short) == said


def test_what_was_left_out_stays_in_the_pools_order() -> None:
    assert batch(budget=2, min_distance=0.2).pool_order.tolist() == ["a", "c", "b", "d", "f"]


def test_included_items_come_first_and_keep_their_like_out() -> None:
    assert picks(include=["b"], min_distance=0.2) == "bcd"


def test_an_item_that_a_quota_keeps_out_keeps_nothing_out() -> None:
    pool = Pool(
        ["a", "b", "c"],
        probabilities=[[0.5, 0.5], [0.49, 0.51], [0.4, 0.6]],
        classes=["cat", "dog"],
        embeddings=[[0.0], [0.1], [9.0]],
    )
    assert picks(pool, 2, quota={"cat": 0, "dog": 2}, min_distance=1.0) == "bc"


def test_items_without_an_embedding_are_compared_with_nothing() -> None:
    pool = Pool(
        ["a", "b", "c"],
        probabilities=[[0.5, 0.5], [0.49, 0.51], [0.4, 0.6]],
        embeddings=[[np.nan], [np.nan], [9.0]],
    )
    ranking = batch(pool, dedupe=0.9)
    assert ranking.item_ids.tolist() == ["a", "b", "c"]
    (notice,) = ranking.notices
    assert (notice.code, notice.item_ids) == ("not_compared", ("a", "b"))


def test_vectors_of_zeros_are_alike_and_like_nothing_else() -> None:
    points = np.array([[0.0, 0.0], [1.0, 0.0]])
    assert Closeness(dedupe=0.1).matrix(points, points).tolist() == [[True, False], [False, True]]


def test_one_distinct_point_gives_one_pick() -> None:
    even = np.full((9, 2), 0.5)
    for points in (np.zeros((9, 3)), np.ones((9, 3))):
        pool = Pool(range(9), probabilities=even, embeddings=points)
        for method in METHODS:
            assert batch(pool, 4, selection=method, min_distance=0.1).item_ids.size == 1


def test_far_from_the_origin_small_distances_still_count() -> None:
    points = 1e8 + np.array([[0.0, 0.0], [0.5, 0.0], [1.0, 0.0]])
    near = Closeness(min_distance=1.0).matrix(points, points)
    assert near.tolist() == [[True, True, False], [True, True, True], [False, True, True]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_distance": 0}, "min_distance must be above 0; got 0"),
        ({"min_distance": -1}, "min_distance must be above 0; got -1"),
        ({"min_distance": float("nan")}, "min_distance must be"),
        ({"dedupe": 0}, "dedupe must be above 0 and at most 1; got 0"),
        ({"dedupe": 1.01}, "dedupe must be above 0 and at most 1; got 1.01"),
        ({"dedupe": True}, "dedupe must be a number"),
        ({"dedupe_by": "images"}, "dedupe_by must be left out without dedupe; got 'images'"),
        ({"dedupe": 0.9, "dedupe_by": "sounds"}, "dedupe_by must be one of embeddings, images"),
        (
            {"dedupe": 0.9, "dedupe_by": "texts", "min_distance": 1},
            "min_distance must be left out with dedupe_by: texts",
        ),
        ({"dedupe": 0.9, "dedupe_by": "texts"}, "must be embeddings for a pool without signatures"),
    ],
)
def test_bad_distance_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        batch(**options)


def test_probabilities_are_no_measure_of_duplicates() -> None:
    pool = Pool(["a", "b"], probabilities=[[0.5, 0.5]] * 2)
    with pytest.raises(InvalidInput, match="dedupe must be left out for a pool without embeddings"):
        batch(pool, dedupe=0.9)


def test_signatures_are_compared_in_place_of_embeddings() -> None:
    # Eight bits: a and b differ in one, a cosine of 0.75; c in four from a. d can't be compared.
    bits = np.ones((6, 8))
    bits[1, 0] = bits[2, :4] = -1
    bits[3] = np.nan
    bits[4:] = [[-1] * 8, [-1] * 7 + [1]]
    pool = replace(LINE, signatures=bits)
    assert picks(pool, dedupe=0.75) == "acd"  # f differs in one from e, which is labelled
    assert picks(pool, dedupe=0.76) == "abcdf"
    assert picks(pool, dedupe=0.76, dedupe_by="texts") == "abcdf"
    assert picks(pool, dedupe=0.99, dedupe_by="embeddings") == "ac"
    assert picks(pool, min_distance=0.2) == "acd"  # as without signatures
    assert "1 item that nothing was compared with" in batch(pool, dedupe=0.76).notices[-1].message


def test_a_group_is_compared_by_the_mean_of_its_signatures() -> None:
    # g is (1, 0) by the mean of its two; h is (1, 0.2), a cosine of 0.98.
    pool = Pool(
        "abcd",
        probabilities=[[0.5, 0.5], [0.6, 0.4], [0.7, 0.3], [0.8, 0.2]],
        signatures=[[1, 1], [1, -1], [1, 0.2], [-1, 0]],
        groups=["g", "g", "h", "i"],
    )
    assert picks(pool, dedupe=0.95, groups_as_items=True) == "abd"


def close(first: np.ndarray, second: np.ndarray, options: dict[str, float]) -> bool:
    """A second implementation, one pair at a time."""
    if "min_distance" in options:
        return bool(np.linalg.norm(first - second) < options["min_distance"])
    return bool(
        first @ second >= options["dedupe"] * np.linalg.norm(first) * np.linalg.norm(second)
    )


@pytest.mark.parametrize("options", [{"min_distance": 0.8}, {"dedupe": 0.97}])
@pytest.mark.parametrize("method", METHODS)
def test_no_two_picks_of_any_method_are_close(method: str, options: dict[str, float]) -> None:
    rng = np.random.default_rng(5)
    points = np.repeat(rng.normal(size=(120, 3)), 3, axis=0) + 0.02 * rng.normal(size=(360, 3))
    labels = np.where(rng.random(360) < 0.05, 0, -1)
    pool = Pool(
        range(360), probabilities=rng.dirichlet([1, 1], 360), embeddings=points, labels=labels
    )
    if "n_clusters" in get_selection(method).required:
        options = {**options, "n_clusters": 4}
    chosen = batch(pool, 30, selection=method, **options).item_ids.astype(int)
    given = np.flatnonzero(labels >= 0)
    assert not any(
        close(points[a], points[b], options) for a, b in itertools.combinations(chosen, 2)
    )
    assert not any(close(points[a], points[b], options) for a in chosen for b in given)
    if len(chosen) < 30:  # then nothing else would have been far enough
        others = np.setdiff1d(np.flatnonzero(labels < 0), chosen)
        blocking = [*chosen, *given]
        assert all(any(close(points[a], points[b], options) for b in blocking) for a in others)


def test_best_scores_are_those_of_a_loop() -> None:
    rng = np.random.default_rng(6)
    points, doubt = rng.normal(size=(600, 2)), rng.dirichlet([1, 1], 600)
    labels = np.where(rng.random(600) < 0.02, 0, -1)
    given, expected = np.flatnonzero(labels >= 0), []
    for item in np.argsort(np.abs(doubt[:, 0] - doubt[:, 1]), kind="stable"):
        far = [not close(points[item], points[b], {"min_distance": 0.3}) for b in given]
        far += [not close(points[item], points[b], {"min_distance": 0.3}) for b in expected]
        if labels[item] < 0 and all(far):
            expected.append(item)
    pool = Pool(range(600), probabilities=doubt, embeddings=points, labels=labels)
    assert batch(pool, min_distance=0.3).item_ids.astype(int).tolist() == expected
    assert batch(pool, 40, min_distance=0.3).item_ids.astype(int).tolist() == expected[:40]


@pytest.mark.parametrize("method", ["top_k", "uncertainty_herding"])
def test_order_of_the_rows_has_no_influence(method: str) -> None:
    rng, n = np.random.default_rng(7), 200
    points, doubt, order = rng.normal(size=(n, 2)), rng.dirichlet([1, 1], n), rng.permutation(n)
    labels = np.where(np.arange(n) < 30, 0, -1)  # many items are close to several of them
    one = Pool(range(n), probabilities=doubt, embeddings=points, labels=labels)
    other = Pool(order, probabilities=doubt[order], embeddings=points[order], labels=labels[order])
    first, second = (batch(pool, 20, selection=method, min_distance=0.5) for pool in (one, other))
    assert first.item_ids.tolist() == second.item_ids.tolist()
    assert first.notices == second.notices
