"""Columns with one confidence per item, and its class: an answer rather than a distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.checks import unit_interval
from labelnext.pool.objects import Notice, Objects
from labelnext_adapters.files.content.oddities import FEW, ROUNDING
from labelnext_adapters.files.tables.arrow import (
    names_in,
    nulls,
    numbers,
    plain_type,
)
from labelnext_adapters.files.tables.class_places import class_places
from labelnext_adapters.files.tables.items import Items
from labelnext_adapters.files.tables.table_options import LabelsAre
from labelnext_adapters.files.tables.vectors import Meaning, NotProbabilities, from_logits


class AnswerColumns:
    """The answers of one model version.

    Args:
        confidences: a column of numbers in [0, 1], null where nothing was predicted.
        predicted: a column of class names, or of their positions; None without classes.
        ids: of the items.
        uncertain: high numbers mean that the model is uncertain.
        meaning: of the numbers.
        labels_are: names or positions, for numbers that could be both.

    Attributes:
        names: of the classes, where they are texts, sorted.
        notices: of numbers outside [0, 1] and of classes that were left out, as they are few.

    Raises:
        InvalidInput: if a column holds something else.
    """

    def __init__(
        self,
        confidences: Any,
        predicted: Any,
        ids: Sequence[Any],
        *,
        uncertain: bool = False,
        meaning: Meaning | None = None,
        labels_are: LabelsAre | None = None,
    ) -> None:
        what = "uncertainty" if uncertain else "confidence"
        there = ~nulls(confidences)
        known = meaning or Meaning()
        values = numbers(what, confidences)
        if known.logits is not None:
            values = from_logits(values[:, None], "sigmoid")[:, 0]
        values = values / known.scale
        self.notices = _left_out(what, values, there, ids)
        present = ids if there.all() else [ids[row] for row in np.flatnonzero(there).tolist()]
        checked = _checked(what, values[there], present)
        self._ids = present
        self._confidences = np.clip(1 - checked if uncertain else checked, 0, 1)
        self._offsets = np.concatenate([[0], np.cumsum(there)])
        self._labels_are = labels_are
        self._classes: Any = None
        if predicted is not None and not pa.types.is_null(predicted.type):
            self._classes = plain_type(predicted).filter(pa.array(there))
        self.names = [] if self._classes is None else names_in(self._classes)

    def build(self, classes: Sequence[str] | None) -> Objects:
        """The answers as whole items; those of no class have −1."""
        ids = None
        if self._classes is not None:
            items = Items(self._ids, notices=self.notices)
            ids = class_places("prediction", self._classes, classes, self._labels_are, items)
        return Objects(self._offsets, self._confidences, class_ids=ids, whole_items=True)


def _left_out(
    what: str, values: NDArray[np.float64], there: NDArray[np.bool_], ids: Sequence[Any]
) -> list[Notice]:
    """Take numbers outside [0, 1] out of `there`, in place, if at most a tenth are."""
    odd = there & ~((values >= -ROUNDING) & (values <= 1 + ROUNDING) | np.isnan(values))
    if odd.sum() > FEW * there.sum():
        return []  # an error, with its cure
    told, rule = Items(ids), f"{what} must be in [0, 1]"
    why = {row: f"{rule}; got {values[row]:.6g}" for row in np.flatnonzero(odd).tolist()}
    told.leave_out(what, why, int(there.sum()))
    there &= ~odd
    return told.notices


def _checked(what: str, values: NDArray[np.float64], ids: Sequence[Any]) -> NDArray[np.floating]:
    """Values in [0, 1]; the error for logarithms and percentages names the cure."""
    try:
        return unit_interval(what, values, ids, excess=ROUNDING)
    except InvalidInput as error:
        if np.nanmax(values) <= 0:
            error.hint = "these seem to be logarithms: save their exponentials (with numpy, exp)."
        if values.min() < 0 or values.max() > 100 or np.nanmedian(values) <= 1:
            raise
        hint = "these are percentages: set source.scale: percent."
        settings = {"scale": "percent"}
        raise NotProbabilities(error.message, hint=hint, settings=settings) from error
