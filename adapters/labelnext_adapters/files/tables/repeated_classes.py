"""Rows of classes in which an item names one more than once: a slip, several models, or objects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext_adapters.files.content.oddities import FEW, MOST, mostly
from labelnext_adapters.files.tables.arrow import encoded
from labelnext_adapters.files.tables.column_names import first_of
from labelnext_adapters.files.tables.known_names import VERSIONS
from labelnext_adapters.files.tables.vectors import ROUNDED

_CURE = (
    "keep the rows of one of them; or write one row an item with a column of class scores for "
    "each, and name these columns in source.columns: {probabilities: [...]}."
)


@dataclass(frozen=True)
class Named:
    """The classes that items name, and their scores: all of shape (n_rows,).

    Attributes:
        items: the item of each row.
        kinds: its class.
        scores: of the class.
    """

    items: NDArray[np.int64]
    kinds: NDArray[np.int64]
    scores: NDArray[np.float64]

    @cached_property
    def _times(self) -> NDArray[np.int64]:
        """How often the item of each row names the class of the row."""
        cells = self.items * (1 + self.kinds.max(initial=0)) + self.kinds
        _, place, counts = np.unique(cells, return_inverse=True, return_counts=True)
        return np.asarray(counts[place], dtype=np.int64)

    @property
    def doubled(self) -> NDArray[np.bool_]:
        """The rows whose item names their class more than once."""
        return self._times > 1

    def _of_items(self, weights: NDArray[np.generic] | None = None) -> NDArray[np.float64]:
        return np.bincount(self.items, weights, minlength=0).astype(np.float64)

    def are_few(self, doubled: NDArray[np.bool_], total: float | None) -> bool:
        """Whether few of the items with several rows repeat a class, and the others have scores.

        Args:
            doubled: the rows whose item names their class more than once.
            total: of the scores of all classes; None if they have none.
        """
        several = self._of_items() > 1
        repeating = self._of_items(doubled) > 0
        if repeating.sum() > FEW * several.sum():
            return False
        others = several & ~repeating
        sums = self._of_items(self.scores)[others]
        fits = np.isnan(sums) | (sums <= (total or np.inf) * (1 + ROUNDED))
        return bool(fits.mean() >= MOST)

    def check_passes(self, total: float | None) -> None:
        """Refuse the scores of several models or passes, whose sum is a multiple of all.

        Args:
            total: of the scores of all classes; None if they have none.

        Raises:
            InvalidInput: if most items name each of several classes equally often.
        """
        rows, sums = self._of_items(), self._of_items(self.scores)
        times = int(np.median(self._times))
        alike = self._of_items(self._times == times) == rows
        alike &= rows >= 2 * times
        if total is not None:
            alike &= np.abs(sums - times * total) <= times * total * ROUNDED
        if times > 1 and alike[rows > 0].mean() >= MOST:
            raise InvalidInput(
                f"an item must name each class once; most name each of theirs {times} times, as "
                "where several models, or passes of one, stand in one table.",
                hint=_CURE,
            )


def class_and_share(table: pa.Table, id_name: str) -> tuple[str, str] | None:
    """The only columns of texts and of numbers, if these sum to 1 for most items; else None.

    Args:
        table: with several rows an item.
        id_name: the column of ids.

    Example:
        >>> long = {"id": ["a", "a"], "variable": ["cat", "dog"], "value": [0.75, 0.25]}
        >>> class_and_share(pa.table(long), "id")
        ('variable', 'value')
    """
    others = [field for field in table.schema if field.name != id_name]
    texts = [field.name for field in others if pa.types.is_string(field.type)]
    numbers = [field.name for field in others if pa.types.is_floating(field.type)]
    if len(texts) != 1 or len(numbers) != 1:
        return None
    column = table.column(numbers[0]).to_numpy(zero_copy_only=False)
    sums = np.bincount(np.maximum(encoded(table.column(id_name))[0], 0), column)
    fits = mostly((column >= 0).tolist()) and mostly((np.abs(sums - 1) <= ROUNDED).tolist())
    return (texts[0], numbers[0]) if fits else None


def check_versions(table: pa.Table, id_name: str) -> None:
    """Refuse rows of several models, which a column tells apart, for the same items.

    Args:
        table: with several rows an item.
        id_name: the column of ids.

    Raises:
        InvalidInput: if many items have rows of several.
    """
    name = first_of([name for name in table.column_names if name != id_name], VERSIONS)
    if name is None or pa.types.is_nested(table.schema.field(name).type):
        return
    pairs = table.select([id_name, name]).drop_null().group_by([id_name, name]).aggregate([])
    counts = pairs.group_by(id_name).aggregate([(name, "count")]).column(f"{name}_count")
    if not len(counts) or pc.mean(pc.greater(counts, 1)).as_py() <= FEW:
        return
    values = pc.unique(table.column(name).drop_null()).to_pylist()
    shown = listed(f"{one:g}" if isinstance(one, float) else one for one in values)
    raise InvalidInput(
        f"an item must have rows of one model; {name!r} tells several apart: {shown}.",
        hint=_CURE,
    )
