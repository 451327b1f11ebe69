from __future__ import annotations

import sys

import numpy as np
import pytest
from skactiveml.pool import TypiClust
from skactiveml.utils import MISSING_LABEL
from sklearn.datasets import make_blobs
from sklearn.neighbors import NearestNeighbors

from labelnext.errors import InvalidInput
from labelnext.selection import typiclust
from labelnext.selection.typiclust import _neighbour_distances

module = sys.modules["labelnext.selection.typiclust"]  # the package has a function of that name

NONE = np.empty((0, 2))


def blobs(sizes: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Groups so far apart that every clustering finds them."""
    centres = np.array([[100.0 * i, 0.0] for i in range(len(sizes))])
    return make_blobs(sizes, 2, centers=centres, random_state=seed, shuffle=True)[:2]


def test_no_items_give_an_empty_order() -> None:
    assert typiclust(NONE, NONE, 3).shape == (0,)


def test_larger_clusters_come_first_and_each_gives_its_most_typical_item() -> None:
    # Of five in a row K = 2: the middle one is 1 from both neighbours. Of four K = 2: 12 and 13
    # are 1 away on either side.
    points = np.array([[v, 0.0] for v in (0, 1, 2, 3, 4, 100, 101, 102, 103)])
    # 1: (1 + 1)/2, 2: (1 + 1)/2, 3 likewise: the earliest wins; in the other group 101 does.
    assert typiclust(points, NONE, 2).tolist() == [1, 6]


def test_clusters_with_labels_come_last() -> None:
    points, truth = blobs([40, 30, 20])
    labelled = points[truth == 0][:2]
    order = typiclust(points, labelled, 2, seed=1)
    assert 0 not in truth[order[:1]]


def test_clusters_take_turns_until_all_items_are_ranked() -> None:
    points, _ = blobs([9, 6, 4])
    assert sorted(typiclust(points, NONE)) == list(range(19))


@pytest.mark.parametrize("seed", range(5))
def test_first_batch_is_that_of_scikit_activeml(seed: int) -> None:
    points, _ = blobs([41, 47, 53, 60], seed)  # K = 20 in all of them
    theirs = TypiClust(random_state=seed, k=20).query(
        points, np.full(len(points), MISSING_LABEL), batch_size=4
    )
    assert typiclust(points, NONE, 4, seed=seed).tolist() == theirs.tolist()


def test_item_is_not_its_own_neighbour() -> None:
    points = np.array([[0.0], [3.0], [3.5], [10.0]])
    # K = 2: the two nearest others.
    found = _neighbour_distances(_points(points), np.arange(4), np.arange(4), 4)
    assert found == pytest.approx([3.25, 1.75, 2.0, 6.75])


@pytest.mark.parametrize("n_wanted", [1, 40, 600])
def test_most_typical_members_are_those_that_a_search_of_all_pairs_finds(n_wanted: int) -> None:
    points = np.random.default_rng(0).normal(size=(2000, 3))
    points[1500:] = points[:500]  # equal distances across blocks
    every = np.arange(2000)
    found = _neighbour_distances(_points(points), every, every, n_wanted)
    order = np.argsort(found, kind="stable")[:n_wanted]
    distances = NearestNeighbors(n_neighbors=20).fit(points).kneighbors()[0].mean(axis=1)
    assert found[order] == pytest.approx(np.sort(distances)[:n_wanted])
    assert np.isinf(found).any()  # the others weren't all searched


def test_large_cluster_is_estimated_from_a_sample() -> None:
    points = np.random.default_rng(0).normal(size=(6000, 2))
    first = typiclust(points, NONE, 1)[0]
    # The densest place of a normal distribution is its middle.
    assert np.linalg.norm(points[first]) < 0.8


@pytest.mark.parametrize(("budget", "fewer"), [(3, True), (70, False)])
def test_picks_of_a_large_cluster_are_the_most_typical_of_its_sample(
    monkeypatch: pytest.MonkeyPatch, budget: int, fewer: bool
) -> None:
    monkeypatch.setattr(module, "_SAMPLE", 60)
    monkeypatch.setattr(module, "_MOST_CLUSTERS", 1)
    points = np.random.default_rng(1).normal(size=(90, 2))
    sample = np.sort(np.random.default_rng(7).choice(90, 60, replace=False))
    among = sample if fewer else np.arange(90)  # as many as a sample holds, or more
    distances = np.linalg.norm(points[among, None] - points[sample], axis=2)
    distances[among[:, None] == sample] = np.inf
    means = np.sort(distances, axis=1)[:, :20].mean(axis=1)
    expected = among[np.argsort(means)][:budget]
    assert typiclust(points, NONE, budget, seed=7).tolist() == expected.tolist()


def test_identical_items_are_all_ranked() -> None:
    assert sorted(typiclust(np.ones((7, 2)), NONE)) == list(range(7))


def test_embedding_that_is_not_finite_is_refused() -> None:
    with pytest.raises(InvalidInput, match="embeddings must be finite"):
        typiclust(np.array([[np.inf, 0]]), NONE)


def _points(array: np.ndarray):
    from labelnext.selection.vectors import as_points

    return as_points(array)
