"""Expected values by hand, and against scipy, scikit-activeml and modAL."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from modAL import uncertainty as modal
from skactiveml.pool import uncertainty_scores

from labelnext.acquisition import entropy, least_confidence, margin, variance
from labelnext.errors import InvalidInput
from labelnext.pool import Objects

FUNCTIONS = (least_confidence, margin, variance, entropy)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_score_of_no_items_is_empty(function) -> None:
    assert function(np.empty((0, 3))).shape == (0,)


def test_least_confidence_is_one_minus_the_largest() -> None:
    assert least_confidence([[0.7, 0.2, 0.1], [0.4, 0.3, 0.3]]) == pytest.approx([0.3, 0.6])


def test_margin_is_the_difference_of_the_two_largest() -> None:
    assert margin([[0.2, 0.7, 0.1], [0.3, 0.4, 0.3]]) == pytest.approx([0.5, 0.1])


def test_variance_divides_by_the_number_of_classes() -> None:
    # mean 1/3; deviations 2/3, -1/3, -1/3; (4/9 + 1/9 + 1/9) / 3 = 2/9 = (K - 1)/K² for K = 3
    assert variance([[1.0, 0.0, 0.0]]) == pytest.approx([2 / 9])


def test_entropy_of_a_uniform_row_is_log_n_classes() -> None:
    assert entropy(np.full((1, 7), 1 / 7)) == pytest.approx([np.log(7)])


def test_entropy_in_bits_of_a_uniform_row_over_eight_classes_is_three() -> None:
    assert entropy(np.full((1, 8), 1 / 8), base=2) == pytest.approx([3.0])


@pytest.mark.parametrize("base", [0, 1, -2])
def test_entropy_refuses_an_impossible_base(base: float) -> None:
    with pytest.raises(InvalidInput, match="base must be above 0 and not 1"):
        entropy([[0.5, 0.5]], base=base)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_score_of_a_certain_row_has_no_negative_zero(function) -> None:
    scores = function([[1.0, 0.0], [1.0, -1e-17]])
    assert not np.signbit(scores).any()


def test_entropy_of_rounding_noise_below_zero_is_zero() -> None:
    assert entropy([[1.0, -1e-17]]).tolist() == [0.0]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_unnormalised_row_is_refused_with_its_number(function) -> None:
    with pytest.raises(InvalidInput, match=r"sum to 1.*got 1.5 for row 1"):
        function([[0.5, 0.25, 0.25], [0.5, 0.5, 0.5]])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_probability_above_one_is_refused(function) -> None:
    with pytest.raises(InvalidInput, match=r"in \[0, 1\]; got 2 for row 0"):
        function([[2.0, 1.0, 1.0]])


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("rows", [[0.5, 0.5], [[[0.5, 0.5]]]])
def test_wrong_number_of_axes_is_refused(function, rows) -> None:
    with pytest.raises(InvalidInput, match=r"\(n_items, n_classes\)"):
        function(rows)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_ragged_rows_are_refused(function) -> None:
    with pytest.raises(InvalidInput, match="rows of equal length"):
        function([[0.5, 0.5], [1.0]])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_classes_are_refused(function) -> None:
    with pytest.raises(InvalidInput, match="at least one class"):
        function(np.empty((2, 0)))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_row_with_nan_scores_nan_and_others_are_untouched(function) -> None:
    scores = function([[np.nan, 1.0, 0.0], [0.2, 0.3, 0.5]])
    assert np.isnan(scores[0])
    assert scores[1] == function([[0.2, 0.3, 0.5]])[0]


def test_one_class_is_certain_in_every_function() -> None:
    rows = [[1.0]]
    assert [f(rows)[0] for f in FUNCTIONS] == [0.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_float32_gives_the_value_of_float64(function) -> None:
    rows = np.random.default_rng(0).dirichlet(np.ones(10), 100)
    narrow = function(rows.astype(np.float32))
    assert narrow == pytest.approx(function(rows), abs=1e-6)


ROWS = np.random.default_rng(1).dirichlet(np.full(6, 0.4), 500)


def test_entropy_agrees_with_scipy() -> None:
    assert entropy(ROWS) == pytest.approx(scipy.stats.entropy(ROWS, axis=1), abs=1e-12)


@pytest.mark.parametrize(
    ("ours", "theirs", "sign"),
    [
        (least_confidence, "least_confident", 1),
        (margin, "margin_sampling", -1),
        (entropy, "entropy", 1),
    ],
)
def test_scores_agree_with_scikit_activeml(ours, theirs: str, sign: int) -> None:
    reference = uncertainty_scores(ROWS, method=theirs)
    expected = reference if sign == 1 else 1 - reference
    assert ours(ROWS) == pytest.approx(expected, abs=1e-9)


def test_published_values_of_scikit_activeml_are_met() -> None:
    rows = [[0.2, 0.5, 0.3], [0.1, 0.7, 0.2]]
    assert least_confidence(rows) == pytest.approx([0.5, 0.3])
    assert entropy(rows) == pytest.approx([1.029653014, 0.8018185525])
    assert 1 - margin(rows) == pytest.approx([0.8, 0.5])


class _Model:
    """What modAL asks of a classifier."""

    def predict_proba(self, rows, **_):
        return rows


def test_scores_agree_with_modal() -> None:
    assert least_confidence(ROWS) == pytest.approx(modal.classifier_uncertainty(_Model(), ROWS))
    assert margin(ROWS) == pytest.approx(modal.classifier_margin(_Model(), ROWS))
    assert entropy(ROWS) == pytest.approx(modal.classifier_entropy(_Model(), ROWS))


def test_variance_agrees_with_the_sum_of_squares() -> None:
    expected = [sum((p - 1 / 6) ** 2 for p in row) / 6 for row in ROWS]
    assert variance(ROWS) == pytest.approx(expected)


VECTORS = Objects(
    [0, 2, 2, 3],
    [0.7, 0.5, 0.9],
    probabilities=[[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.9, 0.1, 0.0]],
)


@pytest.mark.parametrize(
    ("reduce", "first", "last"),
    [("mean", 0.3, 0.8), ("max", 0.5, 0.8), ("min", 0.1, 0.8), ("sum", 0.6, 0.8)],
)
def test_margin_of_objects_is_reduced(reduce: str, first: float, last: float) -> None:
    scores = margin(VECTORS, reduce=reduce)
    assert scores[[0, 2]] == pytest.approx([first, last])


def test_mean_of_the_top_k_takes_the_largest_scores() -> None:
    vectors = Objects([0, 3], [0.9, 0.8, 0.6])
    # 1 − s: 0.1, 0.2, 0.4; the two largest are 0.4 and 0.2
    assert least_confidence(vectors, reduce="mean_top_k", k=2) == pytest.approx([0.3])
    assert least_confidence(vectors, reduce="mean_top_k", k=9) == pytest.approx([0.7 / 3])


def test_objects_without_vectors_score_by_their_confidence() -> None:
    bare = Objects([0, 1, 2], [0.5, 0.8])
    assert least_confidence(bare) == pytest.approx([0.5, 0.2])
    binary = -(0.8 * np.log(0.8) + 0.2 * np.log(0.2))
    assert entropy(bare) == pytest.approx([np.log(2), binary])


@pytest.mark.parametrize("function", [margin, variance])
def test_margin_and_variance_need_class_vectors(function) -> None:
    with pytest.raises(InvalidInput, match="class probability vectors"):
        function(Objects([0, 1], [0.5]))


@pytest.mark.parametrize(
    ("function", "first", "last"),
    [
        (least_confidence, 2 / 3, 0.0),
        (margin, 0.0, 1.0),
        (variance, 0.0, 2 / 9),
        (entropy, np.log(3), 0.0),
    ],
)
def test_item_without_objects_scores_the_end_of_its_policy(function, first, last) -> None:
    assert function(VECTORS)[1] == pytest.approx(first)
    assert function(VECTORS, no_objects="last")[1] == pytest.approx(last)


def test_object_vectors_need_not_sum_to_one() -> None:
    sigmoid = Objects([0, 1], [0.9], probabilities=[[0.9, 0.8]])
    assert margin(sigmoid) == pytest.approx([0.1])
