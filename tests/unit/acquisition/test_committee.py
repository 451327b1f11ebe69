"""Committees: hand cases, published values of scikit-activeml and its code, modAL, invariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from modAL.disagreement import KL_max_disagreement
from skactiveml.pool._query_by_committee import (
    average_kl_divergence,
    variation_ratios,
)
from skactiveml.pool._query_by_committee import (
    vote_entropy as skactiveml_vote_entropy,
)

from labelnext.acquisition import (
    ACQUISITIONS,
    bald,
    consensus_entropy,
    entropy,
    get_acquisition,
    kl_max,
    least_confidence,
    variation_ratio,
    vote_entropy,
)
from labelnext.errors import InvalidInput
from labelnext.pool import Pool
from labelnext.ranking import rank
from labelnext.ranking.reasons import reason
from labelnext.report.findings import summarise

NAMES = [
    name
    for name in ACQUISITIONS.own_names()
    if get_acquisition(name).members and "items" in get_acquisition(name).of
]
TOP = {
    "vote_entropy": lambda m, c: np.log(min(m, c)),
    "consensus_entropy": lambda m, c: np.log(c),
    "bald": lambda m, c: np.log(min(m, c)),
    "variation_ratio": lambda m, c: 1 - 1 / min(m, c),
    "kl_max": lambda m, c: np.log(m),
}


def one_hot(votes: np.ndarray, n_classes: int = 3) -> np.ndarray:
    """Votes of shape (n_items, n_members) as certain distributions."""
    return np.eye(n_classes)[votes.T]


def made(seed: int, m: int = 4, n: int = 30, c: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(c, 0.4), (m, n))


@pytest.mark.parametrize("name", NAMES)
def test_no_items_have_no_scores(name: str) -> None:
    assert get_acquisition(name).function(np.zeros((2, 0, 3))).shape == (0,)


def test_divergence_is_the_value_published_with_scikit_activeml() -> None:
    members = [[[0.3, 0.7], [0.4, 0.6]], [[0.2, 0.8], [0.5, 0.5]]]
    assert bald(members) == pytest.approx([0.00670178182, 0.00505938993], abs=1e-10)


def test_vote_entropy_is_the_value_published_with_scikit_activeml() -> None:
    votes = np.array([[0, 0, 2], [1, 0, 2], [2, 1, 2]]).T
    assert vote_entropy(one_hot(votes)) == pytest.approx([np.log(3), 0.6365, 0], abs=1e-4)


def test_variation_ratio_is_the_value_published_with_scikit_activeml() -> None:
    votes = np.array([[0, 0, 1], [0, 1, 2], [1, 2, 2], [1, 1, 1]])
    assert variation_ratio(one_hot(votes)) == pytest.approx([1 / 3, 2 / 3, 1 / 3, 0])


def test_committee_agrees_with_scikit_activeml() -> None:
    members = made(1)
    votes = members.argmax(axis=2).T
    assert vote_entropy(members) == pytest.approx(skactiveml_vote_entropy(votes, np.arange(3)))
    assert variation_ratio(members) == pytest.approx(variation_ratios(votes))
    assert bald(members) == pytest.approx(average_kl_divergence(members, eps=1e-15), abs=1e-12)


def test_kl_max_agrees_with_modal() -> None:
    members = made(2)

    class Committee(list):
        def vote_proba(self, _: object) -> np.ndarray:
            return members.swapaxes(0, 1)

    expected = KL_max_disagreement(Committee(members), members[0])
    assert kl_max(members) == pytest.approx(expected)


def test_consensus_entropy_is_the_entropy_of_the_mean() -> None:
    members = made(3)
    assert consensus_entropy(members) == pytest.approx(entropy(members.mean(axis=0)))


def test_certain_members_that_differ_reach_the_exact_ends() -> None:
    members = [[[1, 0, 0]], [[0, 1, 0]], [[0, 0, 1]]]
    assert bald(members)[0] == pytest.approx(np.log(3), abs=1e-15)
    assert kl_max(members)[0] == pytest.approx(np.log(3), abs=1e-15)
    assert variation_ratio(members).tolist() == [1 - 1 / 3]


@pytest.mark.parametrize("name", NAMES)
def test_members_that_agree_and_are_certain_score_exactly_zero(name: str) -> None:
    scores = get_acquisition(name).function([[[1.0, 0.0]], [[1.0, 0.0]]])
    assert scores.tolist() == [0.0]
    assert not np.signbit(scores).any()


def test_unsure_members_that_agree_have_no_disagreement_but_consensus_entropy() -> None:
    members = np.full((3, 1, 2), 0.5)
    assert bald(members).tolist() == [0.0]
    assert consensus_entropy(members) == pytest.approx([np.log(2)])


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 999), m=st.integers(1, 5), c=st.integers(1, 5))
def test_scores_stay_in_the_stated_range(name: str, seed: int, m: int, c: int) -> None:
    scores = get_acquisition(name).function(made(seed, m, 8, c))
    assert ((scores >= 0) & (scores <= TOP[name](m, c) + 1e-9)).all()


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 999))
def test_order_of_members_and_rows_does_not_matter(name: str, seed: int) -> None:
    f, members = get_acquisition(name).function, made(seed)
    rng = np.random.default_rng(seed)
    rows, order = rng.permutation(30), rng.permutation(4)
    assert f(members[order][:, rows]) == pytest.approx(f(members)[rows], abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_absent_member_has_no_say(name: str) -> None:
    f, members = get_acquisition(name).function, made(5, m=3, n=2)
    holed = members.copy()
    holed[1, 0] = np.nan
    assert f(holed)[0] == pytest.approx(f(members[[0, 2]])[0])
    assert f(holed)[1] == f(members)[1]
    holed[:, 0] = np.nan
    assert np.isnan(f(holed)[0])


def test_items_that_lack_a_member_are_counted_and_still_ranked() -> None:
    members = made(6, m=2, n=3)
    members[0, 1, 2] = np.nan
    members[:, 2] = np.nan
    pool = Pool(["a", "b", "c"], probabilities=members)
    assert {n.code: n.item_ids for n in pool.notices} == {"missing_members": ("b",), "nan": ("c",)}
    ranking = rank(pool, "bald")
    assert set(ranking.item_ids.tolist()) == {"a", "b"}
    assert ranking.unscored_ids == ("c",)
    assert sum(row["pool"] for row in summarise(pool, ranking)["classes"]) == 2


@pytest.mark.parametrize("name", ["bald", "consensus_entropy", "kl_max", "vote_entropy"])
def test_the_smallest_numbers_are_as_good_as_none(name: str) -> None:
    tiny = 5e-324  # halved, it is 0
    function = get_acquisition(name).function
    assert function([[[1.0, tiny]], [[1.0, 0.0]]]).tolist() == [0]


@pytest.mark.parametrize("name", ["bald", "vote_entropy", "variation_ratio", "kl_max"])
def test_an_item_of_one_member_stands_where_its_own_doubt_puts_it(name: str) -> None:
    nan = [np.nan, np.nan]
    first = [[0.99, 0.01], [0.9, 0.1], [0.8, 0.2], [0.5, 0.5], [1.0, 0.0]]
    second = [[0.98, 0.02], [0.6, 0.4], [0.1, 0.9], nan, nan]
    pool = Pool(["sure", "less", "torn", "unsure", "certain"], probabilities=[first, second])
    assert "2 have only one, whose own doubt" in pool.notices[0].message
    order = rank(pool, name).item_ids.tolist()
    assert order.index("unsure") <= 1  # no item is more in doubt
    assert order.index("certain") >= 2  # and none is less; two others tie, by id
    assert np.isnan(pool.members[1, 3]).all()


def test_reason_gives_the_mean_and_the_votes() -> None:
    members = [[[0.8, 0.2]], [[0.3, 0.7]], [[0.7, 0.3]], [[np.nan, 0]]]
    pool = Pool(["a"], probabilities=members, classes=["cat", "dog"])
    assert reason(pool, 0, "items") == "cat 0.60, dog 0.40; votes: cat 2, dog 1"


def test_committee_needs_several_versions_and_the_others_need_one() -> None:
    one, two = (Pool(["a"], probabilities=p) for p in ([[1, 0]], [[[1, 0]], [[0, 1]]]))
    assert "needs several model versions" in get_acquisition("bald").obstacle(one)
    assert "needs one model version" in get_acquisition("entropy").obstacle(two)
    with pytest.raises(InvalidInput, match="must be of shape"):
        bald([[1, 0]])


def test_multilabel_items_are_scored_label_by_label() -> None:
    pool = Pool(["a", "b"], probabilities=[[0.9, 0.5], [0.2, 0.1]], multilabel=True)
    binary = [-p * np.log(p) - (1 - p) * np.log(1 - p) for p in (0.9, 0.5, 0.2, 0.1)]
    expected = [np.mean(binary[:2]), np.mean(binary[2:])]
    assert get_acquisition("entropy").score(pool)[0] == pytest.approx(expected)
    least, _ = get_acquisition("least_confidence").score(pool, reduce="sum")
    assert least == pytest.approx([0.1 + 0.5, 0.2 + 0.1])
    largest = rank(pool, "entropy", reduce="max")
    assert largest.scores == pytest.approx([np.log(2), binary[2]])


def test_multilabel_items_refuse_what_is_meant_for_objects_or_distributions() -> None:
    pool = Pool(["a"], probabilities=[[0.9, 0.5]], multilabel=True)
    with pytest.raises(InvalidInput, match="floor must be left out"):
        get_acquisition("entropy").score(pool, floor=0.5)
    assert "multilabel" in get_acquisition("margin").obstacle(pool)
    assert least_confidence([[0.9, 0.1]]) == pytest.approx([0.1])
