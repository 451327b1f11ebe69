"""Scores of more rows than a block holds: as those of each row alone, and without large copies."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from labelnext.acquisition import entropy, least_confidence, margin, uncertainties, variance
from labelnext.acquisition.kernels import _BLOCK, _THREAD
from labelnext.errors import InvalidInput, UnknownName
from labelnext.support import loops, threads

FUNCTIONS = (least_confidence, margin, variance, entropy)


@pytest.fixture(autouse=True, params=["as installed", "numpy"])
def runs_on(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs on the compiled loops, where there are some, and on numpy alone."""
    if request.param == "numpy":
        monkeypatch.setattr(loops, "_library", lambda: None)


def made_rows(n: int, c: int, dtype: type = np.float64) -> np.ndarray:
    rows = np.random.default_rng(c).dirichlet(np.full(c, 0.3), n).astype(dtype)
    rows[rows < 1e-12] = 0
    return (rows / rows.sum(axis=1, keepdims=True)).astype(dtype)


def textbook(name: str, rows: np.ndarray) -> np.ndarray:
    ordered = np.pad(np.sort(rows, axis=1)[:, ::-1], ((0, 0), (0, 1)))
    logs = np.log(rows, out=np.zeros_like(rows), where=rows > 0)
    return {
        "least_confidence": 1 - ordered[:, 0],
        "margin": ordered[:, 0] - ordered[:, 1],
        "variance": ((rows - rows.mean(axis=1, keepdims=True)) ** 2).mean(axis=1),
        "entropy": -(rows * logs).sum(axis=1),
    }[name]


BLOCKS_OF_TEN = _BLOCK // (10 * 8)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("n", "c"),
    [
        (1, 10),
        (BLOCKS_OF_TEN, 10),
        (2 * BLOCKS_OF_TEN + 1, 10),
        (3000, 64),
        (500, 1),
        (300, 1000),
    ],
)
def test_scores_over_several_blocks_are_the_textbooks(function, n: int, c: int) -> None:
    rows = made_rows(n, c)
    assert function(rows) == pytest.approx(textbook(function.__name__, rows), abs=1e-12)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("c", [10, 100])
def test_equal_rows_score_exactly_equal_wherever_they_stand(function, c: int, dtype) -> None:
    n = _BLOCK // (c * np.dtype(dtype).itemsize) + 1  # the last row is alone in its block
    rows = np.repeat(made_rows(1, c, dtype), n, axis=0)
    assert len(set(function(rows).tolist())) == 1
    assert function(rows)[0] == function(rows[:1])[0]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("c", [3, 100])
def test_layout_in_memory_has_no_influence(function, c: int) -> None:
    rows = made_rows(50, c)
    assert function(np.asfortranarray(rows)) == pytest.approx(function(rows), abs=1e-14)
    assert function(np.repeat(rows, 2, axis=0)[::2]) == pytest.approx(function(rows), abs=1e-14)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("c", [10, 100])
def test_nan_and_noise_touch_only_their_own_rows(function, c: int) -> None:
    rows = made_rows(2 * _BLOCK // (c * 8), c)
    clean = function(rows)
    rows[7, 3] = np.nan
    rows[-1] *= 1.0005  # within the tolerance: divided by its sum
    scores = function(rows)
    assert np.isnan(scores[7])
    assert (np.delete(scores, [7, len(rows) - 1]) == np.delete(clean, [7, len(rows) - 1])).all()
    assert scores[-1] == pytest.approx(clean[-1])


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("sign", [1, -1])
def test_nan_of_either_sign_spreads(function, sign: int) -> None:
    rows = made_rows(3, 10)
    rows[1, 4] = np.copysign(np.nan, sign)  # dividing zero by zero gives the negative one
    assert np.isnan(function(rows)).tolist() == [False, True, False]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("dtype", [">f4", ">f8", np.longdouble, np.float16])
def test_any_float_type_is_read(function, dtype) -> None:
    rows = np.array([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])
    assert function(rows.astype(dtype)) == pytest.approx(function(rows), abs=1e-6)


def test_bad_row_of_a_later_block_is_named_by_its_place_in_the_whole() -> None:
    rows = made_rows(BLOCKS_OF_TEN + 10, 10)
    rows[BLOCKS_OF_TEN + 3] *= 1.5
    with pytest.raises(InvalidInput, match=f"got 1.5 for row {BLOCKS_OF_TEN + 3}"):
        entropy(rows)


@pytest.mark.parametrize("c", [10, 100])
def test_two_best_classes_alike_have_no_margin(c: int) -> None:
    rows = np.zeros((2, c))
    rows[:, [2, 5]] = 0.5
    assert margin(rows).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_input_is_left_as_it_is(function) -> None:
    for c in (10, 100):
        rows = made_rows(20, c)
        before = rows.copy()
        rows.flags.writeable = False
        function(rows)
        assert (rows == before).all()


def test_several_uncertainties_are_those_of_the_functions() -> None:
    rows = made_rows(400, 10)
    scores = uncertainties(rows)
    assert list(scores) == ["least_confidence", "margin", "variance", "entropy"]
    for function in FUNCTIONS:
        assert (scores[function.__name__] == function(rows)).all()


def test_uncertainties_are_given_in_the_order_asked_for() -> None:
    assert list(uncertainties(np.empty((0, 3)), ["entropy", "margin"])) == ["entropy", "margin"]


def test_unknown_uncertainty_lists_the_right_names() -> None:
    with pytest.raises(UnknownName, match="entropy"):
        uncertainties([[1.0]], ["entropie"])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_number_of_threads_has_no_influence(function, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = made_rows(5 * _THREAD // 80, 10)
    scores = []
    for n_threads in (1, 3):
        monkeypatch.setattr(threads, "_n_cores", lambda n=n_threads: n)
        scores.append(function(rows))
    assert (scores[0] == scores[1]).all()
    rows[-1] *= 1.5  # in the last thread's part
    with pytest.raises(InvalidInput, match=f"got 1.5 for row {len(rows) - 1}"):
        function(rows)


@pytest.mark.parametrize(("n", "c"), [(400_000, 10), (4_000, 1000)])
def test_temporaries_of_a_thread_stay_small(
    n: int, c: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_n_cores", lambda: 1)
    rows = np.full((n, c), 1 / c, dtype=np.float32)
    tracemalloc.start()
    results = uncertainties(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - sum(r.nbytes for r in results.values()) < 8 * _BLOCK < rows.nbytes
