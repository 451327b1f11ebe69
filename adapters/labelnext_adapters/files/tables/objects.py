"""Columns of records, one for each object, to Objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice, Objects
from labelnext.support.words import counted
from labelnext_adapters.files.content.oddities import ROUNDING, Oddities
from labelnext_adapters.files.tables.arrow import (
    is_list,
    list_rows,
    names_in,
    nulls,
    numbers,
    plain_type,
)
from labelnext_adapters.files.tables.class_places import class_places
from labelnext_adapters.files.tables.items import Items
from labelnext_adapters.files.tables.vectors import Meaning, cure, from_logits, usable_boxes


class ObjectColumn:
    """The records of one model version, or of people (truth), as columns.

    Args:
        name: of the column, for messages.
        column: of lists of records; null where nothing was predicted.
        ids: of the items.
        certain: people are sure, so that there is no confidence.
        meaning: of confidences and probabilities.

    Attributes:
        absent: shape (n_items,), where the column is null.
        notices: of objects and boxes that were left out.
        names: of the classes, where they are texts, sorted.

    Raises:
        InvalidInput: if the column holds something else, or an object has no confidence.
    """

    def __init__(
        self,
        name: str,
        column: Any,
        ids: Sequence[Any],
        *,
        certain: bool = False,
        meaning: Meaning | None = None,
    ) -> None:
        if pa.types.is_null(column.type):  # a version without any prediction
            column = column.cast(pa.list_(pa.null()))
        if not is_list(column.type) or not (
            pa.types.is_struct(column.type.value_type) or pa.types.is_null(column.type.value_type)
        ):
            raise InvalidInput(
                f"{name} must be a list of records with confidence, class, box, mask, "
                f"probabilities and embedding; got {column.type}.",
                hint="if it is the class that people said, set source.columns: {label: truth}."
                if certain and not pa.types.is_nested(column.type)
                else None,
            )
        self.absent = nulls(column)
        lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
        self.notices: list[Notice] = []
        self._ids, self._owners = ids, np.repeat(np.arange(len(lengths)), lengths)
        self._values = pc.list_flatten(column)
        kind = self._values.type
        self._fields = [f.name for f in kind] if pa.types.is_struct(kind) else []
        self._certain = certain
        if len(self._values) and "confidence" not in self._fields and not certain:
            raise InvalidInput(
                f"every object in {name} must have a confidence; got the keys "
                f"{listed(self._fields)}.",
                hint="if they are what people labelled, set source.columns: {truth: objects}.",
            )
        self._meaning = meaning or Meaning()
        self._sure = np.ones(len(self._values)) if certain else self._confidences()
        self._leave_out_odd()
        counts = np.bincount(self._owners, minlength=len(lengths))
        self.absent |= (lengths > 0) & (counts == 0)  # they were not all absent, but all odd
        self._offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        kinds = self._field("label" if certain and "class" not in self._fields else "class")
        self._classes = None if kinds is None or pa.types.is_null(kinds.type) else plain_type(kinds)
        self.names = [] if self._classes is None else names_in(self._classes)

    def build(self, classes: Sequence[str] | None, *, of_several: bool = False) -> Objects:
        """The objects.

        Args:
            classes: names of the classes.
            of_several: other versions may have predictions where this one has none.
        """
        class_ids = None
        if self._classes is not None:
            items = Items(self._ids, owners=self._owners, notices=self.notices)
            class_ids = class_places("class of an object", self._classes, classes, items=items)
        return Objects(
            self._offsets,
            self._sure,
            class_ids=class_ids,
            boxes=self._boxes(),
            masks=self._masks(),
            probabilities=self._rows(
                "probabilities", "probabilities of an object", len(classes or "?")
            ),
            embeddings=self._rows("embedding", "embedding of an object"),
            missing=self.absent if of_several else None,
            spans={"start", "end"} <= set(self._fields) and "box" not in self._fields,
        )

    def _field(self, name: str) -> Any:
        if name not in self._fields:
            return None
        return pc.struct_field(self._values, name)

    def _confidences(self) -> NDArray[np.float64]:
        column = self._field("confidence")
        if column is None:
            return np.empty(0)
        values = numbers("confidence", column)
        if self._meaning.logits is not None:
            return from_logits(values[:, None], "sigmoid")[:, 0]
        return values / self._meaning.scale if self._meaning.scale != 1 else values

    def _leave_out_odd(self) -> None:
        """Leave out objects whose confidence is no probability, unless they are too many."""
        bad = (self._sure < -ROUNDING) | (self._sure > 1 + ROUNDING)
        if bad.any():
            odd = Oddities("object", seen=len(bad))
            for place in np.flatnonzero(bad).tolist():
                why = f"confidence must be in [0, 1]; got {self._sure[place]:g}"
                odd.leave_out("", self._ids[self._owners[place]], why)
            self.notices += odd.notices(cure(self._sure[bad]))
            self._values = self._values.filter(pa.array(~bad))
            self._owners, self._sure = self._owners[~bad], self._sure[~bad]
        self._sure = np.clip(self._sure, 0, 1)

    def _boxes(self) -> NDArray[np.float64] | None:
        """The boxes; NaN for those that can't be used, which are counted."""
        rows = self._rows("box", "box", 4)
        if rows is None:
            return None
        boxes = rows.astype(np.float64, copy=False)
        bad = ~usable_boxes(boxes) & ~np.isnan(boxes).all(axis=1)
        if bad.any():
            places = np.flatnonzero(bad)
            items = tuple(dict.fromkeys(str(self._ids[self._owners[p]]) for p in places.tolist()))
            message = (
                f"Left out {counted(len(places), 'box', 'boxes')}, but not the objects in them: a "
                "box must be x1 y1 x2 y2 as fractions of the image, with x1 <= x2 and y1 <= y2; "
                f"got {boxes[places[0]].tolist()} for item {items[0]}. Divide pixels by the "
                "image's width and height."
            )
            self.notices.append(Notice("bad_boxes", message, items))
            boxes = np.where(np.asarray(bad)[:, None], np.nan, boxes)
        return boxes

    def _masks(self) -> list[Any] | None:
        column = self._field("mask")
        if column is None or pa.types.is_null(column.type):
            return None
        return [mask or {} for mask in column.to_pylist()]

    def _rows(self, name: str, what: str, width: int | None = None) -> NDArray[np.floating] | None:
        column = self._field(name)
        if column is None or pa.types.is_null(column.type):
            return None
        return list_rows(what, column, self._ids, width, self._owners, self.notices)
