"""What a pool says of its model versions, in one form for one version and for several."""

from __future__ import annotations

import numpy as np
import pytest

from labelnext import rank
from labelnext.acquisition import consensus_entropy
from labelnext.errors import InvalidInput
from labelnext.pool import Objects, Pool

NAN = [np.nan, np.nan]
# Of a both members speak, of b the first, of c none.
TWO = [[[0.1, 0.9], [0.25, 0.75], NAN], [[0.3, 0.7], NAN, NAN]]
IDS = ["a", "b", "c"]


def test_a_pool_without_predictions_has_no_versions() -> None:
    pool = Pool(["a"])
    assert (pool.members, pool.mean_probabilities) == (None, None)
    assert (pool.object_sets, pool.newest_objects, pool.shown_objects) == ((), None, None)
    assert (pool.top_classes, pool.top_names) == (None, None)
    assert (pool.newest_versions.tolist(), pool.predicted_classes.tolist()) == ([-1], [-1])


def test_an_empty_pool_has_columns_without_rows() -> None:
    pool = Pool([], probabilities=np.empty((2, 0, 3)))
    assert pool.mean_probabilities is not None
    assert pool.mean_probabilities.shape == (0, 3)
    assert pool.predicted_classes.shape == (0,)
    assert Pool([], probabilities=np.empty((0, 3))).top_names.tolist() == []


def test_one_member_is_the_array_itself() -> None:
    pool = Pool(["a", "b"], probabilities=np.array([[0.9, 0.1], [0.6, 0.4]]))
    assert pool.members is not None
    assert pool.members.shape == (1, 2, 2)
    assert np.shares_memory(pool.members, pool.probabilities)
    assert pool.mean_probabilities is pool.probabilities


def test_members_of_a_committee_are_its_probabilities() -> None:
    pool = Pool(IDS, probabilities=TWO)
    assert pool.members is pool.probabilities


def test_the_mean_is_of_the_members_that_are_present() -> None:
    mean = Pool(IDS, probabilities=TWO).mean_probabilities
    assert mean is not None
    assert mean[:2] == pytest.approx(np.array([[0.2, 0.8], [0.25, 0.75]]))
    assert np.isnan(mean[2]).all()


def test_two_members_of_three_are_averaged() -> None:
    three = [[[0.2, 0.8]], [NAN], [[0.6, 0.4]]]
    mean = Pool(["a"], probabilities=three).mean_probabilities
    assert mean == pytest.approx(np.array([[0.4, 0.6]]))


def test_a_member_with_nan_for_one_class_has_no_say() -> None:
    pool = Pool(["a"], probabilities=[[[0.75, np.nan]], [[0.5, 0.5]]])
    assert pool.mean_probabilities.tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("absent", [0.0, 0.4])
def test_the_mean_has_the_digits_that_scores_go_by(absent: float, dtype: type) -> None:
    rng = np.random.default_rng(0)
    members = rng.dirichlet(np.ones(4), (5, 300)).astype(dtype)
    members[rng.random((5, 300)) < absent] = np.nan
    mean = Pool(range(300), probabilities=members).mean_probabilities
    assert mean is not None
    for item, row in enumerate(mean):
        total, n_members = np.zeros(4, dtype), 0
        for vector in members[:, item]:
            if not np.isnan(vector).any():
                total, n_members = total + vector, n_members + 1
        with np.errstate(invalid="ignore"):
            expected = total / np.int64(n_members)
        assert np.array_equal(row, expected, equal_nan=True)
    alone = mean[None].astype(dtype)
    assert np.array_equal(consensus_entropy(members), consensus_entropy(alone), equal_nan=True)


def test_the_class_of_an_item_is_that_of_its_largest_mean() -> None:
    pool = Pool(IDS, probabilities=TWO, classes=["cat", "dog"])
    assert pool.predicted_classes.tolist() == [1, 1, -1]
    assert pool.top_classes.tolist() == [1, 1, -1]
    assert pool.top_names.tolist() == ["dog", "dog", ""]
    assert Pool(IDS, probabilities=TWO).top_names.tolist() == ["1", "1", ""]


