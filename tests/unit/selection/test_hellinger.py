from __future__ import annotations

import numpy as np
import pytest

from labelnext import Pool, rank
from labelnext.errors import InvalidInput
from labelnext.pool import Objects
from labelnext.selection import SELECTIONS, get_selection
from labelnext.selection.hellinger import class_shares, has_shares, vectors_of_pool

METHODS = [m for m in SELECTIONS.own_names() if "embeddings" in get_selection(m).needs]
ROWS = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [0.9, 0.1]])


def hellinger(p: np.ndarray, q: np.ndarray) -> float:
    """By its definition with the Bhattacharyya coefficient."""
    return float(np.sqrt(max(0.0, 1 - np.sqrt(p * q).sum())))


def test_an_empty_pool_has_no_vectors() -> None:
    pool = Pool([], probabilities=np.empty((0, 3)))
    assert vectors_of_pool(pool, "probabilities").shape == (0, 3)
    assert vectors_of_pool(Pool([]), None) is None


def test_distance_is_that_of_hellinger() -> None:
    vectors = vectors_of_pool(Pool("abcd", probabilities=ROWS), "probabilities")
    for i in range(4):
        for j in range(4):
            expected = hellinger(ROWS[i], ROWS[j])
            assert np.linalg.norm(vectors[i] - vectors[j]) == pytest.approx(expected, abs=1e-7)


def test_distances_of_independent_classes_count_both_answers() -> None:
    # Per label √(1 − √(pq) − √((1−p)(1−q))): 1 for the first label, 0 for the second.
    pool = Pool("ab", probabilities=[[1.0, 0.3], [0.0, 0.3]], multilabel=True)
    first, second = vectors_of_pool(pool, "probabilities")
    assert np.linalg.norm(first - second) == pytest.approx(1.0)


def test_versions_count_by_their_mean() -> None:
    two = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    vectors = vectors_of_pool(Pool("a", probabilities=two), "probabilities")
    assert vectors == pytest.approx(np.array([[0.5, 0.5]]))


def test_objects_count_by_their_confidence() -> None:
    seen = Objects([0, 3, 3, 4], [0.6, 0.1, 0.3, 0.5], class_ids=[0, 1, 1, 2])
    shares = class_shares(Pool("abc", objects=seen))
    assert shares == pytest.approx(np.array([[0.6, 0.4, 0], [0, 0, 0], [0, 0, 1]]))
    vectors = vectors_of_pool(Pool("abc", objects=seen), "probabilities")
    assert np.linalg.norm(vectors[1] - vectors[0]) == pytest.approx(0.5**0.5)
    likely = Objects([0, 2], [0.6, 0.2], probabilities=[[0.6, 0.4], [0.1, 0.2]])
    assert class_shares(Pool("a", objects=likely)) == pytest.approx(np.array([[0.75, 0.25]]))


def test_objects_of_the_newest_version_count() -> None:
    old = Objects([0, 1, 2], [0.5, 0.5], class_ids=[0, 0])
    new = Objects([0, 1, 1], [0.5], class_ids=[1], missing=[False, True])
    assert class_shares(Pool("ab", objects=(old, new))).tolist() == [[0, 1], [1, 0]]


def test_missing_predictions_are_left_out_and_named() -> None:
    seen = Objects([0, 1, 1], [0.5], class_ids=[0], missing=[False, True])
    pool = Pool("ab", objects=seen)
    assert np.isnan(class_shares(pool)[1]).all()
    ranking = rank(pool, None, selection="k_center", space="probabilities")
    assert ranking.item_ids.tolist() == ["a"]
    assert ranking.unscored_ids == ("b",)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.filterwarnings("ignore::labelnext.errors.LabelnextWarning")
def test_every_method_goes_by_probabilities_as_by_their_roots(method: str) -> None:
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.ones(4), 60)
    labels = np.where(np.arange(60) % 9 == 0, 0, -1)
    roots = Pool(range(60), probabilities=rows, labels=labels, embeddings=np.sqrt(rows / 2))
    other = Pool(range(60), probabilities=rows, labels=labels, embeddings=rng.normal(size=(60, 3)))
    bare = Pool(range(60), probabilities=rows, labels=labels)
    expected = rank(roots, "margin", selection=method, budget=10)
    asked = rank(other, "margin", selection=method, budget=10, space="probabilities")
    left = rank(bare, "margin", selection=method, budget=10)
    if method == "badge":  # draws by lengths, which differ in the last digit
        assert len(asked.item_ids) == len(left.item_ids) == 10
    else:
        assert asked.item_ids.tolist() == expected.item_ids.tolist()
    assert asked.item_ids.tolist() == left.item_ids.tolist()
    said = f"The pool has no embeddings, so {method} went by class probabilities."
    assert [n.message for n in left.notices if n.code == "space"] == [said]
    assert not [n for n in asked.notices if n.code == "space"]


def test_auto_goes_by_probabilities_of_two_classes_only_where_asked() -> None:
    pool = Pool("abcd", probabilities=ROWS)
    assert rank(pool, "margin", selection="auto").selection == "top_k"
    asked = rank(pool, "margin", selection="auto", space="probabilities")
    assert asked.selection == "weighted"
    assert rank(pool, "margin", selection="auto", space="embeddings").selection == "top_k"


def test_a_pool_without_classes_is_refused() -> None:
    pool = Pool("ab", embeddings=[[0.0], [1.0]])
    assert not has_shares(pool)
    with pytest.raises(InvalidInput, match="space must be embeddings for a pool without class"):
        rank(pool, None, selection="k_center", space="probabilities")
    with pytest.raises(InvalidInput, match="k_center needs embeddings, but the pool has none"):
        rank(Pool("ab"), None, selection="k_center")
    with pytest.raises(InvalidInput, match="k_center needs embeddings, but the pool has none"):
        rank(Pool("abcd", probabilities=ROWS), None, selection="k_center", space="embeddings")
    with pytest.raises(InvalidInput, match="space must be one of embeddings, probabilities"):
        rank(pool, None, selection="k_center", space="pixels")


def test_probabilities_too_small_to_be_squared_are_no_obstacle() -> None:
    rows = np.array([[1.0, 1e-300], [1 - 1e-16, 1e-16], [0.5, 0.5]])
    ranking = rank(Pool("abc", probabilities=rows), None, selection="k_center", budget=2)
    assert len(ranking.item_ids) == 2


def test_objects_without_a_class_count_for_none() -> None:
    seen = Objects([0, 2, 3], [0.6, 0.2, 0.5], class_ids=[0, -1, -1])
    shares = class_shares(Pool(["a", "b"], objects=seen, classes=["cat", "dog"]))
    assert shares is not None
    assert shares.tolist() == [[1.0, 0.0], [0.0, 0.0]]
