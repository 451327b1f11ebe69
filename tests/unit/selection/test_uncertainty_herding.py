from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from labelnext import Pool, rank
from labelnext.errors import InvalidInput, LabelnextWarning
from labelnext.selection import facility_location, prob_cover, uncertainty_herding
from labelnext.selection.facility_location import similarity_scale
from labelnext.selection.uncertainty_herding import doubts
from labelnext.selection.vectors import as_points

NONE = np.empty((0, 1))
LINE = np.array([[0.0], [1.0], [2.0], [9.0], [10.0]])


def kernel(name: str, distances: np.ndarray, width: float) -> np.ndarray:
    if name == "gaussian":
        return np.exp(-(distances**2) / (2 * width**2))
    if name == "laplace":
        return np.exp(-distances / width)
    return (distances <= width).astype(float)


def brute_force(
    points: np.ndarray, given: np.ndarray, doubt: np.ndarray, budget: int, name: str, width: float
) -> list[int]:
    """Every gain of every item by its definition, every time."""
    cover = np.zeros(len(points))
    for x in given:
        cover = np.maximum(cover, kernel(name, cdist(points, x[None])[:, 0], width))
    picks: list[int] = []
    while len(picks) < budget:
        gains = []
        for x in range(len(points)):
            similar = kernel(name, cdist(points, points[x : x + 1])[:, 0], width)
            gain = float((doubt * np.maximum(similar - cover, 0)).sum())
            gains.append(-1.0 if x in picks else gain)
        picks.append(int(np.argmax(gains)))
        new = kernel(name, cdist(points, points[picks[-1]][None])[:, 0], width)
        cover = np.maximum(cover, new)
    return picks


def test_no_items_give_an_empty_order() -> None:
    assert uncertainty_herding(NONE, NONE, np.empty(0), 2).shape == (0,)
    assert uncertainty_herding(LINE, NONE, None, 0).shape == (0,)


def test_max_herding_takes_the_middle_of_the_crowd_then_the_other_crowd() -> None:
    # Within 1: three of item 1, two of every other. Then items 3 and 4 gain two, 0 and 2 none.
    order = uncertainty_herding(LINE, NONE, budget=2, kernel="top_hat", width=1.0)
    assert order.tolist() == [1, 3]


def test_doubt_outweighs_the_crowd() -> None:
    # Doubt within 1: 0.3, 0.5, 0.4, 0.9, 0.9; then 1 still has 0.5.
    doubt = np.array([0.1, 0.2, 0.2, 0.4, 0.5])
    order = uncertainty_herding(LINE, NONE, doubt, 2, kernel="top_hat", width=1.0)
    assert order.tolist() == [3, 1]


def test_gaussian_gains_by_hand() -> None:
    # k = 1 at 0, e^-0.5 = 0.607 at 1, e^-2 = 0.135 at 2. Gains without labels, of doubt 1:
    # 0: 1.742, 1: 2.213, 2: 1.742, 3 and 4: 1.607. After 1 the cover is 0.607, 1, 0.607, 0, 0:
    # 0 and 2 gain 0.393, 3 and 4 gain 1.607.
    assert uncertainty_herding(LINE, NONE, budget=2, width=1.0).tolist() == [1, 3]
    # A doubt of 0.05 at 9 and 10 leaves them 0.08; 2 is a little nearer to them than 0.
    doubt = np.array([1, 1, 1, 0.05, 0.05])
    assert uncertainty_herding(LINE, NONE, doubt, 2, width=1.0).tolist() == [1, 2]


def test_what_is_labelled_covers_from_the_start() -> None:
    order = uncertainty_herding(LINE, np.array([[1.0]]), budget=1, width=1.0)
    assert order.tolist() == [3]


def test_items_that_add_nothing_follow_by_utility() -> None:
    doubt = np.array([0.1, 0.3, 0.2, 0.1, 0.4])
    # 1 covers 0.6; then 3 and 4 cover 0.5 each, the earlier first. Nothing is left.
    order = uncertainty_herding(LINE, NONE, doubt, kernel="top_hat", width=1.0)
    assert order.tolist() == [1, 3, 4, 2, 0]


