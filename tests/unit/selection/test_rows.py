"""The rows of the table say only what their methods can do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import labelnext
from labelnext.acquisition import AcquisitionFunction
from labelnext.errors import ConfigError, InvalidInput, LabelnextError
from labelnext.runs.check import check
from labelnext.selection import Large, SelectionMethod, top_k


def by_score(utilities: np.ndarray, budget: int | None = None) -> np.ndarray:
    return np.argsort(-utilities)[:budget]


def by_place(embeddings: np.ndarray, budget: int | None = None) -> np.ndarray:
    return np.argsort(embeddings[:, 0])[:budget]


def by_place_and_score(
    embeddings: np.ndarray,
    labelled_embeddings: np.ndarray,
    utilities: np.ndarray,
    budget: int | None = None,
) -> np.ndarray:
    return np.argsort(-utilities)[:budget]


def by_place_and_class(
    embeddings: np.ndarray,
    probabilities: np.ndarray,
    costs: np.ndarray | None = None,
    budget: int | None = None,
) -> np.ndarray:
    return np.argsort(-probabilities[:, 0])[:budget]


def by_place_on_demand(
    embeddings: np.ndarray,
    budget: int | None = None,
    labelled_classes: np.ndarray | None = None,
    predicted_classes: np.ndarray | None = None,
) -> np.ndarray:
    return np.argsort(embeddings[:, 0])[:budget]


def by_place_and_label(
    embeddings: np.ndarray, labelled_classes: np.ndarray, budget: int | None = None
) -> np.ndarray:
    return np.argsort(embeddings[:, 0])[:budget]


def row(function: Callable[..., Any], large: Any = None) -> SelectionMethod:
    return SelectionMethod("every_other", function, "O(n)", "none", "every other item", "", large)


@pytest.mark.parametrize("large", ["scores", "clusters", "rounds"])
def test_a_row_that_a_pool_in_parts_cannot_follow_is_refused(large: Large) -> None:
    with pytest.raises(LabelnextError, match="every_other must leave out large"):
        row(top_k, large)


@pytest.mark.parametrize(
    ("function", "large", "fault"),
    [
        (by_score, "rounds", "must leave out large, as the method takes no embeddings; "),
        (by_score, "scores", "got 'scores', which is for top_k and stochastic alone."),
        (by_place, "clusters", "got 'clusters', which is for image_diversity and typiclust alone."),
        (by_place, "parts", "must leave out large, or say rounds; got 'parts'."),
        (
            by_place_and_class,
            "rounds",
            "must leave out large, as the method takes probabilities and costs, which the sec",
        ),
        (by_place_and_label, "rounds", "as the method takes labelled_classes, which the second"),
    ],
)
def test_a_refused_row_says_why(function: Callable[..., Any], large: str, fault: str) -> None:
    with pytest.raises(LabelnextError) as caught:
        row(function, large)
    assert str(caught.value).startswith("the row of the selection method every_other must")
    assert fault in str(caught.value)


@pytest.mark.parametrize("function", [by_place, by_place_and_score, by_place_on_demand])
def test_two_rounds_are_for_methods_that_take_what_both_have(function: Callable[..., Any]) -> None:
    assert row(function, "rounds").large == "rounds"
    assert row(function).large is None


def test_a_function_whose_parameters_nobody_fills_is_refused() -> None:
    def stepwise(utilities: np.ndarray, budget: int | None = None, step: int = 2) -> np.ndarray:
        return np.arange(0, len(utilities), step)[:budget]

    def endless(utilities: np.ndarray) -> np.ndarray:
        return np.arange(len(utilities))

    with pytest.raises(LabelnextError, match=r"keyword-only; got stepwise\(utilities, budget, st"):
        row(stepwise)
    with pytest.raises(LabelnextError, match=r"parameter budget; got endless\(utilities\)"):
        row(endless)


def test_a_row_checks_options_by_their_annotations() -> None:
    def impurity(probabilities: np.ndarray, *, normalise: bool = False) -> np.ndarray:
        return 1 - (np.asarray(probabilities) ** 2).sum(axis=-1)

    def skipping(utilities: np.ndarray, budget: int | None = None, *, skip: int = 0) -> np.ndarray:
        return np.argsort(-utilities)[skip:][:budget]

    function = AcquisitionFunction("impurity", impurity, ("items",), "high", "[0, 1]", "", "")
    assert function.function([[0.5, 0.5]], normalise=True).tolist() == [0.5]
    with pytest.raises(InvalidInput, match="normalise must be true or false; got 'x'"):
        function.function([[0.5, 0.5]], normalise="x")
    method = row(skipping)
    assert method.function(np.array([0.1, 0.9]), 1, skip=1).tolist() == [0]
    with pytest.raises(InvalidInput, match=r"skip must be a whole number; got 2\.5"):
        method.function(np.array([0.1, 0.9]), 1, skip=2.5)


def test_a_method_that_needs_the_whole_pool_is_refused_before_any_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labelnext.selection import SELECTIONS

    monkeypatch.setitem(SELECTIONS._built_in, "every_other", row(by_score))  # type: ignore[index]
    (tmp_path / "pool").mkdir()
    table = pa.table({"item_id": ["a", "b"], "probabilities": [[0.9, 0.1], [0.5, 0.5]]})
    for number in (0, 1):
        pq.write_table(table.slice(number, 1), tmp_path / "pool" / f"{number}.parquet")
    config = {
        "source": {"adapter": "files", "path": str(tmp_path / "pool"), "classes": ["x", "y"]},
        "selection": {"method": "every_other", "budget": 1},
        "write": {"output": str(tmp_path / "ranking")},
        "state": str(tmp_path / "state"),
        "report": {"path": None},
    }
    rule = "selection.method must be one of .*k_center.* for a pool that is read in parts"
    for dry_run in (True, False):
        with pytest.raises(ConfigError, match=rule):
            labelnext.run(config, dry_run=dry_run)
    said = [f.message for f in check(config).findings if f.level == "error"]
    assert len(said) == 1
    assert said[0].startswith("selection.method must be one of ")
    assert not (tmp_path / "ranking").exists()