def test_the_first_of_equal_classes_is_taken() -> None:
    assert Pool(["a"], probabilities=[[0.25, 0.375, 0.375]]).predicted_classes.tolist() == [1]


def test_independent_classes_have_a_top_and_none_that_is_predicted() -> None:
    pool = Pool(["a", "b"], probabilities=[[0.9, 0.8], NAN], multilabel=True)
    assert pool.top_classes.tolist() == [0, -1]
    assert pool.predicted_classes.tolist() == [-1, -1]


def test_objects_are_given_back_as_they_were_given() -> None:
    seen = Objects([0, 1], [0.5])
    one, several = Pool(["a"], objects=seen), Pool(["a"], objects=(seen, seen))
    assert one.objects is seen
    assert several.objects == (seen, seen)
    assert one.object_sets == (seen,)
    assert several.object_sets == (seen, seen)
    assert one.newest_objects is several.newest_objects is seen


def versions() -> tuple[Objects, Objects]:
    """Of a both versions speak, of b the older one alone; of c the newer finds nothing; d: none."""
    older = Objects(
        [0, 1, 3, 4, 4],
        [0.9, 0.5, 0.75, 0.75],
        class_ids=[1, 0, 1, 0],
        missing=[False, False, False, True],
    )
    missing = [False, True, False, True]
    return older, Objects([0, 1, 1, 1, 1], [0.5], class_ids=[0], missing=missing)


def test_an_item_that_the_newest_version_lacks_shows_what_the_one_before_found() -> None:
    pool = Pool("abcd", objects=versions())
    assert pool.newest_versions.tolist() == [1, 0, 1, -1]
    shown = pool.shown_objects
    assert shown.counts.tolist() == [1, 2, 0, 0]
    assert shown.confidences.tolist() == [0.5, 0.5, 0.75]
    assert shown.class_ids.tolist() == [0, 0, 1]
    assert shown.missing.tolist() == [False, False, False, True]
    assert pool.top_classes.tolist() == [0, 1, -1, -1]
    assert pool.predicted_classes.tolist() == [-1] * 4


def test_a_newest_version_that_lacks_nothing_is_shown_itself() -> None:
    older, _ = versions()
    newer = Objects([0, 1, 1, 1, 1], [0.5], class_ids=[0])
    pool = Pool("abcd", objects=(older, newer))
    assert pool.shown_objects is newer
    assert pool.top_classes.tolist() == [0, -1, -1, -1]


def test_a_version_without_classes_leaves_its_items_without_one() -> None:
    older, newer = versions()
    bare = Objects([0, 1, 1, 1, 1], [0.5], boxes=[[0, 0, 1, 1]], missing=newer.missing)
    assert Pool("abcd", objects=(older, bare)).top_classes.tolist() == [-1, 1, -1, -1]
    only_bare = Pool("abcd", objects=(bare, bare), classes=["x"])
    assert only_bare.top_names is None
    with pytest.raises(InvalidInput, match="quota must be by group"):
        rank(only_bare, "committee_certainty", quota={"x": 1})


def test_the_class_of_an_image_is_that_of_its_most_confident_object() -> None:
    # Of two equal ones the last; an object of unknown class that leads leaves the image without.
    seen = Objects([0, 2, 4, 5], [0.5, 0.5, 0.4, 0.9, 0.3], class_ids=[0, 2, 1, -1, 1])
    assert seen.top_classes.tolist() == [2, -1, 1]
    assert Pool("abc", objects=seen).top_names.tolist() == ["2", "", "1"]


def test_a_committee_of_one_is_ranked_as_one_version() -> None:
    rows = [[0.9, 0.1], [0.6, 0.4], [0.75, 0.25]]
    plain, one = Pool("abc", probabilities=rows), Pool("abc", probabilities=[rows])
    assert one.mean_probabilities.tolist() == rows
    assert np.shares_memory(one.mean_probabilities, one.probabilities)
    for name in ("auto", "margin"):
        assert rank(one, name).item_ids.tolist() == rank(plain, name).item_ids.tolist() == [*"bca"]
    seen = Objects([0, 1, 2], [0.9, 0.6])
    alone = rank(Pool("ab", objects=(seen,)), "entropy", of="objects")
    assert alone.item_ids.tolist() == ["b", "a"]
