"""A table with our columns, and what was understood of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelnext.pool.objects import Notice
from labelnext_adapters.files.tables.rows import Rows
from labelnext_adapters.files.tables.table_options import stated_in


@dataclass(frozen=True)
class LaidOut(Rows):
    """Rows, one for each item, with our columns.

    Attributes:
        columns: our names to the table's.
    """

    columns: Mapping[str, str | Sequence[str]] = field(default_factory=dict)

    @property
    def mapped(self) -> set[str]:
        """The columns that have a meaning of their own, and those of the metadata."""
        return {*stated_in(self.columns)}

    def told(self, message: str) -> LaidOut:
        """The same, with a notice of what was understood."""
        return replace(self, notices=[*self.notices, Notice("layout", message)])

    def of_rows(self, kept: NDArray[np.int64]) -> LaidOut:
        """Some rows alone."""
        if len(kept) == self.table.num_rows:
            return self
        table = self.table.take(pa.array(kept))
        return replace(self, table=table, place=lambda row: self.place(int(kept[row])))
