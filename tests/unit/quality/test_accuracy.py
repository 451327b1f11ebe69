"""How often labelled items are predicted as they were labelled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from labelnext import Pool
from labelnext.quality.accuracy import Accuracy, accuracy_of, hits, wilson


def test_no_accuracy_of_an_empty_pool_nor_without_labels_or_classes() -> None:
    rows = [[0.9, 0.1]]
    empty = Pool([], probabilities=np.empty((0, 2)), labels=[], classes=["x", "y"])
    pools = (empty, Pool("a", probabilities=rows), Pool("a", labels=[0], classes=["x"]))
    assert [accuracy_of(hits(pool), out_of_fold=True) for pool in pools] == [None] * 3


def test_only_labelled_and_predicted_items_count() -> None:
    rows = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7], [0.5, 0.5]]
    missing = [False, False, False, True, False]
    labels = [0, 1, 1, 1, -1]
    pool = Pool("abcde", probabilities=rows, labels=labels, missing=missing)
    assert hits(pool) == (2, 3)  # of a, b and c, all but c
    found = accuracy_of(hits(pool), out_of_fold=False)
    assert found is not None
    assert (found.share, found.labels) == (2 / 3, 3)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        # Newcombe (1998), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_intervals_are_those_of_newcombe(right: int, n: int, low: float, high: float) -> None:
    found = wilson(right, n)
    assert found == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_it_is_said_whether_the_items_were_held_out() -> None:
    said = "80.0% of 10 labelled items are predicted as they were labelled (49.0 to 94.3)"
    low, high = wilson(8, 10)
    held_out, seen = (Accuracy(0.8, 10, low, high, fold) for fold in (True, False))
    harder = "Items that were chosen as uncertain are harder than the rest."
    assert held_out.sentence() == f"{said}, each without its own label. {harder}"
    counts = "it counts only if the model didn't learn from"
    assert seen.sentence() == f"{said}; {counts} them. {harder}"
    assert f"{counts} it." in replace(seen, labels=1).sentence()
