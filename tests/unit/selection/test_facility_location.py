from __future__ import annotations

import itertools

import numpy as np
import pytest

from labelnext.errors import InvalidInput, LabelnextWarning
from labelnext.selection import facility_location, uncertainty_herding
from labelnext.selection.facility_location import maximise_facility_location, similarity_scale
from labelnext.selection.vectors import as_points


def objective(similarities: np.ndarray, batch: list[int]) -> float:
    return float(similarities[:, batch].max(axis=1).sum())


def plain_greedy(similarities: np.ndarray, cover: np.ndarray, budget: int) -> list[int]:
    """Every gain, every time."""
    picks: list[int] = []
    while len(picks) < budget:
        gains = np.maximum(similarities - cover[:, None], 0).sum(axis=0)
        gains[picks] = -1
        picks.append(int(gains.argmax()))
        cover = np.maximum(cover, similarities[:, picks[-1]])
    return picks


def similarities_of(first: np.ndarray, second: np.ndarray, scale: float) -> np.ndarray:
    difference = first[:, None] - second[None]
    return np.exp(-(difference**2).sum(axis=2) / scale)


def test_no_items_give_an_empty_order() -> None:
    assert facility_location(np.empty((0, 2)), np.empty((0, 2)), 2).shape == (0,)
    assert maximise_facility_location(np.empty((0, 0))).shape == (0,)


def test_given_matrix_is_covered_greedily_with_ties_to_the_earlier() -> None:
    # Rows 0 and 1 gain 1.9 each, row 2 gains 1; after 0, row 1 gains 0.1 and row 2 still 1.
    matrix = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert maximise_facility_location(matrix).tolist() == [0, 2, 1]


@pytest.mark.parametrize("seed", range(5))
def test_order_is_that_of_plain_greedy(seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(120, 3))
    matrix = similarities_of(points, points, 2.0)
    assert maximise_facility_location(matrix, 30).tolist() == plain_greedy(
        matrix, np.zeros(120), 30
    )


@pytest.mark.parametrize("seed", range(5))
def test_objective_is_within_the_bound_of_the_exhaustive_optimum(seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(13, 2))
    matrix = similarities_of(points, points, 1.0)
    best = max(objective(matrix, list(b)) for b in itertools.combinations(range(13), 4))
    found = objective(matrix, maximise_facility_location(matrix, 4).tolist())
    assert (1 - 1 / np.e) * best <= found <= best + 1e-12


def test_labelled_items_cover_from_the_start() -> None:
    rng = np.random.default_rng(1)
    points, given = rng.normal(size=(80, 3)), rng.normal(size=(7, 3))
    scale = similarity_scale(as_points(points), 0)
    cover = similarities_of(points, given, scale).max(axis=1)
    expected = plain_greedy(similarities_of(points, points, scale), cover, 12)
    assert facility_location(points, given, 12).tolist() == expected


@pytest.fixture
def sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pools keep nearest neighbours alone, too."""
    monkeypatch.setattr("labelnext.selection.neighbours.DENSE", 0)


@pytest.mark.usefixtures("sparse")
def test_sparse_graph_with_all_neighbours_is_the_dense_one() -> None:
    points = np.random.default_rng(2).normal(size=(150, 3))
    found = facility_location(points, points[:0], 20, n_neighbours=150)
    matrix = similarities_of(points, points, similarity_scale(as_points(points), 0))
    assert found.tolist() == maximise_facility_location(matrix, 20).tolist()


@pytest.mark.usefixtures("sparse")
@pytest.mark.filterwarnings("ignore::labelnext.errors.LabelnextWarning")
@pytest.mark.parametrize("n_given", [0, 5])
def test_sparse_graph_keeps_the_nearest_candidates_of_each_item(n_given: int) -> None:
    points = np.random.default_rng(3).normal(size=(60, 2))
    given = np.random.default_rng(4).normal(size=(n_given, 2))
    scale = similarity_scale(as_points(points), 0)
    matrix = similarities_of(points, points, scale)
    keep = np.zeros((60, 60), dtype=bool)
    np.put_along_axis(keep, np.argsort(-matrix, axis=1)[:, :7], True, axis=1)
    cover = similarities_of(points, given, scale).max(axis=1, initial=0)
    found = facility_location(points, given, 10, n_neighbours=7)
    assert found.tolist() == plain_greedy(np.where(keep, matrix, 0), cover, 10)


@pytest.mark.usefixtures("sparse")
def test_share_of_the_cover_that_was_seen_is_measured() -> None:
    # Each item sees itself alone, so the pick covers 1 of the 1 + e^-0.5 + e^-2 that it covers.
    points = np.array([[0.0], [1.0], [2.0]])
    with pytest.warns(LabelnextWarning, match="they hold 57.4% of"):
        uncertainty_herding(points, points[:0], budget=1, width=1.0, n_neighbours=1)


def test_pool_above_the_stated_size_is_sparse_and_close_to_dense() -> None:
    points = np.random.default_rng(4).normal(size=(5200, 3)).astype(np.float32)
    with pytest.warns(LabelnextWarning, match="of 5,200 of 5,200 items; they hold 99.9%"):
        order = facility_location(points, points[:0], 20)
    matrix = similarities_of(points, points, similarity_scale(as_points(points), 0))
    dense = objective(matrix, maximise_facility_location(matrix, 20).tolist())
    assert objective(matrix, order.tolist()) > 0.9 * dense


def test_fewer_than_one_neighbour_is_refused() -> None:
    with pytest.raises(InvalidInput, match="n_neighbours must be at least 1; got 0"):
        facility_location(np.ones((2, 1)), np.ones((0, 1)), n_neighbours=0)


def test_scale_is_that_of_the_pool_without_a_vector_far_out() -> None:
    # With 0 and 1 in turn, half of the pairs are 1 apart: twice the mean square is 1.
    points = np.arange(1000)[:, None] % 2.0
    scale = similarity_scale(as_points(points), 0)
    assert scale == pytest.approx(1, abs=0.1)
    points[7] = 1e9
    assert similarity_scale(as_points(points), 0) == pytest.approx(scale, abs=0.01)


def test_scale_of_copies_is_that_of_the_few_others() -> None:
    points = np.zeros((1000, 1))
    points[:10] = 3  # 1% of the items: about 2% of the pairs are 9 apart
    assert similarity_scale(as_points(points), 0) == pytest.approx(2 * 0.02 * 9, abs=0.15)
