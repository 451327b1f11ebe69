"""Columns with one confidence per item, and its class: an answer rather than a distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.checks import unit_interval
from labelnext.pool.objects import Objects
from labelnext_adapters.files.arrow import class_positions, nulls, numbers


class AnswerColumns:
    """The answers of one model version.

    Args:
        confidences: a column of numbers in [0, 1], null where nothing was predicted.
        predicted: a column of class names, or of their positions; None without classes.
        ids: of the items.
        uncertain: high numbers mean that the model is uncertain.

    Attributes:
        names: of the classes, where they are texts, sorted.

    Raises:
        InvalidInput: if a column holds something else.
    """

    def __init__(
        self, confidences: Any, predicted: Any, ids: Sequence[Any], *, uncertain: bool = False
    ) -> None:
        what = "uncertainty" if uncertain else "confidence"
        there = ~nulls(confidences)
        own = ids if there.all() else [ids[row] for row in np.flatnonzero(there).tolist()]
        checked = unit_interval(what, numbers(what, confidences)[there], own)
        self._confidences = np.clip(1 - checked, 0, 1) if uncertain else checked
        self._offsets = np.concatenate([[0], np.cumsum(there)])
        self._classes: Any = None
        if predicted is not None and not pa.types.is_null(predicted.type):
            self._classes = predicted.filter(pa.array(there))
        self.names: list[str] = []
        if self._classes is not None and not pa.types.is_integer(self._classes.type):
            self._classes = _texts(self._classes)
            self.names = sorted(name for name in self._classes.dictionary.to_pylist() if name)

    def build(self, classes: Sequence[str] | None) -> Objects:
        """The answers as whole items; those of no class have −1."""
        ids: NDArray[np.int64] | None = None
        if self.names:
            texts = [name or None for name in self._classes.dictionary.to_pylist()]
            places = [*class_positions("prediction", texts, classes or []), -1]
            ids = np.array(places, dtype=np.int64)[_filled(self._classes.indices)]
        elif self._classes is not None and pa.types.is_integer(self._classes.type):
            ids = _filled(self._classes)
        return Objects(self._offsets, self._confidences, class_ids=ids, whole_items=True)


def _texts(column: Any) -> Any:
    """Class names by a dictionary.

    Raises:
        InvalidInput: if they are something else.
    """
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise InvalidInput(f"prediction must be class names or their positions; got {column.type}.")
    return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()


def _filled(positions: Any) -> NDArray[np.int64]:
    """Positions, −1 for null."""
    filled: NDArray[np.int64] = positions.cast(pa.int64()).fill_null(-1).to_numpy()
    return filled
