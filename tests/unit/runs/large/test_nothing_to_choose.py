"""Pools in parts of which nothing can be chosen: an empty batch by any method and limit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import labelnext
from labelnext.selection import get_selection, selection_names
from tests.unit.runs.large.test_job import settings, spread

IDS = [f"i{n}" for n in range(12)]
METHODS = ["auto", *(name for name in selection_names() if get_selection(name).large)]
LIMITS: list[dict[str, Any]] = [
    {},
    {"quota": "uniform"},
    {"quota": "input", "quota_of": "city"},
    {"quota": {"a": 1, "b": 0}},
    {"per_group": 1},
]
WHY = ["labelled", "excluded", "not predicted"]


def pool(why: str) -> pa.Table:
    """Items with all columns; none of them can be chosen, unless they are only excluded."""
    rng = np.random.default_rng(0)
    rows: list[Any] = rng.dirichlet([1, 1], len(IDS)).tolist()
    vectors: list[Any] = rng.normal(size=(len(IDS), 2)).tolist()
    if why == "not predicted":
        rows = vectors = [None] * len(IDS)
    labels = ["a" if why == "labelled" else None] * len(IDS)
    columns: dict[str, pa.Array] = {
        "item_id": pa.array(IDS),
        "probabilities": pa.array(rows, pa.list_(pa.float64())),
        "embedding": pa.array(vectors, pa.list_(pa.float64())),
        "label": pa.array(labels, pa.string()),
        "group": pa.array([None, "v"] * 6),
        "city": pa.array([None] * len(IDS), pa.string()),
    }
    return pa.table(columns)


def counts(
    folder: Path, why: str, method: str, order: str = "all", **options: Any
) -> dict[str, int]:
    if why == "excluded":
        options["exclude"] = IDS
    path = spread(pool(why), folder / "data", 2)
    choice = {"method": method, "budget": 3, "options": options}
    asked = settings(folder, path, metadata=["city"], selection=choice)
    asked["source"]["classes"] = ["a", "b"]
    asked["write"]["order"] = order
    return labelnext.run(asked).counts


@pytest.mark.parametrize("why", WHY)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_an_empty_batch(tmp_path: Path, method: str, why: str) -> None:
    found = counts(tmp_path, why, method)
    assert (found["items"], found["batch"]) == (12, 0)


@pytest.mark.parametrize("why", WHY)
@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_every_limit_gives_an_empty_batch(tmp_path: Path, limits: dict[str, Any], why: str) -> None:
    for order in ("all", "batch"):
        assert counts(tmp_path / order, why, "top_k", order, **limits)["batch"] == 0


@pytest.mark.parametrize("why", WHY)
def test_so_does_a_distance(tmp_path: Path, why: str) -> None:
    assert counts(tmp_path, why, "uncertainty_herding", min_distance=1.0)["batch"] == 0


def test_what_is_included_comes_in_all_the_same(tmp_path: Path) -> None:
    for number, options in enumerate([{}, {"quota": "uniform"}]):
        found = counts(tmp_path / str(number), "not predicted", "top_k", include=["i3"], **options)
        assert found["batch"] == 1
