"""NPZ files with an array for each class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from labelnext.errors import InvalidInput
from tests.unit.files.reading import order, read

CAT = np.array([0.875, 0.5, 0.25])


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (("p0", "p1"), ("0", "1")),
        (("p_cat", "p_dog"), ("cat", "dog")),
        (("prob_cat", "prob_dog"), ("cat", "dog")),
        (("probability_0", "probability_1"), ("0", "1")),
    ],
)
def test_an_array_for_each_class_is_a_column(
    tmp_path: Path, names: tuple[str, str], classes: tuple[str, str]
) -> None:
    arrays = dict(zip(names, (CAT, 1 - CAT), strict=True))
    np.savez(tmp_path / "p.npz", ids=np.array(["a", "b", "c"]), **arrays)
    pool = read(tmp_path, "p.npz")
    assert pool.classes == classes
    assert pool.mean_probabilities.tolist() == [[0.875, 0.125], [0.5, 0.5], [0.25, 0.75]]
    assert order(pool) == ["b", "c", "a"]


def test_a_matrix_stands_before_single_arrays(tmp_path: Path) -> None:
    matrix = np.stack([CAT, 1 - CAT], axis=1)
    np.savez(tmp_path / "p.npz", item_ids=["a", "b", "c"], probabilities=matrix, p0=CAT, p1=CAT)
    assert order(read(tmp_path, "p.npz")) == ["b", "c", "a"]


def test_arrays_of_several_numbers_an_item_are_no_single_ones(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", ids=["a", "b", "c"], p_cat=CAT, p_dog=np.stack([CAT, CAT]))
    with pytest.raises(InvalidInput, match=r"one number an item; got p_cat \(3,\), p_dog \(2, 3\)"):
        read(tmp_path, "p.npz")


def test_arrays_that_are_no_class_scores_leave_the_others_readable(tmp_path: Path) -> None:
    vectors = np.array([[1.0, 0.0], [0.0, 1.0]])
    for name, other in (("mean", np.array([0.5, 0.1])), ("words", np.array(["x", "y"]))):
        arrays = {
            "prob_mean": np.array([0.5, 0.6]),
            "prob_std": other,
            "p_word": np.array(["x", "y"]),
        }
        np.savez(tmp_path / f"{name}.npz", item_ids=["a", "b"], embeddings=vectors, **arrays)
        pool = read(tmp_path, f"{name}.npz")
        assert pool.probabilities is None
        assert pool.embeddings is not None
        assert pool.embeddings.tolist() == vectors.tolist()
