"""JSON or a pickle with a matrix of class scores, beside names of classes and ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext_adapters.files.tables.column_names import plain
from labelnext_adapters.files.tables.known_names import IDS

_MATRICES = (
    "probabilities", "probs", "proba", "predict_proba", "predictions", "preds", "pred_probs",
    "scores", "class_scores", "outputs", "softmax", "y_prob", "y_proba", "y_score", "logits",
)  # fmt: skip
_CLASSES = ("classes", "class_names", "vocab", "labels", "categories", "names", "target_names",
            "label_names", "columns")  # fmt: skip
_LABELS = ("label_ids", "labels", "label", "targets", "target", "y_true", "y")
_ROW_NUMBERS = "numbered"


def table_of_matrix(value: Any) -> tuple[pa.Table, list[Notice]] | None:
    """A table of an item for each row of a matrix; None if there is no matrix.

    Args:
        value: a list of lists of numbers, or an object with one, which may have the names of the
            classes, the ids of the rows and their labels beside it.

    Raises:
        InvalidInput: if there are several matrices, or what stands beside has another length.

    Example:
        >>> table, _ = table_of_matrix({"vocab": ["cat", "dog"], "preds": [[0.25, 0.75]]})
        >>> table.to_pylist()
        [{'item_id': '0', 'probabilities': {'cat': 0.25, 'dog': 0.75}}]
    """
    beside: Mapping[str, Any] = {}
    if isinstance(value, list) and len(value) in (2, 3) and _is_outputs(value):
        beside, matrix = {"label_ids": value[1]}, value[0]  # of Trainer.predict
    elif isinstance(value, Mapping):
        name = _matrix_in(value)
        if name is None:
            return None
        beside, matrix = {k: v for k, v in value.items() if k != name}, value[name]
        if "item_id" in beside and not any(plain(one) in _CLASSES[:3] for one in beside):
            return None  # columns under our names
    elif is_matrix(value):
        matrix = value
    else:
        return None
    width = len(matrix[0])
    notices: list[Notice] = []
    columns = {"item_id": _ids(beside, len(matrix), notices)}
    names = _names(beside, width)
    if names is None:
        columns["probabilities"] = pa.array([[*map(float, row)] for row in matrix])
    else:
        parts = np.array(matrix, dtype=float).T
        columns["probabilities"] = pa.StructArray.from_arrays([*map(pa.array, parts)], names)
    labels = _list_in(beside, _LABELS, len(matrix), whole=True)
    if labels is not None:
        columns["label"] = pa.array(labels)
    return pa.table(columns), notices


def is_matrix(value: Any) -> bool:
    """Whether a value is a list of lists of as many numbers each."""
    if not isinstance(value, list) or not value or not isinstance(value[0], list):
        return False
    width = len(value[0])
    return width > 1 and all(
        isinstance(row, list) and len(row) == width and all(type(n) in (int, float) for n in row)
        for row in value
    )


def _is_outputs(value: Sequence[Any]) -> bool:
    """Whether a list is a matrix and a label for each row."""
    matrix, labels = value[0], value[1]
    return (
        is_matrix(matrix)
        and isinstance(labels, list)
        and len(labels) == len(matrix)
        and all(type(label) is int for label in labels)
    )


def _matrix_in(value: Mapping[str, Any]) -> str | None:
    matrices = [name for name, one in value.items() if is_matrix(one)]
    known = [name for name in matrices if plain(name) in _MATRICES]
    if len(known) > 1:
        raise InvalidInput(
            f"the file must hold one matrix of class scores; got {listed(known)}.",
            hint="keep the one to rank by.",
        )
    return known[0] if known else None


def _list_in(
    beside: Mapping[str, Any], names: Sequence[str], length: int, *, whole: bool = False
) -> list[Any] | None:
    """The list of such a name and length: of texts and whole numbers, or of whole numbers."""
    kinds = (int,) if whole else (str, int)
    for wanted in names:
        for name, value in beside.items():
            fits = isinstance(value, list) and len(value) == length
            if plain(name) == wanted and fits and all(type(one) in kinds for one in value):
                return list(value)
    return None


def _names(beside: Mapping[str, Any], width: int) -> list[str] | None:
    """The names of the classes.

    Raises:
        InvalidInput: if they are more or fewer than the columns.
    """
    for wanted in _CLASSES:
        for name, value in beside.items():
            if plain(name) != wanted or not _are_texts(value):
                continue
            if len(value) == width == len(set(value)):
                return list(value)
            if wanted in _CLASSES[:3]:
                raise InvalidInput(
                    f"{name} must have a name of its own for each of the {width} columns of the "
                    f"matrix; got {listed(value, 20)}."
                )
    return None


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def _ids(beside: Mapping[str, Any], n_rows: int, notices: list[Notice]) -> pa.Array:
    """The ids of the rows; their numbers from 0 where there are none."""
    plural = [f"{name}s" for name in IDS]
    ids = _list_in(beside, (*IDS, *plural, "ids", "index", "items", "keys"), n_rows)
    if ids is None:
        message = (
            'Items are named by their row from 0; put their ids beside the matrix: {"ids": […], …}.'
        )
        notices.append(Notice(_ROW_NUMBERS, message))
        ids = list(range(n_rows))
    return pa.array([*map(str, ids)])