@pytest.mark.parametrize("name", ["gaussian", "laplace", "top_hat"])
@pytest.mark.parametrize("n_given", [0, 7])
@pytest.mark.parametrize("seed", range(3))
def test_order_is_that_of_brute_force(name: str, n_given: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, given = rng.normal(size=(90, 3)), rng.normal(size=(n_given, 3))
    doubt = rng.random(90)
    doubt[rng.random(90) < 0.2] = 0
    order = uncertainty_herding(points, given, doubt, 12, kernel=name, width=0.9)
    doubt /= doubt.max()
    assert order.tolist() == brute_force(points, given, doubt, 12, name, 0.9)


def test_default_width_is_half_the_root_of_the_median_to_the_nearest_labelled() -> None:
    rng = np.random.default_rng(3)
    points, given, doubt = rng.normal(size=(80, 3)), rng.normal(size=(9, 3)), rng.random(80)
    width = float(np.sqrt(np.median(cdist(points, given).min(axis=1) ** 2) / 4))
    plain = uncertainty_herding(points, given, doubt, 15)
    assert plain.tolist() == brute_force(points, given, doubt, 15, "gaussian", width)


def test_width_of_the_pool_is_half_the_root_of_the_mean_of_random_pairs() -> None:
    rng = np.random.default_rng(8)
    points, given, doubt = rng.normal(size=(60, 3)), rng.normal(size=(9, 3)), rng.random(60)
    pairs = np.random.default_rng(4).integers(0, 60, (2, 1000))
    width = float(np.sqrt((np.linalg.norm(np.diff(points[pairs], axis=0)[0], axis=1) ** 2).mean()))
    picks = uncertainty_herding(points, given, doubt, 15, width="pool", seed=4)
    assert picks.tolist() == brute_force(points, given, doubt, 15, "gaussian", width / 2)
    assert uncertainty_herding(np.ones((3, 2)), given[:0, :2], budget=5, width="pool").size == 3


@pytest.mark.parametrize("width", [0, -1.0, float("nan"), "wide", True])
def test_any_other_width_is_refused(width: object) -> None:
    with pytest.raises(InvalidInput, match="width must be"):
        uncertainty_herding(LINE, NONE, budget=1, width=width)


def test_width_of_random_pairs_without_doubt_is_facility_location() -> None:
    points = np.random.default_rng(4).normal(size=(100, 4))
    width = (similarity_scale(as_points(points), 0) / 2) ** 0.5
    herded = uncertainty_herding(points, points[:3], budget=20, width=width)
    assert herded.tolist() == facility_location(points, points[:3], 20).tolist()


def test_top_hat_without_doubt_covers_as_prob_cover() -> None:
    points = np.random.default_rng(5).normal(size=(200, 2))
    herded = uncertainty_herding(points, points[:4], budget=15, kernel="top_hat", width=0.5)
    covering = prob_cover(points, points[:4], 15, n_clusters=2, radius=0.5)
    assert herded.tolist() == covering.tolist()


def test_margin_becomes_one_minus_the_margin() -> None:
    rng = np.random.default_rng(6)
    rows, points = rng.dirichlet(np.ones(4), 60), rng.normal(size=(60, 3))
    best = np.sort(rows, axis=1)
    doubt = 1 - (best[:, -1] - best[:, -2])
    pool = Pool(np.arange(100, 160), probabilities=rows, embeddings=points)
    ranking = rank(pool, selection="uncertainty_herding", budget=9, width=0.8)
    expected = brute_force(points, points[:0], doubt, 9, "gaussian", 0.8)
    assert ranking.item_ids.tolist() == [str(100 + i) for i in expected]
    without = rank(pool, None, selection="uncertainty_herding", budget=9, width=0.8)
    expected = brute_force(points, points[:0], np.ones(60), 9, "gaussian", 0.8)
    assert without.item_ids.tolist() == [str(100 + i) for i in expected]


@pytest.mark.parametrize(
    ("utilities", "expected"),
    [
        ([-0.25, -1.0, 0.0], [0.75, 0.0, 1.0]),  # margins
        ([0.5, 2.0, 0.0], [0.25, 1.0, 0.0]),  # entropies
        ([-3.0, 1.0, -1.0], [0.0, 1.0, 0.5]),
        ([-5.0, -3.0], [0.0, 1.0]),
        ([np.inf, 0.5, -np.inf, 1.0], [1.0, 0.5, 0.0, 1.0]),
        ([np.inf, -np.inf], [1.0, 0.0]),
        ([0.0, 0.0], [0.0, 0.0]),
        ([1e308, -1e308, 0.0], [1.0, 0.0, 0.5]),
        ([np.nan, 0.5], [0.0, 1.0]),
        ([], []),
    ],
)
def test_utilities_are_brought_to_the_unit_interval(
    utilities: list[float], expected: list[float]
) -> None:
    assert doubts(np.array(utilities)).tolist() == expected


def test_nobody_in_doubt_is_everybody_alike() -> None:
    certain = uncertainty_herding(LINE, NONE, np.zeros(5), 2, width=1.0)
    assert certain.tolist() == uncertainty_herding(LINE, NONE, budget=2, width=1.0).tolist()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("width", 0.0, "width must be above 0; got 0.0"),
        ("width", -1.0, "width must be above 0; got -1.0"),
        ("kernel", "cosine", "kernel must be one of gaussian, laplace, top_hat; got 'cosine'"),
        ("n_neighbours", 0, "n_neighbours must be at least 1; got 0"),
    ],
)
def test_impossible_option_is_refused(option: str, value: object, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        uncertainty_herding(LINE, NONE, budget=1, **{option: value})


def test_nan_in_embeddings_is_refused_alone_and_left_out_of_a_pool() -> None:
    broken = LINE.copy()
    broken[1] = np.nan
    with pytest.raises(InvalidInput, match="embeddings must be finite"):
        uncertainty_herding(broken, NONE, budget=1)
    ranking = rank(Pool("abcde", embeddings=broken), None, selection="uncertainty_herding")
    assert sorted(ranking.item_ids) == ["a", "c", "d", "e"]
    assert ranking.unscored_ids == ("b",)


@pytest.mark.parametrize("name", ["gaussian", "laplace", "top_hat"])
def test_one_distinct_point_or_zeros_go_by_utility(name: str) -> None:
    same, doubt = np.zeros((5, 3)), np.array([0.1, 0.4, 0.3, 0.2, 0.5])
    order = uncertainty_herding(same, same[:0], doubt, 9, kernel=name).tolist()
    assert order == [0, 4, 1, 2, 3]  # whichever comes first covers all
    order = uncertainty_herding(same, same[:1], doubt, 9, kernel=name).tolist()
    assert order == [4, 1, 2, 3, 0]


@pytest.mark.parametrize("width", [1e-300, 1e300])
def test_extreme_widths_give_a_batch(width: float) -> None:
    for points in (LINE, LINE.astype(np.float32)):
        for name in ("gaussian", "laplace", "top_hat"):
            order = uncertainty_herding(points, NONE, None, 9, kernel=name, width=width)
            assert sorted(order.tolist()) == [0, 1, 2, 3, 4]


def test_quota_group_and_cost_limit_the_batch() -> None:
    points = np.concatenate([LINE, LINE + 0.1])
    pool = Pool(
        range(10),
        embeddings=points,
        groups=["near"] * 3 + ["far"] * 2 + ["near"] * 3 + ["far"] * 2,
        costs=[1.0] * 5 + [3.0] * 5,
    )
    how = {"selection": "uncertainty_herding", "width": 1.0}
    batch = rank(pool, None, budget=4, quota={"far": 3}, quota_of="group", **how).item_ids
    assert len(batch) == 4
    assert sum(pool.groups[int(i)] == "far" for i in batch) == 3
    batch = rank(pool, None, budget=2, per_group=1, **how).item_ids
    assert {pool.groups[int(i)] for i in batch} == {"near", "far"}
    batch = rank(pool, None, budget=4, budget_in="cost", **how).item_ids
    assert pool.costs[batch.astype(int)].sum() <= 4
    assert len(batch) >= 2


def blobs(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = 4 * rng.normal(size=(30, 6))
    return (centres[rng.integers(0, 30, n)] + rng.normal(size=(n, 6))).astype(np.float32)


def test_large_pool_reaches_nearly_what_all_pairs_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    points, doubt = blobs(6000), np.random.default_rng(1).random(6000)
    with pytest.warns(LabelnextWarning, match=r"neighbours of 6,000 of 6,000 items; they hold 9"):
        near = uncertainty_herding(points, points[:0], doubt, 40, width=1.5, n_neighbours=60)
    monkeypatch.setattr("labelnext.selection.neighbours.DENSE", 10_000)
    every = uncertainty_herding(points, points[:0], doubt, 40, width=1.5)

    def objective(picks: np.ndarray) -> float:
        similar = kernel("gaussian", cdist(points, points[picks]), 1.5)
        return float((doubt * similar.max(axis=1)).sum())

    assert objective(near) > 0.98 * objective(every)
    # Drawn targets: a third of them.
    monkeypatch.setattr("labelnext.selection.neighbours.DENSE", 5_000)
    monkeypatch.setattr("labelnext.selection.neighbours.ALL_TARGETS", 5_000)
    monkeypatch.setattr("labelnext.selection.neighbours.TARGETS", 2_000)
    with pytest.warns(LabelnextWarning, match=r"of 1,\d+ of 6,000 items; they hold \d+\.\d%"):
        drawn = uncertainty_herding(points, points[:0], doubt, 40, width=1.5)
    assert objective(drawn) > 0.95 * objective(every)


def test_pairs_are_bounded_where_many_are_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    points = blobs(6000)
    points[1000:5000] = points[1000]
    monkeypatch.setattr("labelnext.selection.neighbours.PAIRS", 1 << 20)
    with pytest.warns(LabelnextWarning, match="max-herding went by"):
        order = uncertainty_herding(points, points[:0], budget=30)
    assert (np.isin(order, np.arange(1000, 5000))).sum() == 1


@pytest.mark.filterwarnings("ignore::labelnext.errors.LabelnextWarning")
def test_large_pool_is_ranked_alike_in_any_row_order() -> None:
    points, order = blobs(6000), np.random.default_rng(2).permutation(6000)
    rows = np.random.default_rng(3).dirichlet(np.ones(3), 6000)
    plain = Pool(range(6000), embeddings=points, probabilities=rows)
    mixed = Pool(order, embeddings=points[order], probabilities=rows[order])
    first, second = (
        rank(pool, selection="uncertainty_herding", budget=50).item_ids.tolist()
        for pool in (plain, mixed)
    )
    assert first == second


def test_threads_have_no_influence() -> None:
    script = (
        "import warnings, os, sys; warnings.simplefilter('ignore'); import numpy as np;"
        "sys.argv[1:] == ['1'] and os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
        "from labelnext.selection import uncertainty_herding as f;"
        "x = np.random.default_rng(0).normal(size=(6000, 5)).astype('f4');"
        "print(f(x, x[:9], np.random.default_rng(1).random(6000), 40).tolist());"
        "y = (x[:, 0] > 0).astype(int);"
        "print(f(x, x[:9], None, 40, y[:9], 1 - y, doubt='embeddings').tolist())"
    )
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("cores can be chosen on Linux only")
    found = {
        subprocess.run(
            [sys.executable, "-c", script, n], capture_output=True, check=True, text=True
        ).stdout
        for n in ("1", "2")
    }
    assert len(found) == 1
