"""Rows of open tables are refused where a field doesn't fit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from labelnext.acquisition import ACQUISITIONS
from labelnext.acquisition.function import AcquisitionFunction
from labelnext.adapter.formats import Format
from labelnext.adapter.options import Options
from labelnext.adapter.sample import Sample
from labelnext.errors import LabelnextError, LabelnextWarning
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool
from labelnext.selection import SELECTIONS, SelectionMethod
from labelnext.selection.vectors import Points
from labelnext.support.rows import distinct

FUNCTION = {
    "name": "shortfall",
    "function": lambda probabilities: 1 - np.max(probabilities, axis=1),
    "of": ("items",),
    "direction": "high",
    "range": "[0, 1]",
    "summary": "s",
    "references": "r",
}
METHOD = {
    "name": "first",
    "function": lambda utilities, budget=None: np.arange(len(utilities))[:budget],
    "complexity": "O(n)",
    "guarantee": "g",
    "summary": "s",
    "references": "r",
}
FORMAT = {"name": "obs", "summary": "s", "endings": (".obs",), "Options": Options, "read": len}


@pytest.mark.parametrize(
    ("kind", "good", "wrong", "said"),
    [
        (
            AcquisitionFunction,
            FUNCTION,
            {"direction": "hgh"},
            "direction: high or low; got 'hgh'",
        ),
        (AcquisitionFunction, FUNCTION, {"of": "items"}, "tuple of items or objects; got 'items'"),
        (AcquisitionFunction, FUNCTION, {"of": ("item",)}, "items or objects; got ('item',)"),
        (AcquisitionFunction, FUNCTION, {"of": ()}, "items or objects; got ()"),
        (AcquisitionFunction, FUNCTION, {"function": 3}, "must have function: a function; got 3"),
        (
            AcquisitionFunction,
            FUNCTION,
            {"name": 3},
            "without a name must have name: a text; got 3",
        ),
        (
            AcquisitionFunction,
            FUNCTION,
            {"range": 3},
            "acquisition function shortfall must have range: a text",
        ),
        (AcquisitionFunction, FUNCTION, {"members": 1}, "must have members: true or false; got 1"),
        (
            SelectionMethod,
            METHOD,
            {"function": 3},
            "method first must have function: a",
        ),
        (SelectionMethod, METHOD, {"prefix": "yes"}, "must have prefix: true or false; got 'yes'"),
        (Format, FORMAT, {"endings": ".kol"}, "must have endings: a tuple of texts; got '.kol'"),
        (Format, FORMAT, {"endings": ("kol",)}, "begin with a dot; got 'kol'"),
        (Format, FORMAT, {"endings": (".KOL",)}, "in lower case and begin with a dot"),
        (Format, FORMAT, {"read": None}, "the format obs must have read: a function; got None"),
    ],
)
def test_a_row_whose_field_does_not_fit_is_refused_by_name(
    kind: Any, good: dict[str, Any], wrong: dict[str, Any], said: str
) -> None:
    kind(**good)
    with pytest.raises(LabelnextError) as caught:
        kind(**good | wrong)
    assert said in str(caught.value)


def test_two_rows_of_one_name_are_refused() -> None:
    row = ACQUISITIONS.get("margin")
    assert distinct([row]) == {"margin": row}
    with pytest.raises(LabelnextError, match="two are called 'margin'"):
        distinct([row, SELECTIONS.get("top_k"), row])


POOL = Pool(["a", "b", "c", "d"], probabilities=np.array([[0.9, 0.1]] * 4))


def fails(probabilities: Any) -> Any:
    raise ZeroDivisionError("no\nluck.")


@pytest.mark.parametrize(
    "function",
    [
        lambda probabilities: np.zeros(3),
        lambda probabilities: np.zeros((4, 1)),
        lambda probabilities: "high",
        lambda probabilities: None,
        lambda probabilities: 0.5,
        lambda probabilities: np.zeros(4) + 1j,
    ],
)
def test_a_function_that_returns_no_number_for_each_item_is_named(function: Any) -> None:
    row = AcquisitionFunction(**FUNCTION | {"function": function})
    with pytest.raises(LabelnextError, match="function shortfall must return 4 real numbers, one"):
        row.score(POOL)


def test_what_the_function_of_another_package_raises_is_one_line() -> None:
    row = AcquisitionFunction(**FUNCTION | {"function": fails})
    with pytest.raises(LabelnextError, match=r"of tests\S+ raised ZeroDivisionError: no luck\."):
        row.score(POOL)
    leaves = AcquisitionFunction(**FUNCTION | {"function": lambda rows: sys.exit(3)})
    with pytest.raises(LabelnextError, match=r"of tests\S+ raised SystemExit: 3\."):
        leaves.score(POOL)
    hides = AcquisitionFunction(**FUNCTION | {"function": lambda rows: np.ma.masked_all(4)})
    with pytest.raises(LabelnextError, match="must be an array without masked values"):
        hides.score(POOL)
    none = AcquisitionFunction(**FUNCTION | {"function": lambda: np.zeros(4)})
    with pytest.raises(LabelnextError, match="raised TypeError"):
        none.score(POOL)
    method = SelectionMethod(**METHOD | {"function": lambda utilities, budget=None: 1 // 0})
    with pytest.raises(LabelnextError, match="method first of tests.* raised ZeroDivisionError"):
        method.choose({"utilities": np.zeros(4)}, 4, 2, {})


def overwrites(values: Any) -> NDArray[np.float64]:
    """What a careless function does with what it is given: all 0."""
    array = getattr(values, "confidences", values)
    array[:] = 0
    return np.zeros(len(array))


FROM: dict[str, Any] = {
    "utilities": lambda utilities, budget=None: overwrites(utilities),
    "embeddings": lambda embeddings, budget=None: overwrites(embeddings[:]),
}


def test_a_function_cannot_overwrite_what_others_read() -> None:
    predictions, utilities = np.full((4, 2), 0.5), np.arange(4.0)
    vectors = np.ones((4, 3), np.float32)
    objects = Objects([0, 1, 2], confidences=[0.5, 0.6])
    pools = [Pool([*"abcd"], probabilities=predictions), Pool(["a", "b"], objects=objects)]
    told = "raised ValueError: assignment destination is read-only"
    for pool in pools:
        row = AcquisitionFunction(**FUNCTION | {"function": overwrites, "of": ("items", "objects")})
        with pytest.raises(LabelnextError, match=told):
            row.score(pool)
    for name, value in {"utilities": utilities, "embeddings": Points(vectors)}.items():
        method = SelectionMethod(**METHOD | {"function": FROM[name]})
        with pytest.raises(LabelnextError, match=told):
            method.choose({name: value}, 4, 2, {})
    assert pools[0].probabilities is not None
    assert (pools[0].probabilities == 0.5).all()
    assert objects.confidences.tolist() == [0.5, 0.6]
    assert utilities.tolist() == [0, 1, 2, 3]
    assert (vectors == 1).all()
    predictions[0] = 0.25, 0.75  # the caller's own stay theirs to change


@pytest.mark.parametrize("why", [True, 3, ["yes"]])
def test_evidence_that_is_no_text_claims_no_file(tmp_path: Path, why: Any) -> None:
    (tmp_path / "p.csv").write_text("item_id,p_a,p_b\nx,0.5,0.5\n", "utf-8")
    row = Format(**FORMAT | {"evidence": lambda sample: why})
    assert row.reason(Sample(tmp_path / "p.csv")) is None


def test_evidence_that_fails_is_a_warning_that_names_the_format(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("item_id,p_a,p_b\nx,0.5,0.5\n", "utf-8")
    row = Format(**FORMAT | {"evidence": lambda sample: 1 // 0})
    with pytest.warns(LabelnextWarning, match="format obs can't look at files: ZeroDivisionError"):
        assert row.reason(Sample(tmp_path / "p.csv")) is None
