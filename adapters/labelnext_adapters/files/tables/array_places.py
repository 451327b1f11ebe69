"""Classes in the arrays of a file: what was predicted, and what people said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelnext.pool.objects import Notice
from labelnext_adapters.files.tables.class_places import class_places
from labelnext_adapters.files.tables.items import Items


def predicted_places(
    answers: NDArray[Any], columns: dict[str, Any], notices: list[Notice]
) -> NDArray[np.int64] | None:
    """The positions of the predicted classes; None if they aren't one for each item."""
    if len(answers) != len(columns["item_ids"]):
        return None
    names = None if columns["classes"] is None else [*map(str, columns["classes"])]
    of = Items(columns["item_ids"], notices=notices)
    return class_places("prediction", pa.array(answers.tolist()), names, None, of)


def place_labels(columns: dict[str, Any], notices: list[Notice]) -> None:
    """Labels as positions; an item whose label is no class still counts as labelled."""
    labels, names, matrix = columns["labels"], columns["classes"], columns["probabilities"]
    if labels is None or labels.shape != (len(columns["item_ids"]),):
        return  # for Pool to refuse
    if names is None and matrix is not None and labels.dtype.kind != "O":
        names = [*map(str, range(matrix.shape[-1]))]
    elif names is None:
        return
    names = [*map(str, names)]
    of = Items(columns["item_ids"], notices=notices)
    places = class_places("label", pa.array(labels.tolist()), names, None, of)
    odd = of.odd.get("label", [])
    if odd and columns["labelled"] is None:
        labelled = places >= 0
        labelled[odd] = True
        columns["labelled"] = labelled
    columns["labels"] = places
