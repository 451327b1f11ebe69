"""The items of a column, of which the few values that can't be used are left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.pool.objects import Notice
from labelnext_adapters.files.content.oddities import Oddities


@dataclass
class Items:
    """The items that the values of a column are of.

    Attributes:
        ids: of all items.
        place: says in words where an item stands in the file.
        owners: the item of each value, where it isn't that of its row.
        notices: of values that were left out.
        odd: the items of which a value was left out, by column.

    Example:
        >>> items = Items(["a"] * 20, place=lambda row: f"line {row + 1}")
        >>> items.leave_out("label", {3: "it must be a class; got '?'"}, n_values=20)
        >>> items.notices[0].message[:58]
        'Left out 1 of 20 values of label, but not the items: line '
    """

    ids: Sequence[Any]
    place: Callable[[int], str] = lambda row: ""
    owners: NDArray[np.intp] | None = None
    notices: list[Notice] = field(default_factory=list)
    odd: dict[str, list[int]] = field(default_factory=dict)

    def leave_out(
        self, what: str, why: dict[int, str], n_values: int, hint: str | None = None
    ) -> None:
        """Note values that are left out of a column, while their items stay.

        Args:
            what: the column, for messages.
            why: the reason of each, by its row.
            n_values: how many values the column has.
            hint: the cure, where they are too many.

        Raises:
            InvalidInput: if they are more than a tenth, naming the first five.
        """
        odd = Oddities(of=what, seen=n_values)
        for row, reason in why.items():
            item = row if self.owners is None else int(self.owners[row])
            self.odd.setdefault(what, []).append(item)
            odd.leave_out(self.place(item), self.ids[item], reason)
        self.notices += odd.notices(hint)
