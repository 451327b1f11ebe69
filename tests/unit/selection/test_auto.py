from __future__ import annotations

import numpy as np
import pytest

from labelnext.errors import InvalidInput
from labelnext.pool import Objects, Pool
from labelnext.ranking import Ranking, rank

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(60, 3))
ROWS = RNG.dirichlet(np.ones(2), 60)


def pool(n_labels: int, **columns: object) -> Pool:
    return Pool(range(60), labelled=np.arange(60) < n_labels, **columns)


def said(ranking: Ranking) -> str:
    (notice,) = ranking.notices
    return notice.message


@pytest.mark.parametrize(
    ("n_labels", "acquisition", "columns", "method", "why"),
    [
        (0, "margin", {"probabilities": ROWS}, "top_k", "the pool has scores but no embeddings"),
        (
            3,
            "margin",
            {"probabilities": ROWS, "embeddings": POINTS},
            "typiclust",
            "the pool has embeddings but only 3 labels, fewer than 4",
        ),
        (
            4,
            "margin",
            {"probabilities": ROWS, "embeddings": POINTS},
            "cluster_margin",
            "the pool has scores, embeddings and 4 labels",
        ),
        (
            4,
            None,
            {"probabilities": ROWS, "embeddings": POINTS},
            "badge",
            "the pool has probabilities, embeddings and 4 labels, but no scores",
        ),
        (
            19,
            None,
            {"embeddings": POINTS},
            "typiclust",
            "the pool has embeddings but only 19 labels, fewer than 20",
        ),
        (
            20,
            None,
            {"embeddings": POINTS},
            "typiclust",
            "the pool has embeddings but no scores",
        ),
        (
            0,
            "mean_object_confidence",
            {"objects": Objects(np.arange(61), RNG.random(60))},
            "top_k",
            "the pool has scores but no embeddings",
        ),
    ],
)
def test_auto_is_the_method_that_it_names_and_says_why(
    n_labels: int, acquisition: str | None, columns: dict[str, object], method: str, why: str
) -> None:
    items = pool(n_labels, **columns)
    ranking = rank(items, acquisition, selection="auto", budget=8, seed=2)
    expected = rank(items, acquisition, selection=method, budget=8, seed=2)
    assert ranking.item_ids.tolist() == expected.item_ids.tolist()
    assert said(ranking) == f"auto chose {method}: {why}."


def test_nothing_to_go_by_is_refused() -> None:
    with pytest.raises(InvalidInput, match="auto needs embeddings or an acquisition function"):
        rank(pool(0), None, selection="auto")
