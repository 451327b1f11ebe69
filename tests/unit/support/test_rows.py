"""Rows of open tables are refused where a field doesn't fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from labelnext.acquisition import ACQUISITIONS
from labelnext.acquisition.function import AcquisitionFunction
from labelnext.adapter.formats import Format
from labelnext.adapter.options import Options
from labelnext.errors import LabelnextError
from labelnext.selection import SELECTIONS, SelectionMethod
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
        (AcquisitionFunction, FUNCTION, {"direction": "hgh"}, "must be high or low; got 'hgh'"),
        (AcquisitionFunction, FUNCTION, {"of": "items"}, "tuple of items or objects; got 'items'"),
        (AcquisitionFunction, FUNCTION, {"of": ("item",)}, "items or objects; got ('item',)"),
        (AcquisitionFunction, FUNCTION, {"of": ()}, "items or objects; got ()"),
        (AcquisitionFunction, FUNCTION, {"function": 3}, "must be a function; got 3"),
        (AcquisitionFunction, FUNCTION, {"name": 3}, "name of the acquisition function without"),
        (
            AcquisitionFunction,
            FUNCTION,
            {"range": 3},
            "range of the acquisition function shortfall",
        ),
        (AcquisitionFunction, FUNCTION, {"members": 1}, "must be true or false; got 1"),
        (SelectionMethod, METHOD, {"function": 3}, "function of the selection method first must"),
        (SelectionMethod, METHOD, {"prefix": "yes"}, "must be true or false; got 'yes'"),
        (Format, FORMAT, {"endings": ".kol"}, "must be a tuple of texts; got '.kol'"),
        (Format, FORMAT, {"endings": ("kol",)}, "begin with a dot; got 'kol'"),
        (Format, FORMAT, {"endings": (".KOL",)}, "in lower case and begin with a dot"),
        (Format, FORMAT, {"read": None}, "read of the format obs must be a function; got None"),
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
